"""The industry browser, and keyword search that starts from industries."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from kr.industries import RISING_KEYWORDS
from kr.industry_seeds import MOST_INDUSTRY_SEEDS, UnknownIndustryError
from kr.service import KeywordService
from kr.settings import Settings
from kr.types import Request
from mining.build import build
from mining.industries import forest


@pytest.fixture(scope="module")
def service(small_store: Path) -> KeywordService:
    return KeywordService.open(Settings(store=small_store))


@pytest.fixture(scope="module")
def bought(small_market: Path) -> dict[str, dict[str, dict[str, object]]]:
    """The mined rows of each industry by keyword."""
    found: dict[str, dict[str, dict[str, object]]] = {}
    for row in pq.read_table(small_market / "mined" / "industry_keywords.parquet").to_pylist():
        found.setdefault(row["industry_id"], {})[row["keyword"]] = row
    return found


def test_the_tree_is_walked_from_the_roots_to_every_industry(service: KeywordService, small_market: Path) -> None:
    browser = service.opened().industries
    seen, left = {}, [row["id"] for row in browser.roots().children]
    while left:
        view = browser.view(left.pop(), 0)
        assert view.industry
        seen[view.industry["id"]] = view.path[-1]["id"] if view.path else None
        assert view.industry["children"] == len(view.children)
        left += [row["id"] for row in view.children]
    table = pq.read_table(small_market / "logs" / "industries").to_pylist()
    assert seen == {row["industry_id"]: row["parent_id"] for row in table}


def test_top_keywords_are_the_recall_tables_with_its_counts(
    service: KeywordService, bought: dict[str, dict[str, dict[str, object]]]
) -> None:
    indexes = service.indexes
    for industry in ("flowers", "section_home"):
        rows = service.opened().industries.view(industry, 500).keywords
        assert len(rows) > 10
        scores = [bought[industry][row["text"]]["score"] for row in rows]
        assert scores == sorted(scores, reverse=True)  # type: ignore[type-var]
        for row in rows:
            mined, (why,) = bought[industry][row["text"]], row["reasons"]
            assert (why["evidence"]["advertisers"], why["evidence"]["of"]) == (
                mined["advertisers"],
                mined["industry_advertisers"],
            )
            assert why["evidence"]["industry"] == industry and row["monthly_search_volumes"]
        heads = [int(indexes.stats.canonical[indexes.keywords.find(row["text"])]) for row in rows]
        assert len(set(heads)) == len(heads), "one of close variants"


def test_a_count_of_keywords_says_where_mining_ended_it(
    service: KeywordService, small_market: Path, bought: dict[str, dict[str, dict[str, object]]]
) -> None:
    report = json.loads((small_market / "mined" / "mining_report.json").read_text())
    most, tree = report["settings"]["recall_keywords"], service.indexes.industries
    assert tree is not None
    for number in range(len(tree)):
        industry = tree[number]
        mined = len(bought.get(industry.id, {}))
        assert industry.more_keywords == (mined == most) and industry.keywords <= mined
    assert {tree[number].more_keywords for number in range(len(tree))} == {True, False}


def test_what_is_rising_rose_by_more_than_chance_or_has_a_burst(service: KeywordService) -> None:
    browser, indexes = service.opened().industries, service.indexes
    whole = np.flatnonzero(indexes.complete_months)
    rising = [row for each in browser.roots().children for row in browser.view(each["id"]).rising]
    assert rising
    for row in rising:
        codes = {why["code"] for why in row["reasons"]}
        assert codes & {"searched_more_and_more", "searched_more_than_usual"}
        if "searched_more_than_usual" not in codes:
            months = indexes.stats.monthly_searches[indexes.keywords.find(row["text"])]
            latest, before = int(months[whole[-3:]].sum()), int(months[whole[-6:-3]].sum())
            assert latest - before >= 2 * (latest + before) ** 0.5 - 1e-6
            assert row["change_3m"] == pytest.approx(latest / before - 1, abs=1e-3)
    assert all(len(browser.view(each["id"]).rising) <= RISING_KEYWORDS for each in browser.roots().children)


def test_industries_are_found_by_name_in_either_language_and_by_id(service: KeywordService) -> None:
    browser = service.opened().industries
    for text in ("Flowers", "ＦＬＯＷＥＲＳ", "鲜花", "flowers"):
        (found,) = browser.find(text)
        assert found["id"] == "flowers" and [row["id"] for row in found["path"]] == ["section_shopping"]
    assert browser.find("submarine") == browser.find(" ") == ()


def test_a_search_from_an_industry_answers_all_that_it_buys_with_the_reason(
    service: KeywordService, bought: dict[str, dict[str, dict[str, object]]]
) -> None:
    reply = service.keyword_ideas(Request((), industry_seed=("flowers",), limit=5000))
    indexes = service.indexes
    assert reply.industries[0]["id"] == "flowers" and 1 <= len(reply.seeds) <= MOST_INDUSTRY_SEEDS
    shown = {int(indexes.stats.canonical[indexes.keywords.find(row["text"])]): row for row in reply.rows}
    for keyword, mined in bought["flowers"].items():
        head = int(indexes.stats.canonical[indexes.keywords.find(keyword)])
        assert head in shown, keyword
        if shown[head]["text"] == keyword:
            evidence = [why["evidence"] for why in shown[head]["reasons"] if why["source"] == "industry"]
            assert evidence[0]["advertisers"] == mined["advertisers"]
    assert all(row["reasons"] and row["reasons"][0]["code"] != "exact_match" for row in reply.rows)
    assert len(shown) > len(bought["flowers"]) / 2


def test_an_industry_adds_to_what_was_typed(service: KeywordService) -> None:
    typed = service.keyword_ideas(Request(("跑步鞋",), limit=2000))
    both = service.keyword_ideas(Request(("跑步鞋",), industry_seed=("flowers",), limit=5000))
    assert {row["text"] for row in typed.rows} <= {row["text"] for row in both.rows}
    assert both.seeds[0] == "跑步鞋" and both.total > typed.total
    again = service.keyword_ideas(Request(("跑步鞋",), industry_seed=("flowers",), limit=5000))
    assert again == both


def test_what_the_snapshot_does_not_know_is_said(service: KeywordService, tiny_store: Path) -> None:
    with pytest.raises(UnknownIndustryError, match="submarines"):
        service.keyword_ideas(Request((), industry_seed=("submarines",)))
    with pytest.raises(UnknownIndustryError):
        service.opened().industries.view("submarines")
    older = KeywordService.open(Settings(store=tiny_store))
    assert older.indexes.industries is None and older.opened().industries.roots().children == ()
    with pytest.raises(UnknownIndustryError):
        older.keyword_ideas(Request(("鲜花",), industry_seed=("flowers",)))


def test_an_industry_whose_advertisers_share_no_keyword_answers_with_a_notice(
    tiny_mined_writer: Callable[[Path], Path], tmp_path: Path
) -> None:
    mined = tiny_mined_writer(tmp_path / "mined")
    tree = forest({"boats": (None, "Boats", None), "ferries": ("boats", None, "渡轮")}, {"ferries": 1})
    pq.write_table(tree, mined / "industries.parquet")
    build(mined, tmp_path / "store")
    service = KeywordService.open(Settings(store=tmp_path / "store"))
    reply = service.keyword_ideas(Request((), industry_seed=("ferries",)))
    assert not reply.rows and [note.code.value for note in reply.notices] == ["industry_without_keywords"]
    view = service.opened().industries.view("ferries")
    assert view.path[0]["id"] == "boats" and not view.keywords and not view.rising
    assert service.keyword_ideas(Request(("鲜花",), industry_seed=("ferries",))).rows


def test_pages_to_start_from_are_told_with_their_evidence(service: KeywordService) -> None:
    from kr.pipelines.seed_queries import SeedRequest

    for request in (SeedRequest(kind="urls"), SeedRequest(industry="flowers", kind="urls", t=0.0, limit=4)):
        reply = service.seeds(request)
        assert 0 < len(reply.rows) <= request.limit and not reply.notices
        for row in reply.rows:
            (why,) = row["reasons"]
            assert why["evidence"]["words"] == row["lead_keywords"] and row["lead_keywords"][0] in why["text_zh"]
            assert why["evidence"]["keywords"] == row["keywords"] and row["url"].startswith("https://")
    utility = [row["utility"] for row in reply.rows]
    assert utility == sorted(utility, reverse=True)
    unknown = service.seeds(SeedRequest(industry="submarines", kind="urls"))
    assert unknown.kind == "everyone" and unknown.notices[0].code.value == "pages_of_everyone"


def test_a_snapshot_without_pages_says_so(tiny_store: Path) -> None:
    from kr.pipelines.seed_queries import SeedRequest

    reply = KeywordService.open(Settings(store=tiny_store)).seeds(SeedRequest(kind="urls"))
    assert not reply.rows and reply.notices[0].code.value == "no_seed_urls"
