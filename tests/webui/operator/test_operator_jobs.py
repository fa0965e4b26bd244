"""Jobs and snapshots on pages and over the API: started, watched, verified, rolled back, compared."""

import fcntl
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from flask import Flask

from kr.settings import Settings
from kr.store import Database
from webui.application import create_app
from webui.settings import WebSettings

Post = Callable[..., Any]
WAIT_SECONDS = 300


@pytest.fixture(scope="module")
def two_snapshots(tmp_path_factory: pytest.TempPathFactory, tiny_mined_writer: Callable[[Path], Path]) -> Path:
    """A work folder with a store of two snapshots: the later lacks 鲜花店 and has twice the demand for 生日蛋糕."""
    from mining.build import build

    work = tmp_path_factory.mktemp("work")
    mined = tiny_mined_writer(work / "mined")
    build(mined, work / "store")
    for path in mined.glob("*.parquet"):
        table = pq.read_table(path)
        for name in ("keyword", "neighbor"):
            if name in table.column_names:
                table = table.filter(pc.not_equal(table[name], "鲜花店"))
        if path.stem == "keyword_months":
            place = table.column_names.index("searches")
            twice = pc.if_else(pc.equal(table["keyword"], "生日蛋糕"), 2, 1)
            table = table.set_column(place, "searches", pc.multiply(table["searches"], twice))
        pq.write_table(table, path)
    build(mined, work / "store")
    return work


@pytest.fixture
def store(two_snapshots: Path, tmp_path: Path) -> Path:
    shutil.copytree(two_snapshots, tmp_path / "work", copy_function=shutil.copy)
    return tmp_path / "work" / "store"


@pytest.fixture
def web(store: Path, database: Database) -> Flask:
    url = database.engine.url.render_as_string(hide_password=False)
    return create_app(Settings(store=store, database=url), WebSettings())


def wait_for(store: Path, job_id: str) -> None:
    """Until the job's process lets go of its lock."""
    lock = os.open(store.parent / "jobs" / job_id / "lock", os.O_RDWR)
    old = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("the job does not end"))
    signal.alarm(WAIT_SECONDS)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)
        os.close(lock)


def test_a_snapshot_is_verified_and_rolled_back_by_buttons(
    operator: Any, post: Post, served: Post, store: Path, parse: Callable[[str], Any]
) -> None:
    page = "/operator/snapshots"
    assert "鲜花店" not in served()
    codes = [element.text for element in parse(operator.get(page).get_data(as_text=True)).all("code")]
    current, earlier = (code for code in dict.fromkeys(codes) if len(code) == 16)
    html = operator.get(page).get_data(as_text=True)
    assert "2024-01-01" in html and "searches 5,000" in html and "17" in html
    started = post(operator, "/operator/jobs/rollback/start", page, snapshot=earlier)
    assert started.status_code == 303
    job_id = started.headers["Location"].rpartition("/")[2]
    wait_for(store, job_id)
    done = operator.get(f"/operator/jobs/{job_id}").get_data(as_text=True)
    assert "done" in done and earlier in done
    assert (store / "CURRENT").read_text(encoding="utf-8").count(f'"current": "{earlier}"') == 1
    refused = post(operator, "/operator/jobs/rollback/start", page, snapshot="../../etc")
    assert refused.status_code == 400
    assert current in operator.get("/operator/jobs").get_data(as_text=True)


def test_programs_start_jobs_and_see_them_end(call: Callable[..., Any], store: Path) -> None:
    listed = call("GET", "snapshots").get_json()["data"]
    assert [row["keywords"] for row in listed["snapshots"]] == [16, 17]
    assert listed["snapshots"][0]["is_current"] and listed["incoming"] == []
    made = call("POST", "jobs", kind="verify", parameters={})
    assert made.status_code == 201
    job = made.get_json()["data"]["job"]
    wait_for(store, job["id"])
    done = call("GET", f"jobs/{job['id']}").get_json()["data"]
    assert done["job"]["state"] == "succeeded" and done["job"]["exit_code"] == 0 and "whole:" in done["log"]
    assert [row["id"] for row in call("GET", "jobs").get_json()["data"]["jobs"]] == [job["id"]]
    assert (
        call(
            "POST",
            f"jobs/{job['id']}/cancel",
        ).status_code
        == 400
    ), "it is over"
    assert call("POST", "jobs", kind="verify", parameters={"snapshot": "x"}).status_code == 400
    assert call("POST", "jobs", kind="shell").status_code == 400
    assert call("GET", "jobs/unknown").status_code == 404
    build = call("POST", "jobs", kind="build", parameters={"mined": "mined"}).get_json()["data"]["job"]
    wait_for(store, build["id"])
    assert call("GET", f"jobs/{build['id']}").get_json()["data"]["job"]["state"] == "succeeded"


def test_two_snapshots_are_compared(operator: Any, call: Callable[..., Any], parse: Callable[[str], Any]) -> None:
    after, before = (row["id"] for row in call("GET", "snapshots").get_json()["data"]["snapshots"])
    found = call("GET", f"snapshots/comparison?before={before}&after={after}").get_json()["data"]
    assert (found["keywords_before"], found["keywords_after"], found["sampled"]) == (17, 16, False)
    assert (found["gained"], found["lost"], found["lost_examples"]) == (0, 1, ["鲜花店"])
    assert found["changes"][0]["keyword"] == "生日蛋糕"
    assert found["changes"][0]["after"] == 2 * found["changes"][0]["before"]
    back = call("GET", f"snapshots/comparison?before={after}&after={before}").get_json()["data"]
    assert (back["gained"], back["gained_examples"]) == (1, ["鲜花店"])
    page = operator.get(f"/operator/snapshots?before={before}&after={after}").get_data(as_text=True)
    assert "1 keyword lost" in page and "鲜花店" in page
    assert operator.get(f"/operator/snapshots?before={before}&after={'0' * 16}").status_code == 400
    assert call("GET", f"snapshots/comparison?before={before}&after={'0' * 16}").status_code == 400


def test_a_snapshot_that_is_built_elsewhere_is_published_from_its_folder(call: Callable[..., Any], store: Path) -> None:
    after, before = (row["id"] for row in call("GET", "snapshots").get_json()["data"]["snapshots"])
    shutil.copytree(store / "snapshots" / before, store.parent / "incoming" / before)
    assert call("GET", "snapshots").get_json()["data"]["incoming"] == [before]
    job = call("POST", "jobs", kind="publish", parameters={"snapshot": before}).get_json()["data"]["job"]
    wait_for(store, job["id"])
    rows = call("GET", "snapshots").get_json()["data"]["snapshots"]
    assert [(row["id"], row["is_current"]) for row in rows] == [(before, True), (after, False)]


def test_workers_say_what_they_served(operator: Any, served: Post, call: Callable[..., Any]) -> None:
    served()
    (worker,) = call("GET", "snapshots").get_json()["data"]["workers"]
    current = call("GET", "snapshots").get_json()["data"]["snapshots"][0]["id"]
    assert worker["process"] == str(os.getpid()) and worker["snapshot"] == current and worker["rules"] == 0
    block = {"name": "b", "action": "block", "keywords": {"equals": ["flowers"]}}
    call("POST", "rules", version=0, rule=block)
    call("POST", "rules/live", version=1)
    served()
    (worker,) = call("GET", "snapshots").get_json()["data"]["workers"]
    assert worker["rules"] == 1
