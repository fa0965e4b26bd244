"""What every test may use: a simulated market taken through the whole path, a tiny one by hand, the real data.

With workers (`pytest -n 2`, which is what `make test` runs) a test file stays whole on one of them, and what all tests
look at is made once for the whole run.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import hypothesis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PROJECT = Path(__file__).parents[1]

# How long an example takes to draw or to run says something about the machine, nothing about the code.
hypothesis.settings.register_profile("kr", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("kr")


skipped_in_ci: dict[str, str] = {}
"""Why a test, or a whole file while it was read, was skipped."""


def pytest_runtest_logreport(report: pytest.TestReport | pytest.CollectReport) -> None:
    """In CI everything that a test may need is there, so a skipped test is a test that did not do its work."""
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        skipped_in_ci[report.nodeid] = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""


pytest_collectreport = pytest_runtest_logreport


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if skipped_in_ci:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for nodeid, reason in skipped_in_ci.items():
        terminalreporter.write_line(f"skipped in CI, which counts as a failure: {nodeid}: {reason}", red=True)


ON_SPARK = "tests on Spark"
LONGEST_FIRST = (
    ON_SPARK,
    "tests/webui/test_browser_accessibility.py",
    "tests/mining/test_spark_cluster.py",
)


def unit_of(nodeid: str) -> str:
    """What stays on one worker: a test file, whose fixtures are made once, and all tests on the one running Spark."""
    file = nodeid.partition("::")[0]
    return ON_SPARK if nodeid.endswith("[spark]") or file.endswith("/test_spark_engine.py") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out units, those that take longest first, so that no worker is left alone with one at the end."""
    from xdist.scheduler import LoadScopeScheduling

    class UnitScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    config.option.loadscopereorder = False
    return UnitScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        place = {unit: number for number, unit in enumerate(LONGEST_FIRST)}
        items.sort(key=lambda item: place.get(unit_of(item.nodeid), len(place)))


