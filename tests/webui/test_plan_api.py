"""Keyword files in and out over HTTP."""

import csv
import gzip
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient

from kr.settings import Settings
from webui.api.plan_models import PlanImportReply
from webui.application import create_app
from webui.settings import WebSettings

IMPORT = "/api/v1/plan/import"
EXPORT = "/api/v1/keyword-ideas/export"
FILE = "keyword,match type,bid\n鲜花,exact,1.5\n玫瑰,fuzzy,1\n+red roses,broad,\n".encode()


def keywords_in(content: bytes) -> list[str]:
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    return [row[0] for row in rows[1:]]


@pytest.mark.parametrize("how", ["raw", "form", "gzipped"])
def test_a_file_is_accounted_for_however_it_is_sent(client: FlaskClient, how: str) -> None:
    if how == "form":
        reply = client.post(IMPORT, data={"file": (io.BytesIO(FILE), "计划.csv")})
    else:
        reply = client.post(IMPORT, data=gzip.compress(FILE) if how == "gzipped" else FILE)
    assert reply.status_code == 200, reply.json
    PlanImportReply.model_validate(reply.json)
    data = reply.json["data"]
    assert (data["format"], data["read"], data["kept"], data["rejected"]) == ("csv", 3, 2, 1)
    assert data["reasons"] == {"unknown_match_type": 1} and data["rejections"][0]["line"] == 3
    first, second = data["rows"]
    assert (first["keyword"], first["match_type"], first["max_cpc_micros"]) == ("鲜花", "EXACT", 1_500_000)
    assert (second["keyword"], second["max_cpc_micros"], second["line"]) == ("+red roses", None, 4)
    assert reply.json["meta"]["request_id"] and reply.headers["Cache-Control"] == "private, no-store"


def test_rows_are_paged_and_options_are_checked(client: FlaskClient) -> None:
    content = "".join(f"keyword {number}\n" for number in range(10))
    reply = client.post(f"{IMPORT}?page_size=3&offset=4", data=content)
    assert [row["keyword"] for row in reply.json["data"]["rows"]] == ["keyword 4", "keyword 5", "keyword 6"]
    assert reply.json["data"]["kept"] == 10
    reply = client.post(f"{IMPORT}?page_size=-1&colour=red", data=content)
    assert reply.status_code == 400 and {error["pointer"] for error in reply.json["errors"]} == {
        "#/page_size",
        "#/colour",
    }
    twice = "roses\nroses\n"
    assert client.post(f"{IMPORT}?drop_duplicates=true", data=twice).json["data"]["reasons"] == {"duplicate": 1}
    assert (
        client.post(f"{IMPORT}?encoding=big5", data="鮮花".encode("big5")).json["data"]["rows"][0]["keyword"] == "鮮花"
    )


@pytest.fixture
def strict_client(tiny_store: Path) -> FlaskClient:
    """An application with low limits."""
    settings = Settings(store=tiny_store, plan_max_rows=5, plan_max_bytes=2_000_000, max_rows=4)
    return create_app(settings, WebSettings(max_upload_bytes=100_000)).test_client()


