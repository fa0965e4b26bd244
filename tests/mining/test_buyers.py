"""Who buys what: pairs, factors, walks and recall tables against plain Python, numpy and networkx."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from math import sqrt
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from mining import buyer_factors
from mining.buyer_factors import factorise, keywords_of_accounts, nearest_keywords
from mining.buyer_walks import nearest_keywords as nearest_by_walks
from mining.buyer_walks import transitions, walk
from mining.recall_tables import fuse_account_lists, industries_above
from mining.settings import MiningSettings

START = datetime(2025, 3, 1, tzinfo=UTC)
KEYWORDS = ["a", "b", "c", "d", "e"]
SEARCHES = [{"ts": START, "user_id": "u", "query": keyword} for keyword in KEYWORDS]
SHOWN = np.array([0, 1, 3, 4])
BOUGHT = st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=6)


def bid(advertiser: str, keyword: str, day: int = 0, status: str = "enabled") -> dict[str, Any]:
    return {
        "advertiser_id": advertiser, "campaign": "c", "ad_group": "g", "keyword": keyword, "match_type": "exact",
        "bid_micros": 1, "status": status, "created_ts": START + timedelta(days=day),
    }  # fmt: skip


def ad(advertiser: str, keyword: str, day: int = 0) -> dict[str, Any]:
    return {
        "ts": START + timedelta(days=day), "search_id": None, "user_id": "u", "query": "a", "event": "impression",
        "advertiser_id": advertiser, "keyword": keyword, "match_type": "broad", "position": 1,
    }  # fmt: skip


def matrix(rows: list[list[bool]]) -> csr_array:
    return csr_array(np.array(rows, np.float64))


def check_that_copurchase_and_industries_equal_a_naive_count(
    mined: Callable[..., Any], purchases: list[Any], most: int, least: int
) -> None:
    industry = {"x": "shoes", "y": "shoes", "z": "goods", "v": "other", "w": None}
    tables = {
        "searches": SEARCHES,
        "bids": [bid(*row) for row in purchases if row[3] != "shown"],
        "ad_events": [ad(*row[:3]) for row in purchases if row[3] == "shown"],
        "advertisers": [{"advertiser_id": own, "name": own, "industry_id": to} for own, to in industry.items()],
        "industries": [{"industry_id": "goods"}, {"industry_id": "shoes", "parent_id": "goods"}],
    }
    result = mined(tables, min_advertisers=least, account_max_keywords=most, copurchase_shrinkage=2)

    days: dict[tuple[str, str], list[date]] = {}
    for advertiser, keyword, day, status in purchases:
        if status != "removed" and keyword != "unsearched":
            days.setdefault((advertiser, keyword.lower()), []).append((START + timedelta(days=day)).date())
    baskets = {own: {keyword for buyer, keyword in days if buyer == own} for own in industry}
    everything = [own for own, keywords in baskets.items() if len(keywords) > most]
    assert result.report["set_aside"]["accounts_of_everything"] == len(everything)
    baskets = {own: keywords for own, keywords in baskets.items() if own not in everything}
    buyers = {keyword: {own for own, keywords in baskets.items() if keyword in keywords} for keyword in KEYWORDS}

    expected = {}
    for one, other in combinations(KEYWORDS, 2):
        common = buyers[one] & buyers[other]
        if len(common) >= least:
            dates = [day for own in common for keyword in (one, other) for day in days[own, keyword]]
            cosine = len(common) / sqrt(len(buyers[one]) * len(buyers[other]))
            expected[one, other] = expected[other, one] = {
                "weight": pytest.approx(cosine * len(common) / (len(common) + 2)),
                "advertisers": len(common),
                "first_date": min(dates),
                "last_date": max(dates),
            }
    found = result.by("copurchase", "keyword", "neighbor")
    assert {pair: {name: row[name] for name in expected[pair]} for pair, row in found.items()} == expected

    members = {"shoes": {"x", "y"}, "goods": {"x", "y", "z"}, "other": {"v"}}
    wanted = {}
    for name, own in members.items():
        active = {account for account in own if baskets.get(account)}
        for keyword in KEYWORDS:
            common = buyers[keyword] & active
            if len(common) >= least:
                score = len(common) / sqrt(len(active) * len(buyers[keyword])) * len(common) / (len(common) + 2)
                wanted[name, keyword] = (pytest.approx(score), len(common), len(active), len(buyers[keyword]))
    rows = result.by("industry_keywords", "industry_id", "keyword")
    names = ("score", "advertisers", "industry_advertisers", "buyers")
    assert {key: tuple(row[name] for name in names) for key, row in rows.items()} == wanted

    for (account, keyword), row in result.by("account_keywords", "advertiser_id", "keyword").items():
        assert row["owned"] == (keyword in baskets[account])
        assert row["advertisers"] == len(buyers[keyword])
        assert len(buyers[keyword]) >= least
        similar = {own for own in buyers[keyword] - {account} if baskets[own] & baskets[account]}
        assert row["similar_advertisers"] == len(similar)
    for pair_table in ("buyer_factors", "buyer_walks"):
        for (one, other), row in result.by(pair_table, "keyword", "neighbor").items():
            assert row["advertisers"] == len(buyers[one] & buyers[other])
            assert min(len(buyers[one]), len(buyers[other])) >= least
            dates = [day for own in baskets for word in (one, other) for day in days.get((own, word), ())]
            assert (row["first_date"], row["last_date"]) == (min(dates), max(dates))


def test_copurchase_and_industries_equal_a_naive_count(each_engine: Any) -> None:
    each_engine.check(
        check_that_copurchase_and_industries_equal_a_naive_count,
        *("copurchase", "industry_keywords", "account_keywords", "buyer_factors", "buyer_walks"),
        examples=4,
        purchases=st.lists(
            st.tuples(
                st.sampled_from(["x", "y", "z", "v", "w"]),
                st.sampled_from([*KEYWORDS, "A", "unsearched"]),
                st.integers(0, 40),
                st.sampled_from(["enabled", "paused", "removed", "shown"]),
            ),
            min_size=10,
            max_size=40,
        ),
        most=st.sampled_from([3, 100]),
        least=st.integers(1, 2),
    )


@settings(max_examples=60)
@given(rows=BOUGHT, factors=st.integers(1, 6), through_arpack=st.booleans())
def test_factors_give_the_best_approximation_of_their_rank(
    rows: list[list[bool]], factors: int, through_arpack: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if through_arpack:
            patch.setattr(buyer_factors, "DENSE_CELLS", 0)
        found = factorise(matrix(rows), factors)
    dense = np.array(rows, float) / np.sqrt(np.maximum(np.sum(rows, axis=1, keepdims=True), 1))
    values = np.linalg.svd(dense, compute_uv=False)
    if through_arpack:
        factors = min(factors, max(1, min(dense.shape) - 1))
    error = np.linalg.norm(dense - found.accounts @ found.keywords.T)
    assert error == pytest.approx(sqrt(sum(value**2 for value in values[factors:])), abs=1e-6)
    for factor in found.keywords.T:
        assert factor[np.abs(factor).argmax()] > 0


def test_arpack_and_the_whole_decomposition_name_the_same_neighbors(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    bought = csr_array((generator.random((40, 60)) < 0.2).astype(float))
    whole = factorise(bought, 8)
    monkeypatch.setattr(buyer_factors, "DENSE_CELLS", 0)
    arpack, again = factorise(bought, 8), factorise(bought, 8)
    assert np.array_equal(arpack.keywords, again.keywords)
    assert np.allclose(whole.keywords, arpack.keywords, atol=1e-6)
    for found, expected in zip(
        *(nearest_keywords(factors, np.arange(60), 0.3, 5) for factors in (arpack, whole)), strict=True
    ):
        assert np.allclose(found, expected, atol=2e-6)


@settings(max_examples=60)
@given(rows=BOUGHT, least=st.sampled_from([0.1, 0.8]), most=st.integers(1, 5), cells=st.sampled_from([1, 10**6]))
def test_neighbors_by_factors_are_the_greatest_cosines(
    rows: list[list[bool]], least: float, most: int, cells: int
) -> None:
    factors = factorise(matrix(rows), 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buyer_factors, "CELLS_A_BLOCK", cells)
        keyword, neighbor, cosine = (column.tolist() for column in nearest_keywords(factors, SHOWN, least, most))
    # With all factors cosines are those of the weighted columns themselves.
    dense = np.array(rows, float) / np.sqrt(np.maximum(np.sum(rows, axis=1, keepdims=True), 1))
    expected = []
    for one in SHOWN.tolist():
        scores = []
        for other in SHOWN.tolist():
            lengths = np.linalg.norm(dense[:, one]) * np.linalg.norm(dense[:, other])
            value = round(float(dense[:, one] @ dense[:, other] / lengths), 6) if lengths else 0.0
            if one != other and value >= least:
                scores.append((-value, other))
        expected += [(one, other, -value) for value, other in sorted(scores)[:most]]
    assert [(*pair, round(value, 5)) for *pair, value in zip(keyword, neighbor, cosine, strict=True)] == [
        (one, other, round(value, 5)) for one, other, value in expected
    ]


def test_a_keyword_that_the_factors_do_not_describe_is_near_to_nothing() -> None:
    # Five buyers of the first two keywords make the first factor; the others are in the factors that are cut off.
    bought = matrix([[True, True, False, False]] * 5 + [[False, False, True, True]])
    keyword, neighbor, _ = nearest_keywords(factorise(bought, 1), np.arange(4), 0.1, 5)
    assert list(zip(keyword.tolist(), neighbor.tolist(), strict=True)) == [(0, 1), (1, 0)]


def test_an_account_scores_its_best_keyword_1_and_none_by_nothing() -> None:
    factors = factorise(matrix([[True, True, False], [False, True, True], [False, False, False]]), 3)
    account, keyword, score = keywords_of_accounts(factors, np.arange(3), 2)
    assert account.tolist() == [0, 0, 1, 1]
    assert score[[0, 2]].tolist() == [1.0, 1.0]
    assert set(keyword[:2].tolist()) == {0, 1}


@settings(max_examples=40)
@given(rows=BOUGHT.filter(lambda rows: any(map(any, rows))), damping=st.sampled_from([0.3, 0.7, 0.85]))
def test_walks_equal_personalised_pagerank(rows: list[list[bool]], damping: float) -> None:
    graph = nx.Graph()
    for account, row in enumerate(rows):
        graph.add_edges_from((account, len(rows) + keyword) for keyword, bought in enumerate(row) if bought)
    starts = sorted(graph)
    spent = walk(transitions(matrix(rows)), np.array(starts), damping, 1e-12).toarray()
    for place, start in enumerate(starts):
        expected = nx.pagerank(graph, alpha=damping, personalization={start: 1}, tol=1e-12, max_iter=2000)
        assert {node: spent[place, node] for node in graph} == pytest.approx(expected, abs=1e-8)


def test_walks_name_the_nearest_keywords_but_not_where_they_start() -> None:
    bought = matrix([[True, True, False, False], [False, True, True, False], [False, False, False, True]])
    setting = MiningSettings(walk_precision=1e-6)
    start, keyword, value = nearest_by_walks(bought, np.arange(3, 7), np.arange(4), 0.0, 2, setting)
    assert list(zip(start.tolist(), keyword.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 1), (2, 0)]
    assert value[2] == value[3]
    _, keyword, _ = nearest_by_walks(bought, np.arange(3, 7), np.array([2, 3]), 0.0, 1, setting)
    assert keyword.tolist() == [2, 2]
    start, keyword, _ = nearest_by_walks(bought, np.arange(3, 7), np.arange(4), 0.01, 2, setting)
    assert list(zip(start.tolist(), keyword.tolist(), strict=True)) == [(0, 1), (1, 0), (1, 2), (2, 1)]


def test_a_walk_that_is_cut_off_earlier_keeps_the_nearest_and_loses_at_most_what_was_dropped() -> None:
    generator = np.random.default_rng(2)
    bought = csr_array((generator.random((30, 50)) < 0.15).astype(float))
    steps = transitions(bought)
    exact, cut = (walk(steps, np.arange(80), 0.7, precision).toarray() for precision in (0, 1e-3))
    assert np.all(cut <= exact + 1e-12)
    assert np.abs(exact - cut).max() < 0.02


def test_lists_are_fused_by_their_ranks() -> None:
    walks = (np.array([0, 0, 1]), np.array([2, 1, 0]), np.array([0.5, 0.2, 0.1]))
    factors = (np.array([0, 0]), np.array([1, 3]), np.array([1.0, 0.4]))
    rows = fuse_account_lists(walks, factors, 4, 2).to_pylist()
    assert rows == [
        {"account": 0, "keyword": 1, "score": pytest.approx(1 / 62 + 1 / 61), "walk": 0.2, "factor": 1.0},
        {"account": 0, "keyword": 2, "score": pytest.approx(1 / 61), "walk": 0.5, "factor": None},
        {"account": 1, "keyword": 0, "score": pytest.approx(1 / 61), "walk": 0.1, "factor": None},
    ]


def test_industries_lie_under_all_above_them_and_circles_end() -> None:
    pairs = industries_above({"top": None, "mid": "top", "low": "mid", "lost": "nowhere", "p": "q", "q": "p"})
    assert set(pairs) == {
        ("top", "top"), ("mid", "mid"), ("mid", "top"), ("low", "low"), ("low", "mid"), ("low", "top"),
        ("lost", "lost"), ("lost", "nowhere"), ("p", "p"), ("p", "q"), ("q", "q"), ("q", "p"),
    }  # fmt: skip


def test_an_advertiser_of_everything_relates_nothing(mined: Callable[..., Any]) -> None:
    bids = [bid(buyer, keyword) for buyer in ("x", "y") for keyword in "ab"]
    bids += [bid(buyer, keyword) for buyer in ("all one", "all two") for keyword in KEYWORDS]
    found = mined({"searches": SEARCHES, "bids": bids}, account_max_keywords=4)
    assert found.by("copurchase", "keyword", "neighbor").keys() == {("a", "b"), ("b", "a")}
    assert {row["advertiser_id"] for row in found.tables["account_keywords"]} == {"x", "y"}
    assert found.report["set_aside"]["accounts_of_everything"] == 2


def test_one_purchase_and_none_are_no_error(mined: Callable[..., Any]) -> None:
    for bids in ([bid("x", "a")], [bid("x", "a", status="removed"), bid("x", "unsearched")]):
        result = mined({"searches": SEARCHES, "bids": bids})
        assert result.tables["copurchase"] == result.tables["buyer_walks"] == result.tables["buyer_factors"] == []
        assert result.tables["account_keywords"] == result.tables["industry_keywords"] == []


def test_what_only_one_advertiser_buys_is_named_to_nobody(mined: Callable[..., Any]) -> None:
    bids = [bid("x", keyword) for keyword in "abc"] + [bid("y", keyword) for keyword in "abd"]
    result = mined({"searches": SEARCHES, "bids": bids})
    assert {(row["advertiser_id"], row["keyword"]) for row in result.tables["account_keywords"]} == {
        (buyer, keyword) for buyer in "xy" for keyword in "ab"
    }
    for name in ("copurchase", "buyer_factors", "buyer_walks"):
        assert result.by(name, "keyword", "neighbor").keys() == {("a", "b"), ("b", "a")}
