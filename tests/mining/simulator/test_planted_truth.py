"""What was planted is what the truth says, and the grades are what their definition says."""

import datetime

import numpy as np
import pandas as pd
import pytest

from indexes.errors import CorruptError, NotFoundError
from indexes.text import fingerprint, normalise
from mining.simulator.truth import Truth, related_grades

HEADS = (
    "鲜花",
    "鲜花速递",
    "flowers",
    "flower delivery",
    "英语培训",
    "running shoes",
    "跑步鞋",
    "手机",
    "car insurance",
)


@pytest.fixture(scope="module")
def keywords(small) -> pd.DataFrame:
    return small.planted("keywords").to_pandas().set_index("keyword")


def naive_grade(left: pd.Series, right: pd.Series, relations: set[tuple[str, str]]) -> int:
    """The definition in the module's text, word by word."""
    if left.name == right.name:
        return 0
    same_language = left["language"] == right["language"]
    if left["product_id"] != right["product_id"]:
        return int(same_language and (left["product_id"], right["product_id"]) in relations)
    if not same_language:
        return 1
    differs = any(
        pd.notna(left[facet]) and pd.notna(right[facet]) and left[facet] != right[facet]
        for facet in ("place", "brand", "attribute")
    )
    return 3 if left["intent"] == right["intent"] and not differs else 2


def test_grades_are_what_the_definition_says_on_random_pairs(small, keywords: pd.DataFrame) -> None:
    relations = set(small.planted("product_relations").to_pandas().itertuples(index=False, name=None))
    rng = np.random.default_rng(3)
    left = rng.integers(0, len(keywords), 3000)
    # Pairs inside a product are rare among random ones: take half of them from near rows of the same product.
    by_product = keywords.reset_index().groupby("product_id").indices
    near = [rng.choice(by_product[keywords.iloc[row]["product_id"]]) for row in left[:1500]]
    right = np.concatenate((near, rng.integers(0, len(keywords), 1500)))
    expected = [naive_grade(keywords.iloc[a], keywords.iloc[b], relations) for a, b in zip(left, right, strict=True)]
    names = keywords.index.to_numpy()
    graded = related_grades(small.folder / "truth", names[left].tolist(), names[right].tolist())
    assert graded.tolist() == expected
    assert set(expected) == {0, 1, 2, 3}


def test_relevant_counts_are_what_counting_every_pair_gives(small) -> None:
    truth = small.truth
    asked = ["鲜花速递", "running shoes", "online casino", "no such keyword", truth.keywords[7]]
    for floor in (1, 3):
        allowed = np.flatnonzero((truth.searches >= floor) & ~truth.unsafe)
        for keyword, counts in zip(asked, truth.relevant_counts(asked, floor), strict=True):
            row = truth.row_of.get(keyword, -1)
            grades = truth.row_grades(np.full(len(allowed), row), allowed)
            assert counts.tolist() == [(grades == grade).sum() for grade in (3, 2, 1)]


def test_head_terms_are_searched_and_have_sixty_related_queries_at_least(small) -> None:
    counts = small.truth.relevant_counts(HEADS)
    for keyword, (same_need, same_product, _) in zip(HEADS, counts, strict=True):
        assert small.truth.searches[small.truth.row_of[keyword]] >= 10, keyword
        assert same_need + same_product >= 60, keyword


def test_unknown_keywords_and_a_keyword_with_itself_are_unrelated(small) -> None:
    assert small.truth.grades(["鲜花", "鲜花", "?"], ["鲜花", "?", "?"]).tolist() == [0, 0, 0]


def test_sessions_stay_with_a_need_and_mix_in_some_noise(small) -> None:
    log = small.raw("searches").to_pandas()
    log["session"] = small.planted("searches-*")["session"].to_numpy()
    people = log[log["session"] >= 0].sort_values(["session", "ts"])
    row = small.truth.rows([normalise(query) for query in people["query"]])
    together = (np.diff(people["session"].to_numpy()) == 0) & (row[1:] != row[:-1])
    grades = small.truth.row_grades(row[:-1][together], row[1:][together])
    assert (grades >= 2).mean() > 0.7
    assert 0.02 < (grades == 0).mean() < 0.2
    rng = np.random.default_rng(1)
    chance = small.truth.row_grades(rng.permutation(row), row)
    assert (chance >= 2).mean() < 0.05


def test_a_session_is_one_users_and_never_silent_for_half_an_hour(small) -> None:
    log = small.raw("searches").to_pandas()
    log["session"] = small.planted("searches-*")["session"].to_numpy()
    people = log[log["session"] >= 0]
    assert (people.groupby("session")["user_id"].nunique() == 1).all()
    gaps = people.sort_values(["session", "ts"]).groupby("session")["ts"].diff().dropna()
    assert gaps.max() < datetime.timedelta(minutes=30)
    assert people.groupby("session").size().between(1, 12).all()


def test_every_query_of_the_log_is_in_the_truth_with_its_keyword_and_count(small, keywords: pd.DataFrame) -> None:
    queries = small.planted("queries").to_pandas().set_index("query")
    logged = small.raw("searches")["query"].value_counts().to_pandas()
    counted = {row["values"]: row["counts"] for row in logged}
    assert (queries["searches"] + queries["script_searches"]).to_dict() == counted
    assert all(normalise(query) == keyword for query, keyword in queries["keyword"].items())
    assert queries.groupby("keyword")["searches"].sum().to_dict() == keywords["searches"].to_dict()


