"""`POST /api/v1/forecast`, `POST /api/v1/budget`, and the commands that print the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from indexes.errors import UsageError
from kr.planning.forecast_commands import budget, forecast
from kr.settings import Settings
from webui.api.forecast_models import BudgetReply, ForecastReply
from webui.application import create_app
from webui.settings import WebSettings

KEYWORDS = [
    {"text": "鲜花", "match_type": "BROAD", "max_cpc_bid_micros": 3_000_000, "group": "flowers"},
    {"text": "flower delivery"},
    {"text": "qqzz xxyy"},
]


@pytest.fixture(scope="module")
def market(small_store: Path) -> Flask:
    return create_app(Settings(store=small_store), WebSettings())


@pytest.fixture
def caller(market: Flask) -> FlaskClient:
    return market.test_client()


def plan_file(folder: Path) -> Path:
    rows: list[dict[str, Any]] = [
        {"keyword": "鲜花", "match_type": "BROAD", "max_cpc_micros": 3_000_000, "ad_group": "flowers"},
        {"keyword": "flower delivery"},
        {"keyword": "qqzz xxyy"},
    ]
    file = folder / "plan.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def test_a_forecast_is_what_the_command_prints(caller: FlaskClient, small_store: Path, tmp_path: Path) -> None:
    reply = caller.post("/api/v1/forecast", json={"keywords": KEYWORDS, "weeks": 3})
    assert reply.status_code == 200
    read = ForecastReply.model_validate(reply.json)
    assert [row.basis for row in read.data.keywords][2] == "no_history"
    assert read.data.keywords[2].clicks is None and read.data.unknown_keywords == 1
    assert [row.group for row in read.data.groups] == ["flowers"] and len(read.data.weekly) == 3
    arguments = [str(plan_file(tmp_path)), "--store", str(small_store), "--weeks", "3", "--json"]
    printed = CliRunner().invoke(forecast, arguments)
    assert json.loads(printed.stdout) == reply.json


def test_a_budget_is_what_the_command_prints(caller: FlaskClient, small_store: Path, tmp_path: Path) -> None:
    question = {"keywords": KEYWORDS, "budget_micros": 2_000_000, "goal": "value_micros"}
    reply = caller.post("/api/v1/budget", json=question)
    read = BudgetReply.model_validate(reply.json)
    assert read.data.expected.cost_micros <= 2_000_000
    assert [row.decision for row in read.data.keywords][2] == "no_history"
    arguments = [str(plan_file(tmp_path)), "--store", str(small_store), "--budget", "2", "--goal", "value", "--json"]
    assert json.loads(CliRunner().invoke(budget, arguments).stdout) == reply.json


def test_the_same_question_gives_the_same_bytes(caller: FlaskClient) -> None:
    first, second = (caller.post("/api/v1/forecast", json={"keywords": KEYWORDS}) for _ in range(2))
    assert first.data == second.data and first.headers["Server-Timing"].startswith("path;dur=")


@pytest.mark.parametrize(
    ("address", "fields", "pointer"),
    [
        ("forecast", {"keywords": []}, "#/keywords"),
        ("forecast", {"keywords": [{"text": ""}]}, "#/keywords/0/text"),
        ("forecast", {"keywords": [{"text": "a", "match_type": "exakt"}]}, "#/keywords/0/match_type"),
        ("forecast", {"keywords": [{"text": "a", "max_cpc_bid_micros": 0}]}, "#/keywords/0/max_cpc_bid_micros"),
        ("forecast", {"keywords": KEYWORDS, "weeks": 27}, "#/weeks"),
        ("forecast", {"keywords": KEYWORDS, "start": "soon"}, "#/start"),
        ("forecast", {"keywords": KEYWORDS, "wekes": 4}, "#/wekes"),
        ("budget", {"keywords": KEYWORDS}, "#/budget_micros"),
        ("budget", {"keywords": KEYWORDS, "budget_micros": 5, "goal": "fame"}, "#/goal"),
    ],
)
def test_mistakes_are_named_by_their_place(
    caller: FlaskClient, address: str, fields: dict[str, Any], pointer: str
) -> None:
    reply = caller.post(f"/api/v1/{address}", json=fields)
    assert reply.status_code == 400 and reply.mimetype == "application/problem+json"
    assert [error["pointer"] for error in reply.json["errors"]] == [pointer]


def test_a_period_before_the_log_ends_is_refused_with_what_to_do(caller: FlaskClient) -> None:
    reply = caller.post("/api/v1/forecast", json={"keywords": KEYWORDS, "start": "2024-01-01"})
    assert reply.status_code == 400 and "2024-06-30" in reply.json["detail"]


def test_a_snapshot_without_ads_says_so(client: FlaskClient) -> None:
    reply = client.post("/api/v1/forecast", json={"keywords": KEYWORDS})
    assert reply.status_code == 503 and "ad events" in reply.json["detail"]


def test_the_commands_print_ranges_and_reasons_for_people(small_store: Path) -> None:
    options = ["--keyword", "鲜花", "--keyword", "qqzz xxyy", "--store", str(small_store)]
    told = CliRunner().invoke(forecast, [*options, "--bid", "2.5", "--budget", "1"]).output
    assert "clicks" in told and "unknown" in told and "the set, 2024-07-01" in told and "The last click costs" in told


@pytest.mark.parametrize("options", [(), ("--keyword", "a", "--bid", "-1"), ("--keyword", "a", "--bid", "nan")])
def test_the_command_refuses_what_it_cannot_answer(small_store: Path, options: tuple[str, ...]) -> None:
    assert isinstance(CliRunner().invoke(forecast, [*options, "--store", str(small_store)]).exception, UsageError)
