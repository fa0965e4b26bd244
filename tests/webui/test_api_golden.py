"""Replies of the API, byte for byte. `KR_UPDATE_GOLDEN=1 pytest tests/webui/test_api_golden.py` writes them anew."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

GOLDEN = Path(__file__).parents[1] / "golden" / "api"
QUESTIONS: dict[str, dict[str, Any]] = {
    "one_seed": {"keyword_seed": {"keywords": ["鲜花"]}, "page_size": 4},
    "several_seeds_in_chinese": {
        "keyword_seed": {"keywords": ["flower delivery", "running shoes"]},
        "page_size": 3,
        "language": "zh",
    },
    "filtered_and_sorted": {
        "keyword_seed": {"keywords": ["鲜花"]},
        "filters": {"competition": ["HIGH", "MEDIUM"], "min_searches": 20, "max_bid_micros": 3_000_000},
        "sort": "-bid",
        "page_size": 3,
    },
    "explained": {"keyword_seed": {"keywords": ["英语培训"]}, "explain": True},
    "misspelt": {"keyword_seed": {"keywords": ["runnnig"]}, "language": "en"},
    "unsafe": {"keyword_seed": {"keywords": ["在线赌博"]}},
    "mistakes": {"keyword_seed": {"keywords": []}, "sort": "price", "pagesize": 3},
    "foreign_token": {"keyword_seed": {"keywords": ["鲜花"]}, "page_token": "bm90IG91cnM"},
}
ADDRESSES = {
    "seeds_of_everyone": "/api/v1/seeds?industry=nowhere&limit=2&language=en",
    "seeds_of_an_account_without_a_key": "/api/v1/seeds?account=a1",
    "suggested_by_initials": "/api/v1/suggestions?q=xh&limit=3",
    "suggested_with_a_typo": "/api/v1/suggestions?q=xianghua",
    "related": "/api/v1/related?q=%E9%B2%9C%E8%8A%B1&limit=3&language=en",
    "related_explained": "/api/v1/related?q=flowers&t=0.5&explain=true",
    "related_to_nothing": "/api/v1/related?q=qxzvkw",
    "suggested_wrongly_asked": "/api/v1/suggestions?q=xh&limit=0&rows=3",
}


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_a_reply_to_a_question_is_what_it_was(client: FlaskClient, name: str) -> None:
    check(name, QUESTIONS[name], client.post("/api/v1/keyword-ideas", json=QUESTIONS[name]))


@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_a_reply_at_an_address_is_what_it_was(client: FlaskClient, name: str) -> None:
    check(name, ADDRESSES[name], client.get(ADDRESSES[name]))


def check(name: str, request: Any, reply: Any) -> None:
    """The reply is the one in the golden file, or becomes it."""
    document = orjson.loads(reply.data)
    if "meta" in document:
        # The snapshot's id hashes the files' bytes, which a format change may alter without changing any reply.
        assert document["meta"]["snapshot"] and document["meta"]["request_id"]
        document["meta"] |= {"snapshot": "…", "request_id": "…"}
        if "next_page_token" in document:
            document["next_page_token"] = "…"
    recorded = {"status": reply.status_code, "request": request, "body": document}
    content = orjson.dumps(recorded, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    path = GOLDEN / f"{name}.json"
    if os.environ.get("KR_UPDATE_GOLDEN"):
        path.write_bytes(content)
    assert path.is_file(), f"{path} is missing: run with KR_UPDATE_GOLDEN=1 and look at what it wrote"
    assert path.read_bytes() == content


def test_no_golden_file_is_left_without_its_question() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == QUESTIONS.keys() | ADDRESSES.keys()