def test_variants_stand_for_a_keyword_and_misspellings_differ_from_it(keywords: pd.DataFrame) -> None:
    variants = keywords[keywords["kind"] != "canonical"]
    assert 0.01 < variants["searches"].sum() / keywords["searches"].sum() < 0.1
    assert variants["variant_of"].notna().all()
    assert (variants["variant_of"] != variants.index).all()
    assert keywords[keywords["kind"] == "canonical"]["variant_of"].isna().all()
    assert set(variants["kind"]) == {"traditional", "spacing", "order", "plural", "misspelling", "pinyin"}
    for kind in ("traditional", "order", "plural"):
        some = variants[variants["kind"] == kind]
        alike = [fingerprint(keyword) == fingerprint(base) for keyword, base in some["variant_of"].items()]
        assert np.mean(alike) > 0.8, kind


def test_spellings_of_one_keyword_are_planted(small) -> None:
    queries = small.planted("queries").to_pandas()
    spellings = queries[queries["kind"] == "spelling"]
    assert len(spellings) > 50
    assert (spellings["query"] != spellings["keyword"]).all()
    assert set(spellings["keyword"]) <= set(queries["keyword"])


def test_robots_search_by_the_clock_and_never_click(small) -> None:
    robots = small.planted("robots")["user_id"].to_pylist()
    searches = small.raw("searches").to_pandas()
    own = searches[searches["user_id"].isin(robots)]
    assert set(own["user_id"]) == set(robots)
    assert 0.01 < len(own) / len(searches) < 0.05
    assert own.groupby("user_id").size().min() > 100
    assert not set(small.raw("clicks")["user_id"].to_pylist()) & set(robots)
    for _, times in own.groupby("user_id")["ts"]:
        gaps = times.sort_values().diff().dt.total_seconds().dropna()
        regular = gaps[(gaps - gaps.median()).abs() < 1.5]
        assert len(regular) / len(gaps) > 0.95


def test_fraud_is_in_the_log_row_by_row_and_comes_from_few_addresses(small) -> None:
    fraud, events = small.planted("fraud").to_pandas(), small.raw("ad_events").to_pandas()
    key = ["ts", "search_id", "user_id", "query", "advertiser_id", "keyword", "position", "event"]
    found = fraud.merge(events, on=key)
    assert len(found) == len(fraud) > 50
    assert set(fraud["event"]) == {"click"}
    assert set(fraud["reason"]) == {"competitor", "click_farm", "click_bot"}
    rings = small.planted("fraud_rings").to_pandas().set_index("ring")
    for ring, clicks in found.groupby("ring"):
        assert set(clicks["advertiser_id"]) == {rings.loc[ring, "advertiser_id"]}
        assert set(clicks["user_id"]) <= set(rings.loc[ring, "user_ids"])
        assert clicks["ip"].nunique() <= 4


def test_planted_keyword_bursts_stand_out_of_the_log(small) -> None:
    bursts = small.planted("bursts").to_pandas()
    assert set(bursts["kind"]) == {"product", "keyword"}
    searches = small.raw("searches").to_pandas()
    day = searches["ts"].dt.date
    for burst in bursts[bursts["kind"] == "keyword"].itertuples():
        days = day[searches["query"] == burst.keyword]
        inside = days.between(burst.first_date, burst.last_date)
        length = (burst.last_date - burst.first_date).days + 1
        outside_a_day = (~inside).sum() / (427 - length)
        assert inside.sum() / length > 2 * outside_a_day, burst.keyword


def test_unsafe_traffic_is_little_marked_and_never_advertised(small, keywords: pd.DataFrame) -> None:
    unsafe = small.planted("unsafe").to_pandas()
    assert set(unsafe["category"]) == {"gambling", "porn", "drugs", "weapons"}
    assert set(unsafe["keyword"]) == set(keywords[keywords["unsafe"]].index)
    assert 0.001 < keywords[keywords["unsafe"]]["searches"].sum() / keywords["searches"].sum() < 0.02
    shown = {normalise(query) for query in small.raw("ad_events")["query"].unique().to_pylist()}
    assert not shown & set(unsafe["keyword"])


def test_related_pairs_are_an_excerpt_with_the_grades_of_the_truth(small) -> None:
    pairs = small.planted("related_pairs").to_pandas()
    grades = small.truth.grades(pairs["keyword"].tolist(), pairs["neighbor"].tolist())
    assert (grades == pairs["grade"]).all()
    assert set(pairs["grade"]) == {1, 2, 3}
    assert len(pairs) > 10_000


def test_a_folder_without_truth_and_truth_of_another_format_are_refused(tmp_path) -> None:
    with pytest.raises(NotFoundError, match=r"truth\.json"):
        Truth.load(tmp_path)
    (tmp_path / "truth.json").write_text('{"format_version": 99}', encoding="utf-8")
    with pytest.raises(CorruptError, match="99"):
        Truth.load(tmp_path)
