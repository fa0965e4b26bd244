"""What the tests of ingest share: a fixed clock, ways to write raw files, and ways to read what came out."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mining.ingest import IngestReport, ingest, log_parts

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True, scope="module")
def no_waiting_for_the_disk() -> Iterator[None]:
    """What fsync is for, a power cut, no test can see; the waiting is most of the time of a tiny ingest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., IngestReport]:
    """Ingest into tmp_path/out at a fixed time."""

    def call(adapter: str, source: Path, **options: Any) -> IngestReport:
        return ingest(adapter, source, options.pop("out", tmp_path / "out"), **{"now": NOW, **options})

    return call


@pytest.fixture
def rows() -> Callable[[Path, str], list[dict[str, Any]]]:
    """All published rows of a table, in the order of parts and rows."""

    def read(out: Path, table: str) -> list[dict[str, Any]]:
        return [row for path in log_parts(out).get(table, []) for row in pq.read_table(path).to_pylist()]

    return read


@pytest.fixture
def rejects() -> Callable[[Path], list[dict[str, Any]]]:
    """Every line of every rejects file."""

    def read(out: Path) -> list[dict[str, Any]]:
        paths = sorted((out / "rejects").glob("*.jsonl"))
        return [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]

    return read


@pytest.fixture
def tree() -> Callable[[Path], dict[str, bytes]]:
    """Every file below a folder with its bytes."""

    def read(folder: Path) -> dict[str, bytes]:
        paths = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(paths)}

    return read
