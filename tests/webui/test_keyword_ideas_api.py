"""POST /api/v1/keyword-ideas over the hand-written market of tests/conftest.py."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from kr.settings import Settings
from webui.api.models import KeywordIdeasReply, Problem
from webui.application import create_app
from webui.settings import WebSettings

SEARCH = "/api/v1/keyword-ideas"
Ask = Callable[..., Any]


def texts(reply: Any) -> list[str]:
    return [row["text"] for row in reply.json["data"]["keyword_ideas"]]


def problem(reply: Any, status: int, kind: str) -> dict[str, Any]:
    """The problem document, checked against its model and the page that explains its type."""
    assert reply.status_code == status, reply.get_data(as_text=True)
    assert reply.mimetype == "application/problem+json"
    Problem.model_validate(reply.json)
    assert reply.json["type"] == f"/problems#{kind}"
    assert reply.json["status"] == status
    return reply.json


def test_the_envelope_holds_rows_meta_and_nothing_else(ask: Ask) -> None:
    reply = ask("鲜花")
    assert reply.status_code == 200 and reply.mimetype == "application/json"
    assert set(reply.json) == {"data", "meta"}
    assert set(reply.json["meta"]) == {"snapshot", "request_id", "degraded", "took_ms"}
    assert texts(reply)[0] == "鲜花" and reply.json["data"]["total"] == len(texts(reply))


def test_every_reply_fits_the_published_models(ask: Ask) -> None:
    for keywords in (["鲜花"], ["先花"], ["runnnig"], ["zzzzqqqq"], ["在线赌博"], ["!!!?"], [""]):
        for language in (None, "zh"):
            reply = ask(*keywords, language=language, explain=True, facets=True)
            KeywordIdeasReply.model_validate(reply.json)
            assert set(reply.json["data"]) <= set(
                KeywordIdeasReply.model_json_schema()["$defs"]["KeywordIdeas"]["properties"]
            )
            for row in reply.json["data"]["keyword_ideas"]:
                assert set(row) == set(KeywordIdeasReply.model_json_schema()["$defs"]["KeywordIdea"]["properties"])


def test_what_is_not_known_is_null_and_never_zero(ask: Ask) -> None:
    row = next(row for row in ask("先花").json["data"]["keyword_ideas"] if row["text"] == "先花")
    for name in ("competition", "competition_index", "low_top_of_page_bid_micros", "advertisers", "change_3m"):
        assert row[name] is None, name


def test_the_same_request_gives_the_same_bytes_from_every_process(app: Any, ask: Ask, tiny_store: Path) -> None:
    first = ask("鲜花", "flowers", page_size=3, explain=True)
    other = create_app(Settings(store=tiny_store), WebSettings()).test_client()
    body = orjson.dumps({"explain": True, "page_size": 3, "keyword_seed": {"keywords": ["鲜花", "flowers"]}})
    second = other.post(SEARCH, data=body, content_type="application/json; charset=utf-8")
    assert first.data == second.data
    assert first.headers["X-Request-ID"] == second.headers["X-Request-ID"] == first.json["meta"]["request_id"]


def test_another_request_has_another_id_and_a_given_id_is_taken_over(ask: Ask, client: FlaskClient) -> None:
    ids = {ask("鲜花").json["meta"]["request_id"], ask("flowers").json["meta"]["request_id"]}
    assert len(ids) == 2
    body = {"keyword_seed": {"keywords": ["鲜花"]}}
    reply = client.post(SEARCH, json=body, headers={"X-Request-ID": "mine-1"})
    assert reply.json["meta"]["request_id"] == reply.headers["X-Request-ID"] == "mine-1"
    bad = client.post(SEARCH, json=body, headers={"X-Request-ID": "not an id"})
    assert "X-Request-ID" in problem(bad, 400, "invalid-request")["detail"]


def test_timing_is_in_the_header_and_in_the_body_only_on_request(ask: Ask) -> None:
    plain, timed = ask("鲜花"), ask("鲜花", timing=True)
    assert plain.json["meta"]["took_ms"] is None
    assert timed.json["meta"]["took_ms"] > 0
    assert timed.headers["Server-Timing"].startswith("path;dur=")
    assert timed.json["meta"]["request_id"] == plain.json["meta"]["request_id"]


def test_a_language_adds_one_text_beside_the_two(ask: Ask) -> None:
    reason = ask("鲜花", language="zh").json["data"]["keyword_ideas"][0]["reasons"][0]
    assert reason["text"] == reason["text_zh"] != reason["text_en"]
    assert "text" not in ask("鲜花").json["data"]["keyword_ideas"][0]["reasons"][0]


def test_pages_follow_each_other_without_a_gap_or_a_repeat(ask: Ask) -> None:
    everything = texts(ask("鲜花", "flowers"))
    collected: list[str] = []
    token = None
    while True:
        reply = ask("鲜花", "flowers", page_size=3, page_token=token)
        assert reply.json["data"]["total"] == len(everything)
        collected += texts(reply)
        token = reply.json.get("next_page_token")
        if token is None:
            break
    assert collected == everything and len(everything) > 6


def test_the_last_page_ends_where_paging_ends(tiny_store: Path) -> None:
    client = create_app(Settings(store=tiny_store, max_rows=5), WebSettings()).test_client()
    body: dict[str, Any] = {"keyword_seed": {"keywords": ["鲜花"]}, "page_size": 3}
    first = client.post(SEARCH, json=body)
    second = client.post(SEARCH, json={**body, "page_token": first.json["next_page_token"]})
    assert len(texts(first)) == 3 and len(texts(second)) == 2
    assert "next_page_token" not in second.json


def test_a_token_of_another_request_is_refused_with_the_remedy(ask: Ask) -> None:
    token = ask("鲜花", page_size=3).json["next_page_token"]
    for changed in (
        {"page_size": 4},
        {"sort": "keyword"},
        {"filters": {"languages": ["zh"]}},
        {"parameters": {"t": 0.1}},
    ):
        document = problem(ask("鲜花", **{"page_size": 3, "page_token": token, **changed}), 400, "page-token")
        assert "without page_token" in document["detail"]
        assert document["errors"][0]["pointer"] == "#/page_token"


def test_a_token_of_another_snapshot_is_refused_with_the_remedy(
    ask: Ask, tmp_path: Path, tiny_mined_writer: Callable[[Path], Path]
) -> None:
    from mining.build import build

    token = ask("鲜花", page_size=3).json["next_page_token"]
    mined = tiny_mined_writer(tmp_path / "mined")
    report = mined / "mining_report.json"
    report.write_text(report.read_text(encoding="utf-8").replace('"users": 2000', '"users": 2001'), encoding="utf-8")
    build(mined, tmp_path / "store")
    other = create_app(Settings(store=tmp_path / "store"), WebSettings()).test_client()
    body = {"keyword_seed": {"keywords": ["鲜花"]}, "page_size": 3, "page_token": token}
    document = problem(other.post(SEARCH, json=body), 400, "page-token")
    assert "snapshot" in document["detail"] and "without page_token" in document["detail"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"pagesize": 3}, "#/pagesize"),
        ({"filters": {"min_search": 3}}, "#/filters/min_search"),
        ({"filters": {"a/b~c": 3}}, "#/filters/a~1b~0c"),
        ({"page_size": 0}, "#/page_size"),
        ({"page_size": 1001}, "#/page_size"),
        ({"page_size": "3"}, "#/page_size"),
        ({"page_size": True}, "#/page_size"),
        ({"sort": "price"}, "#/sort"),
        ({"filters": {"competition": ["LOW", "low"]}}, "#/filters/competition/1"),
        ({"filters": {"min_searches": -1}}, "#/filters/min_searches"),
        ({"filters": {"min_searches": 2**63}}, "#/filters/min_searches"),
        ({"filters": {"min_searches": 5, "max_searches": 4}}, "#/filters"),
        ({"filters": {"must_not_contain": [" "]}}, "#/filters/must_not_contain/0"),
        ({"filters": {"must_contain": ["x"] * 21}}, "#/filters/must_contain"),
        ({"parameters": {"t": 1.5}}, "#/parameters/t"),
        ({"language": "de"}, "#/language"),
        ({"keyword_seed": {"keywords": []}}, "#/keyword_seed/keywords"),
        ({"keyword_seed": {"keywords": "鲜花"}}, "#/keyword_seed/keywords"),
        ({"keyword_seed": {"keywords": ["x"] * 11}}, "#/keyword_seed/keywords"),
        ({"keyword_seed": {"keywords": ["x" * 201]}}, "#/keyword_seed/keywords"),
        ({"keyword_seed": None}, "#"),
        ({"url_seed": {}}, "#/url_seed/url"),
    ],
)
def test_a_mistake_is_refused_and_its_place_named(ask: Ask, fields: dict[str, Any], pointer: str) -> None:
    document = problem(ask("鲜花", **fields), 400, "invalid-request")
    assert pointer in [error["pointer"] for error in document["errors"]], document


def test_all_mistakes_are_told_at_once(ask: Ask) -> None:
    document = problem(ask("鲜花", sort="x", page_size=0, more=1), 400, "invalid-request")
    assert {error["pointer"] for error in document["errors"]} == {"#/sort", "#/page_size", "#/more"}


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"", "invalid-json", "Line 1"),
        (b'{"keyword_seed": {"keywords": ["\xe9"]}}', "invalid-json", ""),
        (b'{"keyword_seed": {"keywords": ["\\ud800"]}}', "invalid-json", "Line 1"),
        (b'{"page_size": NaN}', "invalid-json", "Line 1"),
        (b'{\n"page_size": 1,}', "invalid-json", "Line 2"),
        (b"[" * 60_000, "invalid-json", ""),
        (b"[]", "invalid-request", ""),
        (b"null", "invalid-request", ""),
    ],
)
def test_a_body_that_is_no_json_object_is_refused_by_place(
    client: FlaskClient, body: bytes, kind: str, words: str
) -> None:
    reply = client.post(SEARCH, data=body, content_type="application/json")
    assert words in problem(reply, 400, kind)["detail"]


def test_another_content_type_and_a_body_too_large_are_refused(client: FlaskClient) -> None:
    problem(client.post(SEARCH, data=b"{}", content_type="text/plain"), 415, "unsupported-media-type")
    problem(client.post(SEARCH, data=b" " * 70_000, content_type="application/json"), 413, "too-large")


def test_other_methods_and_addresses_of_the_api_get_problems_too(client: FlaskClient) -> None:
    reply = client.get(SEARCH)
    problem(reply, 405, "method-not-allowed")
    assert "POST" in reply.headers["Allow"]
    problem(client.get("/api/v1/nothing"), 404, "not-found")


@pytest.mark.parametrize("keyword", ["", " \u200b", "!!!", "在线赌博", "zzzzqqqq"])
def test_a_question_without_an_answer_is_answered_with_a_notice(ask: Ask, keyword: str) -> None:
    reply = ask(keyword, language="en")
    assert reply.status_code == 200
    assert texts(reply) in ([], ["!!!"])
    assert reply.json["data"]["notices"] or texts(reply)


def test_every_problem_type_is_explained_where_its_address_leads(page_of: Callable[..., Any]) -> None:
    from webui.api.problems import PROBLEM_TYPES

    page = page_of("/problems")
    explained = {element.attributes.get("id") for element in page.all("div")}
    assert {kind.uri.removeprefix("/problems#") for kind in PROBLEM_TYPES} <= explained


def test_the_sort_orders_of_the_api_are_those_of_the_path() -> None:
    from typing import get_args

    from kr.rank.order import SORTS
    from webui.api.models import Sort
    from webui.limits import SORT_COLUMNS

    assert set(get_args(Sort)) == set(SORTS) | {f"-{name}" for name in SORTS if name != "rank"}
    assert set(SORT_COLUMNS) == set(SORTS) - {"rank"}


def test_replies_are_compressed_for_who_asks_and_the_same_inside(client: FlaskClient) -> None:
    body = {"keyword_seed": {"keywords": ["鲜花"]}}
    plain = client.post(SEARCH, json=body)
    packed = client.post(SEARCH, json=body, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.data) == plain.data and len(packed.data) < len(plain.data) / 3
    assert "Content-Encoding" not in plain.headers


def test_devices_and_regions_filter_by_where_keywords_were_searched(ask: Ask) -> None:
    everywhere = ask("鲜花").get_json()["data"]
    mobile = ask("鲜花", filters={"devices": ["mobile"]}).get_json()["data"]
    assert [row["text"] for row in mobile["keyword_ideas"]] == [row["text"] for row in everywhere["keyword_ideas"]]
    document = problem(ask("鲜花", filters={"regions": ["Atlantis"]}), 400, "invalid-request")
    assert "Atlantis" in document["detail"]
