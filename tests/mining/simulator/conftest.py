"""One small market for all tests that look at a finished simulation, and a tiny size for those that write many."""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mining.simulator import FORMATS, simulate
from mining.simulator.sizes import SIZES
from mining.simulator.truth import Truth

SEED = 20


@dataclass(frozen=True)
class Simulated:
    """A finished simulation and its summary."""

    folder: Path
    summary: dict[str, Any]
    truth: Truth

    def raw(self, name: str) -> pa.Table:
        files = sorted(
            [*(self.folder / "raw").glob(f"{name}-*.parquet"), *(self.folder / "raw").glob(f"{name}.parquet")]
        )
        return pa.concat_tables([pq.read_table(file) for file in files])

    def planted(self, name: str) -> pa.Table:
        files = sorted((self.folder / "truth").glob(f"{name}.parquet"))
        return pa.concat_tables([pq.read_table(file) for file in files])


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    folder = tmp_path_factory.mktemp("small")
    summary = simulate("small", SEED, folder)
    return Simulated(folder, summary, Truth.load(folder / "truth"))


@pytest.fixture(scope="session")
def tiny() -> Iterator[Callable[..., dict[str, Any]]]:
    """`simulate` for a market of 1,500 searches in several shards."""
    SIZES["tiny"] = dataclasses.replace(
        SIZES["small"],
        name="tiny",
        searches=1500,
        users=300,
        advertisers=40,
        kinds=2,
        places=2,
        places_with_kinds=1,
        varied_queries=1500,
        robots=2,
        fraud_rings=3,
        bursts=2,
        shard_searches=600,
    )

    def run(folder: Path, raw_format: str = "parquet", seed: int = SEED) -> dict[str, Any]:
        return simulate("tiny", seed, folder, raw_format)

    yield run
    del SIZES["tiny"]


@pytest.fixture(scope="session")
def tiny_markets(tiny, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, Any]]]:
    """The tiny market in every raw format: its folder and summary."""
    folder = tmp_path_factory.mktemp("tiny")
    return {raw_format: (folder / raw_format, tiny(folder / raw_format, raw_format)) for raw_format in FORMATS}