def test_files_beyond_the_limits_are_refused_with_the_limit(strict_client: FlaskClient) -> None:
    rows = "".join(f"keyword {number}\n" for number in range(6))
    reply = strict_client.post(IMPORT, data=rows)
    assert reply.status_code == 400 and "more than 5 rows; nothing was imported" in reply.json["detail"]
    for data in (b"x" * 100_001, {"file": (io.BytesIO(b"x" * 100_001), "x.csv")}):
        reply = strict_client.post(IMPORT, data=data)
        assert reply.status_code == 413 and "100,000 bytes" in reply.json["detail"]
    reply = strict_client.post(IMPORT, data=gzip.compress(b"roses\n" * 1_000_000))
    assert reply.status_code == 400 and "when unpacked" in reply.json["detail"]
    # Other addresses keep their own, smaller limit; a file between the two is taken here.
    assert (
        strict_client.post("/api/v1/keyword-ideas", data=b"x" * 70_000, content_type="application/json").status_code
        == 413
    )
    assert strict_client.post(IMPORT, data=b"rose " * 1_000 + b"\n" + b"\n" * 70_000).status_code == 200


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        ({"other": (io.BytesIO(b"x"), "x.csv")}, "no file named"),
        (b"PK\x03\x04nothing", "cannot be read as XLSX"),
        (b"\x1f\x8bnothing", "damaged"),
        ("鮮花禮盒訂購\n".encode("big5"), "neither UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_the_callers_mistake(client: FlaskClient, data: Any, message: str) -> None:
    reply = client.post(IMPORT, data=data)
    assert reply.status_code == 400 and reply.mimetype == "application/problem+json"
    assert message in reply.json["detail"]


def test_the_page_and_its_exports_hold_the_same_keywords(page_of: Callable[..., Any], client: FlaskClient) -> None:
    page = page_of("/search", q="鲜花", sort="-searches", min_searches="20", lang="zh")
    shown = [element.text for element in page.all("bdi", class_="text")]
    links = [str(link.attributes["href"]) for link in page.all("a") if "/search/export" in str(link.attributes["href"])]
    assert len(shown) > 3 and len(links) == 5
    by_format = {re.search(r"format=(\w+)", link)[1]: client.get(link) for link in links}  # type: ignore[index]
    assert all(reply.status_code == 200 for reply in by_format.values())
    assert keywords_in(by_format["csv"].data) == shown
    sheet = openpyxl.load_workbook(io.BytesIO(by_format["xlsx"].data)).active
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == shown and sheet["A1"].value == "关键词"
    for reply in by_format.values():
        again = client.post(IMPORT, data=reply.data).json["data"]
        assert again["rejected"] == 0 and [row["keyword"] for row in again["rows"]] == shown


def test_a_file_has_a_name_in_utf_8_its_type_and_is_sent_while_it_is_made(client: FlaskClient) -> None:
    reply = client.get(f"{EXPORT}?q=鲜花&format=xlsx")
    disposition = reply.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="keywords.xlsx"; ')
    assert unquote(disposition.rpartition("''")[2]) == "keywords 鲜花.xlsx"
    assert reply.mimetype.endswith("spreadsheetml.sheet") and reply.is_streamed
    assert client.get(f"{EXPORT}?q=鲜花", headers={"Accept-Encoding": "gzip"}).is_streamed
    planner = client.get(f"{EXPORT}?q=鲜花&format=google_keyword_planner")
    assert planner.headers["Content-Type"] == "text/csv; charset=utf-16-le" and planner.data.startswith(b"\xff\xfe")
    nasty = client.get(f"{EXPORT}?q=a/b\\c%22;%0d%0aX-Evil: 1&format=csv").headers
    assert "X-Evil" not in nasty and not set(unquote(nasty["Content-Disposition"].rpartition("''")[2])) & set(
        '/\\"\r\n;'
    )


def test_a_question_is_answered_as_a_file_with_the_same_rows_as_json(client: FlaskClient) -> None:
    question = {"keyword_seed": {"keywords": ["鲜花"]}, "filters": {"min_searches": 20}, "sort": "-bid"}
    ideas = client.post("/api/v1/keyword-ideas", json=question).json["data"]["keyword_ideas"]
    reply = client.post(EXPORT, json=question | {"format": "jsonl"})
    lines = client.post(IMPORT, data=reply.data).json["data"]["rows"]
    assert [row["keyword"] for row in lines] == [idea["text"] for idea in ideas]
    for row, idea in zip(lines, ideas, strict=True):
        assert row["metrics"].get("low_top_of_page_bid_micros") == idea["low_top_of_page_bid_micros"]
        assert row["metrics"]["avg_monthly_searches"] == idea["avg_monthly_searches"]
        assert row["reasons"] == [reason["text_en"] for reason in idea["reasons"]]
    bulk = client.post(
        EXPORT, json=question | {"format": "microsoft_bulk", "campaign": "C", "ad_group": "=G", "max_rows": 2}
    )
    rows = list(csv.reader(io.StringIO(bulk.data.decode("utf-8-sig"), newline="")))
    assert len(rows) == 4 and rows[2][4:6] == ["C", " =G"] and rows[2][7] == "Exact"


def test_no_more_rows_are_written_than_the_operator_allows(strict_client: FlaskClient) -> None:
    assert len(keywords_in(strict_client.get(f"{EXPORT}?q=鲜花").data)) == 4
    question = {"keyword_seed": {"keywords": ["鲜花"]}, "max_rows": 9_999}
    assert len(keywords_in(strict_client.post(EXPORT, json=question).data)) == 4


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("q=", "?q"),
        ("q=鲜花&min_searches=x", "?min_searches"),
        ("q=鲜花&format=pdf", "?format"),
        ("q=鲜花&sort=x", "?sort"),
    ],
)
def test_an_export_that_cannot_be_understood_names_the_mistake(client: FlaskClient, query: str, pointer: str) -> None:
    reply = client.get(f"{EXPORT}?{query}")
    assert reply.status_code == 400 and reply.mimetype == "application/problem+json"
    assert [error["pointer"] for error in reply.json["errors"]] == [pointer]
    page = client.get(f"/search/export?{query}")
    assert page.status_code == 303 and page.headers["Location"].startswith("/search?q=")


def test_where_people_must_sign_in_files_are_not_for_everybody(tiny_store: Path) -> None:
    client = create_app(Settings(store=tiny_store), WebSettings(sign_in_required=True)).test_client()
    page = client.get("/search/export?q=鲜花")
    assert page.status_code == 303 and "/sign-in" in page.headers["Location"]
    assert client.get(f"{EXPORT}?q=鲜花").status_code == 401
    assert client.post(IMPORT, data="roses").status_code == 401


@pytest.mark.parametrize("word", ["在线赌博", "??", "zzzzqqqq"])
def test_a_search_without_an_answer_is_an_empty_table(client: FlaskClient, word: str) -> None:
    reply = client.get(f"{EXPORT}?q={word}&format=csv")
    assert reply.status_code == 200 and keywords_in(reply.data) == []


def test_mistakes_of_a_question_are_pointed_to(client: FlaskClient) -> None:
    reply = client.post(EXPORT, json={"keyword_seed": {"keywords": ["a"]}, "format": "pdf", "page_size": 3})
    assert {error["pointer"] for error in reply.json["errors"]} == {"#/format", "#/page_size"}


def test_all_rows_come_from_one_snapshot_in_batches(app: Flask) -> None:
    from kr.types import Request
    from webui.search_service import late_service

    service = late_service(app).get()
    request = Request(("鲜花",), limit=1000)
    whole = service.keyword_ideas(request)
    reply, batches = service.keyword_idea_batches(request, batch_rows=3)
    parts = list(batches)
    assert [row for part in parts for row in part] == list(whole.rows) and {len(part) for part in parts[:-1]} == {3}
    assert (reply.total, reply.snapshot, reply.seeds) == (whole.total, whole.snapshot, whole.seeds)
