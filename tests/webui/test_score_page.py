"""The caller's own keywords, scored: by page, by API, by command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.errors import UsageError
from kr.keyword_scores import STATUS_TEXTS, ScoreStatus, scores_in_order
from kr.service import KeywordService
from kr.settings import Settings
from kr.types import Request
from manage import main
from webui.api.keyword_models import KeywordScoresReply

Pages = Callable[..., Any]
GIVEN = ["flowers", "no such search", "鲜花速递", "flowers", "在线赌博", "\u200b", "ＦＬＯＷＥＲＳ"]


@pytest.fixture(scope="module")
def service(tiny_store: Path) -> KeywordService:
    return KeywordService.open(Settings(store=tiny_store))


def test_a_keyword_scores_what_a_search_would_show(service: KeywordService) -> None:
    rows = service.keyword_ideas(Request(("鲜花",), limit=100)).rows
    scores = service.scores(Request(("鲜花",)), [row["text"] for row in rows])
    assert [dict(score.row or {}) for score in scores] == [dict(row) for row in rows] and len(rows) > 5


def test_the_order_of_the_caller_stays_and_nothing_is_lost(service: KeywordService) -> None:
    scores = service.scores(Request(("鲜花",)), GIVEN)
    assert [score.given for score in scores] == GIVEN
    assert [score.status.value for score in scores] == [
        "scored", "never_searched", "scored", "scored", "unsafe", "without_words", "scored"
    ]  # fmt: skip
    assert scores[6].text == "flowers" and scores[6].row == scores[0].row


def test_what_has_nothing_to_do_with_the_search_scores_low_and_is_kept(service: KeywordService) -> None:
    (score,) = service.scores(Request(("鲜花",)), ["running shoes"])
    assert score.row is not None and score.row["relevance"] < 0.3


def test_without_a_search_numbers_are_known_and_relevance_is_not(service: KeywordService) -> None:
    known, unknown = service.scores(Request(()), ["鲜花", "no such search"])
    assert known.status is ScoreStatus.KNOWN and known.row is not None and known.row["searches"] == 1200
    assert "relevance" not in known.row and unknown.row is None


@settings(max_examples=25)
@given(given=st.lists(st.sampled_from([*GIVEN, "鲜花", "x y z"]) | st.text(max_size=12), max_size=8))
def test_every_keyword_has_one_row_whatever_it_is(service: KeywordService, given: list[str]) -> None:
    scores = service.scores(Request(("flowers", "鲜花")), given)
    assert [score.given for score in scores] == given
    assert all((score.row is not None) == (score.status is ScoreStatus.SCORED) for score in scores)


def test_every_status_has_its_texts() -> None:
    assert set(STATUS_TEXTS) == set(ScoreStatus)
    assert scores_in_order([], {}, frozenset(), ScoreStatus.KNOWN) == ()


def test_the_page_scores_what_was_typed(page_of: Pages) -> None:
    page = page_of("/score", q="鲜花", keywords="鲜花速递\nno such search\n鲜花速递", lang="en")
    rows = [heading.text for heading in page.all("th", scope="row")]
    assert rows == ["鲜花速递", "no such search", "鲜花速递"]
    assert "nobody searched it in the period of the log" in page.one("main").text


def test_the_page_without_keywords_is_a_form_and_mistakes_are_told_at_their_field(page_of: Pages) -> None:
    page = page_of("/score", lang="en")
    assert not page.all("table") and page.one("textarea", id="keywords")
    wrong = page_of("/score", 400, keywords="花" * 250, lang="en")
    assert wrong.one("textarea").attributes["aria-describedby"] == "keywords-error"
    assert "At most 1000 keywords of at most 200" in wrong.one("p", id="keywords-error").text


def test_a_page_that_is_refused_says_so_at_the_search(page_of: Pages) -> None:
    page = page_of("/score", 422, keywords="鲜花", q="http://127.0.0.1/", lang="en")
    assert page.one("input", id="q").attributes["aria-invalid"] == "true"


def test_the_api_fits_its_model_and_bounds_the_list(client: FlaskClient) -> None:
    question = {"keywords": GIVEN, "keyword_seed": {"keywords": ["鲜花"]}, "language": "zh"}
    reply = client.post("/api/v1/keyword-scores", json=question)
    data = KeywordScoresReply.model_validate(reply.json).data
    assert [row.given for row in data.keyword_scores] == GIVEN and data.seeds == ["鲜花"]
    assert data.keyword_scores[1].reasons == [] and data.keyword_scores[1].searches is None
    assert client.post("/api/v1/keyword-scores", json=question).data == reply.data
    too_many = client.post("/api/v1/keyword-scores", json={"keywords": ["鲜花"] * 1001})
    assert too_many.status_code == 400 and too_many.json["errors"][0]["pointer"] == "#/keywords"
    assert client.post("/api/v1/keyword-scores", json={"keywords": []}).status_code == 400
    many = client.post("/api/v1/keyword-scores", json={"keywords": [f"关键词{number:090}" for number in range(1000)]})
    assert many.status_code == 200, "longer than other bodies may be"


def test_the_command_line_scores_a_file_and_accounts_for_it(tiny_store: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("Keyword,Max CPC\n鲜花速递,1.00\nno such search,\n,\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["score", str(file), "--seed", "鲜花", "--store", str(tiny_store), "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [row["status"] for row in document["data"]["keyword_scores"]] == ["scored", "never_searched"]
    assert document["file"]["read"] == document["file"]["kept"] + document["file"]["rejected"]


def test_the_command_line_starts_from_files_and_sites(tiny_pages_store: Path, tmp_path: Path) -> None:
    file = tmp_path / "seeds.txt"
    file.write_text("flowers\n英语培训\n", encoding="utf-8")
    store = ["--store", str(tiny_pages_store), "--json"]
    found = CliRunner().invoke(
        main, ["search", "--seeds-file", str(file), "--site", "shoes.example", "--facets", *store]
    )
    assert found.exit_code == 0, found.output
    data = json.loads(found.stdout)["data"]
    assert {"flowers", "英语培训", "running shoes"} <= {row["text"] for row in data["keyword_ideas"]}
    assert data["site"]["pages_read"] == 2 and data["facets"]["rows"] == data["total"]
    unknown = CliRunner().invoke(main, ["search", "--site", "nowhere.example", *store])
    assert isinstance(unknown.exception, UsageError) and "crawled no page" in str(unknown.exception)
    assert isinstance(CliRunner().invoke(main, ["search", *store]).exception, UsageError)
