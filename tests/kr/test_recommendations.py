"""Recommendations without a query, as served: what must never be shown, and what must."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexes.account_recall import ORIGINS
from indexes.errors import NotFoundError
from kr.pipelines.recommendations import RecommendationReply, RecommendationRequest, with_feedback
from kr.reasons import REASON_TEXTS
from kr.service import KeywordService
from kr.settings import Settings

PROJECT = Path(__file__).parents[2]
SOME = [f"a{number:06}" for number in range(0, 400, 37)]


@pytest.fixture(scope="module")
def service(small_store: Path) -> KeywordService:
    return KeywordService.open(Settings(store=small_store))


def ask(service: KeywordService, account: str | None = None, limit: int = 50, **more: object) -> RecommendationReply:
    return service.recommendations(RecommendationRequest((), limit=limit, account=account, **more))  # type: ignore[arg-type]


def texts(reply: RecommendationReply) -> list[str]:
    return [row["text"] for row in reply.rows]


def groups(service: KeywordService, keywords: list[str]) -> set[int]:
    found = [service.indexes.keywords.find(keyword) for keyword in keywords]
    return set(service.indexes.stats.canonical[[place for place in found if place >= 0]].tolist())


def owned(service: KeywordService, account: str) -> list[str]:
    accounts = service.indexes.accounts
    assert accounts is not None
    return service.indexes.keywords.take(accounts.owned_keywords(accounts.ids.find(account)))


@pytest.mark.parametrize("account", SOME)
def test_nothing_owned_nothing_unsafe_no_variant_twice_and_every_row_says_why(
    service: KeywordService, account: str
) -> None:
    reply = ask(service, account)
    shown = texts(reply)
    assert not groups(service, shown) & groups(service, owned(service, account))
    assert len(groups(service, shown)) == len(shown)
    ids = np.array([service.indexes.keywords.find(text) for text in shown], np.int64)
    assert not service.indexes.unsafe_severity[ids].any()
    for row in reply.rows:
        assert row["reasons"]
        assert all("{" not in reason[f"text_{language}"] for reason in row["reasons"] for language in ("en", "zh"))
    assert reply == ask(service, account), "the same question has the same answer"


def test_what_was_dismissed_is_gone_with_its_variants_and_what_is_near_falls(service: KeywordService) -> None:
    compared = 0
    for account in SOME[:6]:
        plain = RecommendationRequest((), limit=50, account=account)
        before = texts(service.recommendations(plain))
        if len(before) < 10:
            continue
        first = before[0]
        after = service.recommendations(with_feedback(plain, set(), {first}, set()))
        assert not groups(service, texts(after)) & groups(service, [first])
        lowered = [
            row["text"]
            for row in after.rows
            if any(reason["code"] == "near_dismissed_keyword" and reason["seed"] == first for reason in row["reasons"])
        ]
        ranks = {text: place for place, text in enumerate(texts(after))}
        staying = [text for text in before if text in ranks and text not in lowered]
        for text in set(lowered) & set(before):
            above = [other for other in staying if before.index(other) < before.index(text)]
            assert all(ranks[other] < ranks[text] for other in above[:3])
            compared += 1
    assert compared


def test_what_was_liked_raises_what_is_near_and_the_reason_says_so(service: KeywordService) -> None:
    account = SOME[1]
    plain = RecommendationRequest((), limit=50, account=account)
    last = texts(service.recommendations(plain))[-1]
    after = service.recommendations(with_feedback(plain, {last}, set(), set()))
    codes = {reason["code"] for row in after.rows for reason in row["reasons"] if reason["seed"] == last}
    assert "near_liked_keyword" in codes
    assert "feedback" in after.known


def test_what_is_on_a_list_is_not_recommended_again(service: KeywordService) -> None:
    plain = RecommendationRequest((), limit=50, account=SOME[1])
    saved = texts(service.recommendations(plain))[:3]
    after = service.recommendations(with_feedback(plain, set(), set(), set(saved)))
    assert not set(saved) & set(texts(after))


def test_a_lexicon_of_the_operator_counts_at_once(service: KeywordService, small_store: Path, tmp_path: Path) -> None:
    account = SOME[1]
    word = texts(ask(service, account))[0]
    own = tmp_path / "own.txt"
    own.write_text(f"format: 1\nname: own\nlanguage: zh\n[house severity=3]\n{word}\n", encoding="utf-8")
    stricter = KeywordService.open(Settings(store=small_store, lexicons=(own,)))
    assert word not in texts(ask(stricter, account))


def test_a_newcomer_gets_industry_and_site_and_is_told_so(service: KeywordService) -> None:
    reply = ask(service, "newcomer", industry="flowers")
    assert [note.code.value for note in reply.notices] == ["account_unknown", "cold_start"]
    assert reply.known == ("industry",)
    assert {reason["code"] for row in reply.rows for reason in row["reasons"]} <= {
        "bought_in_industry", "searched_more_than_usual", "near_purchases"
    }  # fmt: skip
    accounts = service.indexes.accounts
    assert accounts is not None
    site = accounts.sites[accounts.ids.find(SOME[0])]
    page = service.read_page(site)
    reply = service.recommendations(RecommendationRequest((), limit=20), page)
    assert reply.known == ("site",)
    assert any(reason["code"] == "said_by_site" for row in reply.rows for reason in row["reasons"])
    assert "page_from_crawl" in [note.code.value for note in reply.notices]


def test_whoever_is_unknown_is_named_with_a_remedy(service: KeywordService) -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        ask(service, "nobody")
    with pytest.raises(NotFoundError, match="submarines"):
        ask(service, SOME[0], industry="submarines")


def test_a_snapshot_without_accounts_says_so(tiny_store: Path) -> None:
    reply = ask(KeywordService.open(Settings(store=tiny_store)), "a000001")
    assert not reply.rows
    assert [note.code.value for note in reply.notices] == ["no_accounts"]


def test_counts_that_would_tell_what_one_advertiser_buys_are_not_told(service: KeywordService) -> None:
    for account in SOME:
        for row in ask(service, account).rows:
            for reason in row["reasons"]:
                if reason["code"] in ("bought_by_similar_accounts", "bought_in_industry"):
                    assert reason["evidence"]["count"] >= 2


def test_the_explanation_accounts_for_every_candidate(service: KeywordService) -> None:
    reply = ask(service, SOME[1], limit=5, explain=True)
    assert reply.explain is not None
    assert [source["name"] for source in reply.explain["sources"]] == list(ORIGINS)
    for stage in reply.explain["stages"]:
        assert stage["rows_in"] - stage["rows_out"] == sum(stage["removed_by"].values())
    assert [row["text"] for row in reply.explain["rows"]] == texts(reply)
    json.dumps(reply.explain)


def test_a_longer_list_begins_with_the_shorter_one(service: KeywordService) -> None:
    request = RecommendationRequest((), limit=20, account=SOME[2])
    longer = texts(service.recommendations(request))
    assert texts(service.recommendations(replace(request, limit=5))) == longer[:5]


def test_every_reason_has_both_languages() -> None:
    assert all(english and chinese for english, chinese in REASON_TEXTS.values())


def run(*arguments: object, exit_code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT / "manage.py"), *map(str, arguments)]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, env=dict(os.environ))
    assert result.returncode == exit_code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def test_the_command_prints_the_envelope(small_store: Path) -> None:
    document = json.loads(run("recommend", SOME[1], "--store", small_store, "--limit", 3, "--json").stdout)
    assert set(document) == {"data", "meta"}
    assert len(document["data"]["recommendations"]) == 3
    assert document["data"]["blend"] == "fixed"
    assert run("recommend", "nobody", "--store", small_store, exit_code=3).stderr.startswith("error: ")
    assert "--industry" in run("recommend", "--store", small_store, exit_code=2).stderr
