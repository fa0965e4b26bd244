"""Health, readiness, metrics, and what is answered while something is broken."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexes.errors import CorruptError, TryAgainError, UsageError
from kr.service import KeywordService
from kr.settings import Settings
from webui.application import create_app
from webui.settings import WebSettings

QUESTION = {"keyword_seed": {"keywords": ["鲜花"]}}


def test_health_touches_nothing_and_readiness_names_the_snapshot(client: Any, app: Any) -> None:
    from indexes.snapshot import current

    assert client.get("/healthz").data == b"ok\n"
    ready = client.get("/readyz")
    assert ready.status_code == 200 and current(app.config["KR"].store) in ready.text


def test_without_a_snapshot_everything_says_so_and_recovers_when_one_is_published(
    tmp_path: Path, tiny_mined_writer: Callable[[Path], Path]
) -> None:
    from mining.build import build

    store = tmp_path / "store"
    client = create_app(Settings(store=store)).test_client()
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 503 and "no snapshot" in ready.text
    page = client.get("/search?q=鲜花&lang=en")
    assert page.status_code == 503 and "manage.py demo" in page.text
    problem = client.post("/api/v1/keyword-ideas", json=QUESTION)
    assert problem.status_code == 503 and problem.json["type"] == "/problems#no-snapshot"
    assert client.get("/methods").status_code == 200

    build(tiny_mined_writer(tmp_path / "mined"), store)
    assert client.get("/readyz").status_code == 200
    assert client.post("/api/v1/keyword-ideas", json=QUESTION).status_code == 200


def test_the_commands_that_the_page_without_a_snapshot_names_exist_with_their_options(tmp_path: Path) -> None:
    import manage

    text = create_app(Settings(store=tmp_path)).test_client().get("/?lang=en").text
    named = re.findall(r"python manage\.py (\w+)([^<#]*)", text)
    assert [name for name, _ in named] == ["demo", "build"]
    for name, rest in named:
        options = {option for parameter in manage.main.commands[name].params for option in parameter.opts}
        assert {word for word in rest.split() if word.startswith("--")} <= options


def test_a_damaged_publication_leaves_the_snapshot_before_in_use_and_readiness_warns(
    tmp_path: Path, tiny_mined_writer: Callable[[Path], Path]
) -> None:
    from mining.build import build

    store = tmp_path / "store"
    build(tiny_mined_writer(tmp_path / "mined"), store)
    client = create_app(Settings(store=store)).test_client()
    before = client.post("/api/v1/keyword-ideas", json=QUESTION).data
    (store / "CURRENT").write_bytes(b"{}")
    ready = client.get("/readyz")
    assert ready.status_code == 200 and "warning" in ready.text and "damaged" in ready.text
    assert client.post("/api/v1/keyword-ideas", json=QUESTION).data == before


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (CorruptError("the file SECRET-PATH is damaged"), 503, "try-again"),
        (TryAgainError("SECRET-PATH is locked"), 503, "try-again"),
        (UsageError("the rules file SECRET-PATH line 3 is wrong"), 503, "try-again"),
        (ZeroDivisionError("SECRET-PATH"), 500, "internal-error"),
    ],
)
def test_a_failure_is_logged_whole_and_told_to_callers_only_by_its_reference(
    capsys: pytest.CaptureFixture[str], error: Exception, status: int, kind: str
) -> None:
    def opener() -> KeywordService:
        raise error

    client = create_app(Settings(), WebSettings(), opener).test_client()
    page = client.get("/search?q=鲜花&lang=en")
    reference = page.headers["X-Request-ID"]
    assert page.status_code == status and reference in page.text
    problem = client.post("/api/v1/keyword-ideas", json=QUESTION)
    assert problem.status_code == status and problem.json["type"] == f"/problems#{kind}"
    assert problem.headers["X-Request-ID"] in problem.json["detail"]
    for reply in (page, problem):
        assert "SECRET-PATH" not in reply.text and "Traceback" not in reply.text
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    logged = [line for line in lines if line["event"] != "request"]
    assert [line["request_id"] for line in logged] == [reference, problem.headers["X-Request-ID"]]
    assert all("SECRET-PATH" in json.dumps(line) for line in logged)


def test_what_people_search_for_is_not_logged(client: Any, capsys: pytest.CaptureFixture[str]) -> None:
    client.get("/search?q=鲜花")
    client.post("/api/v1/keyword-ideas", json=QUESTION)
    client.get("/healthz")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["path"] for line in lines] == ["/search", "/api/v1/keyword-ideas"]
    assert "鲜花" not in str(lines)
    assert all(line["status"] == 200 and line["took_ms"] > 0 and line["bytes"] > 0 for line in lines)


def sample(text: str, name: str, **labels: str) -> float:
    for line in text.splitlines():
        if re.match(rf"{name}[{{ ]", line) and all(f'{key}="{value}"' in line for key, value in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    return 0.0


def test_metrics_count_requests_by_route_and_rows_shown(client: Any) -> None:
    def now() -> tuple[float, ...]:
        text = client.get("/metrics").text
        return (
            sample(text, "kr_http_requests_total", route="/search", status="200"),
            sample(text, "kr_http_requests_total", route="unknown", status="404"),
            sample(text, "kr_rows_total"),
            sample(text, "kr_empty_replies_total"),
            sample(text, "kr_path_seconds_count"),
        )

    before = now()
    rows = client.post("/api/v1/keyword-ideas", json=QUESTION).json["data"]["keyword_ideas"]
    client.get("/search?q=zzzzqqqq")
    client.get("/search?q=鲜花")
    client.get("/some/address")
    client.get("/some/other/address")
    grown = [after - start for after, start in zip(now(), before, strict=True)]
    assert grown == [2, 2, 2 * len(rows), 1, 3]
    assert "/some/" not in client.get("/metrics").text