def made_once(folders: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder of this name that `make` fills, once in a test run: the workers wait for the one that came first."""
    base = folders.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / name
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base / f"{name}.made").exists():
            # What a worker that failed has left.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (base / f"{name}.made").touch()
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; tests that need it are skipped where it is missing."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data (../shared/data) is not on this machine")
    return folder


@pytest.fixture(scope="session")
def small_market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated small market: raw/, truth/, logs/, mined/ and store/ under one folder."""
    from mining.build import build
    from mining.ingest import ingest
    from mining.mine import mine
    from mining.settings import mining_settings
    from mining.simulator import simulate

    def make(folder: Path) -> None:
        simulate("small", 1, folder)
        ingest("parquet", folder / "raw", folder / "logs")
        mine(folder / "logs", folder / "mined", mining_settings(()))
        build(folder / "mined", folder / "store")

    return made_once(tmp_path_factory, "market", make)


@pytest.fixture(scope="session")
def small_store(small_market: Path) -> Path:
    """The store of the small market; 鲜花 and `flower delivery` are among its keywords."""
    return small_market / "store"


TINY_DATES = {"first_date": date(2024, 1, 3), "last_date": date(2024, 3, 30)}
TINY_MONTHS = [date(2023 + month // 12, month % 12 + 1, 1) for month in range(11, 15)]  # 2023-12 … 2024-03

# keyword: searches in each of four months, users, competition index, bids in micros, advertisers
TINY_KEYWORDS: dict[str, tuple[list[int], int, float | None, int | None, int | None, int | None]] = {
    "鲜花": ([0, 300, 400, 500], 800, 90.0, 2_000_000, 5_000_000, 40),
    "鲜花速递": ([0, 100, 120, 160], 250, 70.0, 1_500_000, 4_000_000, 20),
    "速递鲜花": ([0, 2, 3, 1], 6, None, None, None, None),
    "鮮花速遞": ([0, 1, 1, 1], 3, None, None, None, None),
    "鲜花店": ([0, 30, 30, 30], 60, 50.0, 900_000, 2_000_000, 8),
    "鲜花 北京": ([0, 10, 10, 10], 20, 40.0, 800_000, 1_500_000, 3),
    "先花": ([0, 1, 0, 1], 2, None, None, None, None),
    "生日蛋糕": ([0, 90, 90, 95], 180, 60.0, 1_000_000, 2_500_000, 12),
    "送女友礼物": ([0, 20, 60, 25], 90, 20.0, 400_000, 900_000, 2),
    "flower delivery": ([0, 40, 50, 60], 120, 65.0, 1_000_000, 3_000_000, 10),
    "flowers": ([0, 80, 80, 80], 150, 55.0, 900_000, 2_500_000, 9),
    "flower": ([0, 8, 8, 8], 15, 10.0, 200_000, 500_000, 1),
    "running shoes": ([0, 50, 60, 70], 140, 80.0, 1_100_000, 2_800_000, 14),
    "runing shoes": ([0, 1, 1, 0], 2, None, None, None, None),
    "英语培训": ([0, 60, 70, 80], 160, 75.0, 3_000_000, 9_000_000, 16),
    "在线赌博": ([0, 9, 9, 9], 20, None, None, None, None),
    "!!!": ([0, 1, 0, 0], 1, None, None, None, None),
}
# keyword, neighbour: sessions, users
TINY_SESSIONS = {
    ("鲜花", "生日蛋糕"): (60, 55),
    ("鲜花", "送女友礼物"): (40, 38),
    ("鲜花", "flower delivery"): (5, 5),
    ("鲜花速递", "鲜花店"): (30, 25),
    ("鲜花", "在线赌博"): (12, 12),
    ("鲜花", "英语培训"): (1, 1),
}


def write_tiny_mined(folder: Path) -> Path:
    """Mined tables of a market of 17 keywords, small enough to check by hand."""
    from mining.mined_tables import MINED_TABLES

    folder.mkdir(parents=True)
    keywords = sorted(TINY_KEYWORDS)
    statistics = []
    for keyword in keywords:
        months, users, competition, low, high, advertisers = TINY_KEYWORDS[keyword]
        statistics.append(
            {
                "keyword": keyword,
                "searches": sum(months),
                "users": users,
                **TINY_DATES,
                "avg_monthly_searches": sum(months[1:]) / 3,
                "change_3m": None,
                "change_yoy": None,
                "clicks": 10,
                "ad_impressions": 100,
                "ad_clicks": 5,
                "ad_ctr": 0.05,
                "advertisers": advertisers,
                "competition_index": competition,
                "competition": None,
                "low_top_of_page_bid_micros": low,
                "high_top_of_page_bid_micros": high,
            }
        )
    _write(folder, "keyword_statistics", statistics, change_3m=pa.float64(), change_yoy=pa.float64())
    rows = [
        {"keyword": keyword, "month": month, "searches": searches, "complete": place > 0}
        for keyword in keywords
        for place, (month, searches) in enumerate(zip(TINY_MONTHS, TINY_KEYWORDS[keyword][0], strict=True))
        if searches or place == 0
    ]
    _write(folder, "keyword_months", rows, month=pa.date32())
    segments = [
        {"keyword": keyword, "device": "mobile", "region": None, "searches": sum(TINY_KEYWORDS[keyword][0])}
        for keyword in keywords
    ]
    _write(folder, "keyword_segments", segments, region=pa.string())
    both = {**TINY_SESSIONS, **{(b, a): value for (a, b), value in TINY_SESSIONS.items()}}
    pairs = [
        {"keyword": a, "neighbor": b, "sessions": sessions, "users": users, **TINY_DATES}
        for (a, b), (sessions, users) in sorted(both.items())
    ]
    pairs = [{**pair, "recency": None} for pair in pairs]
    weighed = [{**pair, "weight": pair["sessions"] * 0.8} for pair in pairs]
    _write(folder, "cooccurrence", weighed, recency=pa.float64())
    rules = [
        {**pair, "support": pair["sessions"] / 5000, "confidence": 0.05, "lift": 30.0}
        for pair in pairs
        if pair["users"] > 5
    ]
    _write(folder, "association_rules", rules, recency=pa.float64())
    clicks = {
        "similarity": 0.5,
        "shared_urls": 2,
        "clicks": 31,
        "users": 17,
        **TINY_DATES,
        "recency": None,
        "path": None,
    }
    linked = {**clicks, "similarity": 0.0, "shared_urls": 0, "clicks": 0, "users": 0}
    path = ["鲜花", "http://a.example/", "鲜花速递", "http://b.example/", "鲜花店"]
    click_neighbors = [
        {"keyword": "flowers", "neighbor": "鲜花", **clicks},
        {"keyword": "鲜花", "neighbor": "flowers", **clicks},
        {"keyword": "鲜花", "neighbor": "鲜花店", **linked, "path": path},
    ]
    _write(folder, "click_neighbors", click_neighbors, recency=pa.float64())
    _write(folder, "click_clusters", [{"keyword": k, "cluster_id": 0, "cluster_size": 2} for k in ("flowers", "鲜花")])
    pages = {"similarity": 0.8, "users": 12, **TINY_DATES, "recency": None}
    page_terms = [("鲜花", "鲜花店"), ("鲜花店", "鲜花")]
    alike = [{"keyword": a, "neighbor": b, **pages} for a, b in page_terms]
    _write(folder, "page_term_neighbors", alike, recency=pa.float64())
    # A model that knows no term: likeness has tests of its own.
    pq.write_table(MINED_TABLES["term_vectors"].schema.empty_table(), folder / "term_vectors.parquet")
    report = {
        "format_version": 1,
        "window": {"first_ts": "2024-01-01T00:00:00Z", "last_ts": "2024-03-31T23:59:59Z"},
        "months": [month.isoformat() for month in TINY_MONTHS],
        "inputs": {"searches": {"files": 1, "rows": 5000, "sha256": "00"}},
        "settings": {},
        "set_aside": {},
        "counts": {"searches": 5000, "users": 2000, "sessions": 5000, "keywords": len(keywords)},
    }
    (folder / "mining_report.json").write_text(json.dumps(report), encoding="utf-8")
    return folder


def _write(folder: Path, name: str, rows: list[dict], **types: pa.DataType) -> None:
    table = pa.Table.from_pylist(rows)
    for position, field in enumerate(table.schema):
        if field.name in types:
            table = table.set_column(position, field.name, table[field.name].cast(types[field.name]))
    pq.write_table(table, folder / f"{name}.parquet")


@pytest.fixture(scope="session")
def tiny_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of the market written by hand."""
    from mining.build import build

    def make(folder: Path) -> None:
        build(write_tiny_mined(folder / "mined"), folder / "store")

    return made_once(tmp_path_factory, "tiny", make) / "store"


@pytest.fixture(scope="session")
def tiny_mined_writer() -> Callable[[Path], Path]:
    """Writes the mined tables of the tiny market into a new folder, for tests that change them."""
    return write_tiny_mined


TINY_PAGES = [
    ("http://shop.example/flowers", "鲜花速递 - 花店", "生日送鲜花，北京当天送达。"),
    ("https://shoes.example/running", "Running shoes | Shoes", "Light running shoes for long runs."),
    ("https://shoes.example/running/", "Another page", "Another text."),
    ("https://shop.example/flowers", "The same page again", ""),
]


@pytest.fixture(scope="session")
def tiny_pages_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of the market written by hand, whose platform has crawled TINY_PAGES."""
    from mining.build import build
    from mining.mined_tables import MINED_TABLES

    folder = tmp_path_factory.mktemp("tiny-pages")
    mined = write_tiny_mined(folder / "mined")
    rows = [dict(zip(("url", "title", "text"), page, strict=True)) for page in TINY_PAGES]
    pq.write_table(pa.Table.from_pylist(rows, MINED_TABLES["crawled_pages"].schema), mined / "crawled_pages.parquet")
    build(mined, folder / "store")
    return folder / "store"
