"""A real log, from its lines to explained recommendations whose evidence recomputes from those lines."""

from collections import defaultdict
from itertools import groupby
from pathlib import Path

import pytest

from indexes.text import normalise
from kr.service import KeywordService
from kr.settings import Settings
from kr.types import Request
from mining.build import build
from mining.ingest import ingest
from mining.mine import mine
from mining.settings import mining_settings

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def sample(shared_data: Path) -> Path:
    return shared_data / "logs" / "sogouq" / "SogouQ.sample"


@pytest.fixture(scope="module")
def service(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> KeywordService:
    folder = tmp_path_factory.mktemp("sogou")
    report = ingest("sogouq", sample, folder / "logs").as_dict()
    assert report["read"] == 10_000 == report["kept"] + report["rejected"]
    mine(folder / "logs", folder / "mined", mining_settings(["min_users=1"]))
    build(folder / "mined", folder / "store")
    return KeywordService.open(Settings(store=folder / "store"))


def keywords_by_user(sample: Path) -> dict[str, list[str]]:
    """Each user's keywords in order, repeats merged: the ten minutes of the sample are one session a user."""
    lines = sample.read_bytes().decode("gb18030").splitlines()
    rows = [line.split("\t") for line in lines]
    typed = defaultdict(list)
    for _, user, query, _, _ in rows:
        typed[user].append(normalise(query[1:-1]))
    return {user: [keyword for keyword, _ in groupby(keywords) if keyword] for user, keywords in typed.items()}


def test_related_queries_of_a_real_topic_are_found_with_evidence_of_the_log(
    service: KeywordService, sample: Path
) -> None:
    users = keywords_by_user(sample)
    reply = service.keyword_ideas(Request(seeds=("汶川地震",), limit=100))
    assert reply.total >= 30
    checked = 0
    for row in reply.rows:
        assert row["reasons"], row["text"]
        assert row["own_searches"] == sum(keywords.count(row["text"]) for keywords in users.values()), row["text"]
        for reason in row["reasons"]:
            if reason["source"] != "cooccurrence":
                continue
            together = sum({row["text"], reason["seed"]} <= set(keywords) for keywords in users.values())
            assert (reason["evidence"]["sessions"], reason["evidence"]["users"]) == (together, together)
            checked += 1
    assert checked >= 5


def test_what_the_log_does_not_tell_is_unknown(service: KeywordService) -> None:
    row = service.keyword_ideas(Request(seeds=("汶川地震原因",), limit=1)).rows[0]
    assert row["text"] == "汶川地震原因" and row["searches"] > 100
    for name in ("avg_monthly_searches", "competition", "advertisers", "high_top_of_page_bid_micros", "change_3m"):
        assert row[name] is None
    assert row["monthly_search_volumes"][0]["complete"] is False
