"""Seed queries as they are offered."""

from pathlib import Path

import pytest

from kr.pipelines.seed_queries import SeedReply, SeedRequest
from kr.service import KeywordService
from kr.settings import Settings


@pytest.fixture(scope="module")
def service(small_store: Path) -> KeywordService:
    return KeywordService.open(Settings(store=small_store))


def texts(reply: SeedReply) -> list[str]:
    return [row["text"] for row in reply.rows]


def test_the_narrowest_context_of_which_something_is_known_answers(service: KeywordService) -> None:
    everyone = service.seeds(SeedRequest())
    industry = service.seeds(SeedRequest(industry="flowers"))
    account = service.seeds(SeedRequest(account="a000000", industry="flowers"))
    assert (everyone.kind, industry.kind, account.kind) == ("everyone", "industry", "account")
    assert len({tuple(texts(reply)) for reply in (everyone, industry, account)}) == 3
    assert not everyone.notices and not industry.notices
    assert service.seeds(SeedRequest(account="nobody", industry="flowers")).rows == industry.rows


def test_a_new_industry_gets_everyones_seeds_and_is_told_so(service: KeywordService) -> None:
    reply = service.seeds(SeedRequest(industry="submarines"))
    assert reply.kind == "everyone" and texts(reply) == texts(service.seeds(SeedRequest()))
    assert [note.code.value for note in reply.notices] == ["seeds_of_everyone"]
    assert "submarines" in reply.notices[0].text_zh


def test_every_seed_says_why_and_where_it_leads(service: KeywordService) -> None:
    for request in (SeedRequest(), SeedRequest(industry="flowers"), SeedRequest(account="a000000")):
        for row in service.seeds(request).rows:
            why, where = row["reasons"]
            assert why["evidence"]["first_date"] <= why["evidence"]["last_date"] and "{" not in why["text_en"]
            assert where["evidence"]["results"] == row["results"] >= 5


def test_seeds_are_different_from_each_other_and_few_enough(service: KeywordService) -> None:
    reply = service.seeds(SeedRequest(industry="flowers", limit=5))
    assert len(set(texts(reply))) == len(reply.rows) == 5
    assert texts(service.seeds(SeedRequest(industry="flowers", limit=3))) == texts(reply)[:3]


def test_t_weighs_quality_against_results(service: KeywordService) -> None:
    by_results = service.seeds(SeedRequest(industry="flowers", t=0.0)).rows[0]
    by_quality = service.seeds(SeedRequest(industry="flowers", t=1.0)).rows[0]
    assert by_results["results"] >= by_quality["results"]
    assert by_quality["quality"] >= by_results["quality"]


def test_a_word_that_became_unsafe_since_the_build_is_not_offered(small_store: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("format: 1\nname: own\nlanguage: zh\n[house severity=3]\n鲜花\n", encoding="utf-8")
    plain = KeywordService.open(Settings(store=small_store)).seeds(SeedRequest(industry="flowers"))
    assert any("鲜花" in text for text in texts(plain))
    service = KeywordService.open(Settings(store=small_store, lexicons=(own,)))
    reply = service.seeds(SeedRequest(industry="flowers"))
    assert reply.rows and not any("鲜花" in text for text in texts(reply))


def test_what_few_people_search_is_not_offered(small_store: Path) -> None:
    service = KeywordService.open(Settings(store=small_store, related_min_users=30))
    ids = [service.indexes.keywords.find(text) for text in texts(service.seeds(SeedRequest(industry="flowers")))]
    assert all(service.indexes.stats.users[keyword_id] >= 30 for keyword_id in ids)
