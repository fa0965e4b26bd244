"""What is recalled for accounts, against plain Python over the same purchases; and the stored part itself."""

from collections import defaultdict
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from indexes.account_recall import MOST, ORIGINS, SHRINKAGE, WALK_RETURN, WALK_ROUNDS, AccountProfile, AccountRecall
from indexes.accounts import AccountRows, Accounts, Rows
from indexes.arrays import ArrayFolder
from indexes.opened import Indexes
from indexes.recommendation_blend import RANK_OFFSET, WEIGHTS, features, fixed_blend

LEAST_USERS = 5


@pytest.fixture(scope="module")
def recall(small_store: Path) -> AccountRecall:
    indexes = Indexes.open(small_store)
    assert indexes.accounts is not None
    return AccountRecall(indexes, indexes.accounts, LEAST_USERS)


@pytest.fixture(scope="module")
def purchases(recall: AccountRecall) -> dict[int, set[int]]:
    return {place: set(recall.accounts.owned_keywords(place).tolist()) for place in range(len(recall.accounts))}


def buyers_of(purchases: dict[int, set[int]], left_out: int) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for account, owned in purchases.items():
        if account != left_out:
            for keyword in owned:
                found[keyword].add(account)
    return found


@pytest.mark.parametrize("account", [0, 7, 101, 333])
def test_what_purchases_say_is_what_plain_python_says(
    recall: AccountRecall, purchases: dict[int, set[int]], account: int
) -> None:
    own = purchases[account]
    found = recall.find(recall.profile(account))
    buyers = buyers_of(purchases, account)
    others = {other: owned for other, owned in purchases.items() if other != account and owned}
    similar = {other: len(own & owned) / sqrt(len(own) * len(owned)) for other, owned in others.items()}
    # Personalised PageRank, step by step.
    here = {keyword: 1 / len(own) for keyword in own}
    spent: dict[int, float] = defaultdict(float)
    for _ in range(WALK_ROUNDS):
        at: dict[int, float] = defaultdict(float)
        for keyword, share in here.items():
            for buyer in buyers[keyword]:
                at[buyer] += share / len(buyers[keyword]) * WALK_RETURN
        here = defaultdict(float)
        for buyer, share in at.items():
            for keyword in others[buyer]:
                here[keyword] += share / len(others[buyer]) * WALK_RETURN
        for keyword, share in here.items():
            spent[keyword] += share
    industry = int(recall.accounts.industry[account])
    _, rows = recall.accounts.members.of(np.array([industry]))
    members = set(recall.accounts.members.values[rows].tolist()) & set(others)
    for place, keyword in enumerate(found.keyword_id.tolist()):
        known = {name: float(column[place]) for name, column in found.known.items()}
        who = buyers[keyword]
        assert known["buyers"] == len(who)
        assert known["similar_buyers"] == sum(similar[other] > 0 for other in who)
        assert known["same_buyers"] == pytest.approx(sum(similar[other] for other in who))
        assert known["buyer_walks"] == pytest.approx(spent[keyword])
        common = len(who & members)
        assert known["industry_count"] == common
        cosine = common / sqrt(len(members) * len(who)) if who else 0.0
        assert known["industry"] == pytest.approx(cosine * common / (common + SHRINKAGE))
        shares = [len(who & buyers[mine]) / (len(buyers[mine]) + SHRINKAGE) for mine in own]
        assert known["confidence"] == pytest.approx(max(shares))
    assert found.keyword_id.tolist() == sorted(set(found.keyword_id.tolist()))


def test_item_knn_counts_accounts_of_few_keywords_more(recall: AccountRecall, purchases: dict[int, set[int]]) -> None:
    account = 7
    own = purchases[account]
    buyers = buyers_of(purchases, account)
    columns = len(recall.accounts.bought)
    rarity = {other: np.log1p(columns / len(owned)) ** 2 for other, owned in purchases.items() if owned}
    length = {keyword: sqrt(sum(rarity[other] for other in who)) for keyword, who in buyers.items()}
    found = recall.find(recall.profile(account))
    for place, keyword in enumerate(found.keyword_id.tolist()):
        expected = sum(
            sum(rarity[other] for other in buyers[keyword] & buyers[mine]) / (length[keyword] * length[mine])
            for mine in own
            if buyers[mine] and buyers[keyword]
        )
        assert found.known["copurchase"][place] == pytest.approx(expected)


def test_every_account_gets_the_same_again_and_each_origin_stays_within_its_bounds(recall: AccountRecall) -> None:
    for account in range(0, len(recall.accounts), 40):
        profile = recall.profile(account)
        one, two = recall.find(profile), recall.find(profile)
        assert one.keyword_id.tobytes() == two.keyword_id.tobytes()
        matrix = features(one, recall.indexes.stats)
        assert matrix.tobytes() == features(two, recall.indexes.stats).tobytes()
        assert np.isfinite(matrix).all()
        for name in ORIGINS:
            assert 0 <= (one.scores[name] > 0).sum() <= MOST
            assert one.scores[name].min(initial=0.0) >= 0


