"""What the tests of the miners share: logs written from plain rows, and mined tables read back as plain rows."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mining.mine import mine
from mining.mined_tables import MINED_TABLES
from mining.schema import canonical_tables
from mining.settings import MiningSettings

START = datetime(2025, 3, 1, tzinfo=UTC)
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Mined:
    """The mined tables of a log as rows, by name, and the report."""

    tables: dict[str, Rows]
    report: dict[str, Any]

    def by(self, name: str, *key: str) -> dict[Any, dict[str, Any]]:
        """The rows of a table by one column, or by several as tuples."""
        return {row[key[0]] if len(key) == 1 else tuple(row[part] for part in key): row for row in self.tables[name]}


def moment(minutes: float) -> datetime:
    """A time so many minutes after the start of the tests' logs, 2025-03-01 UTC."""
    return START + timedelta(minutes=minutes)


def write_logs(folder: Path, tables: dict[str, Rows]) -> Path:
    """Write canonical tables from rows; columns left out are null, and search_id counts up if left out."""
    for name, rows in tables.items():
        schema = canonical_tables()[name].arrow_schema
        whole = [
            {"search_id": f"s{number:04d}"} | row if name == "searches" else row for number, row in enumerate(rows)
        ]
        columns = {field.name: pa.array([row.get(field.name) for row in whole], field.type) for field in schema}
        (folder / name).mkdir(parents=True)
        pq.write_table(pa.table(columns, schema=schema), folder / name / "part-0.parquet")
    return folder


def read_mined(folder: Path) -> dict[str, Rows]:
    return {name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in MINED_TABLES}


@pytest.fixture(scope="session")
def at() -> Callable[[float], datetime]:
    return moment


@pytest.fixture(scope="session")
def written_logs() -> Callable[[Path, dict[str, Rows]], Path]:
    return write_logs


@pytest.fixture(scope="session")
def mined() -> Callable[..., Mined]:
    """Mine rows with settings given by name; robots are let through unless a test sets their thresholds."""

    def mine_rows(tables: dict[str, Rows], **settings: Any) -> Mined:
        lenient = {"robot_daily_searches": 10**6, "robot_gap_variation": 0, "robot_click_rate": 0}
        with tempfile.TemporaryDirectory() as name:
            folder = write_logs(Path(name) / "logs", tables)
            report = mine(folder, Path(name) / "mined", MiningSettings.model_validate(lenient | settings))
            return Mined(read_mined(Path(name) / "mined"), report)

    return mine_rows