def test_nothing_is_recalled_that_would_give_somebody_away(recall: AccountRecall) -> None:
    for account in range(0, len(recall.accounts), 25):
        found = recall.find(recall.profile(account))
        users = np.asarray(recall.indexes.stats.users[found.keyword_id])
        assert ((users >= LEAST_USERS) | (found.known["buyers"] >= recall.least_buyers)).all()


def test_a_hidden_account_is_recalled_for_as_if_it_had_never_bought(recall: AccountRecall) -> None:
    profile = recall.profile(7, known_purchases=False)
    found = recall.find(profile)
    assert len(profile.owned) == 0
    for name in ("same_buyers", "copurchase", "buyer_factors", "buyer_walks", "searched_together", "content"):
        assert not found.scores[name].any()
    assert found.scores["industry"].any()
    assert found.scores["site"].any()
    own = recall.accounts.owned_keywords(7)
    known = {int(keyword): float(count) for keyword, count in zip(found.keyword_id, found.known["buyers"], strict=True)}
    plain = recall.find(AccountProfile(industry=profile.industry))
    for keyword, count in zip(plain.keyword_id.tolist(), plain.known["buyers"].tolist(), strict=True):
        if keyword in known:
            assert known[keyword] == count - (keyword in own)


def test_nobody_of_whom_nothing_is_known_is_recommended_anything(recall: AccountRecall) -> None:
    assert len(recall.find(AccountProfile()).keyword_id) == 0


def test_likeness_is_one_for_the_keyword_itself_and_its_variants_and_falls_with_distance(recall: AccountRecall) -> None:
    ids = recall.accounts.owned_keywords(7)
    near = recall.likeness(ids, ids[:1])
    assert near[0] == 1.0
    assert ((near >= 0) & (near <= 1)).all()
    assert near.min() < 0.5
    assert not recall.likeness(ids, ids[:0]).any()


def test_the_fixed_blend_is_reciprocal_rank_fusion_times_the_root_of_demand(recall: AccountRecall) -> None:
    found = recall.find(recall.profile(7))
    blend = fixed_blend(found, recall.indexes.stats)
    searches = np.asarray(recall.indexes.stats.searches[found.keyword_id], np.float64)
    most = sum(WEIGHTS.get(name, 1.0) for name in ORIGINS) / (RANK_OFFSET + 1)
    for place in range(0, len(blend), 17):
        total = 0.0
        for name in ORIGINS:
            score = found.scores[name]
            if score[place] > 0:
                better = (score > score[place]) | ((score == score[place]) & (np.arange(len(score)) < place))
                total += WEIGHTS.get(name, 1.0) / (RANK_OFFSET + 1 + better.sum())
        demand = np.sqrt(np.log1p(searches[place]) / np.log1p(searches.max()))
        assert blend[place] == pytest.approx(total / most * demand)


def test_the_part_comes_back_as_it_was_written(tmp_path: Path) -> None:
    AccountRows(
        ids=["a", "b", "c"],
        industry_ids=["i", "j"],
        industry=np.array([0, -1, 1]),
        industries=Rows.grouped(np.array([0, 2, 2]), np.array([0, 1, 0]), 3),
        sites=["", "https://b.example/", ""],
        site_terms=Rows(np.array([0, 0, 2, 2]), np.array([3, 9])),
        site_weights=np.array([1.0, 0.5]),
        bought=np.array([4, 8]),
        owned=Rows(np.array([0, 1, 1, 3]), np.array([1, 0, 1])),
        first_day=np.array([1, 2, 3]),
        last_day=np.array([4, 5, 6]),
        factors=np.ones((2, 1)),
        rising=np.array([[4, 9, 2, 10, 12]]),
        rising_score=np.array([2.0]),
    ).write(tmp_path)
    read = Accounts(ArrayFolder(tmp_path))
    assert list(read.ids) == ["a", "b", "c"]
    assert [read.owned_keywords(place).tolist() for place in range(3)] == [[8], [], [4, 8]]
    _, members = read.members.of(np.array([0]))
    assert read.members.values[members].tolist() == [0, 2]
    _, buyers = read.buyers.of(np.array([1]))
    assert read.buyers.values[buyers].tolist() == [0, 2]
    assert [part.tolist() for part in read.site_of(1)] == [[3, 9], [1.0, 0.5]]
    assert read.sites[1] == "https://b.example/"


def test_a_snapshot_without_accounts_has_no_part(tiny_store: Path) -> None:
    assert Indexes.open(tiny_store).accounts is None
