"""From an engine's name to the open engine."""

from pathlib import Path

from indexes.errors import UsageError
from mining.engines.engine import Engine

ENGINES = ("duckdb",)


def open_engine(name: str, scratch: Path, threads: int, memory_mb: int) -> Engine:
    """Open an engine that may spill into the folder `scratch`; raises UsageError if there is no engine of that name."""
    if name == "duckdb":
        from mining.engines.duckdb_engine import DuckDBEngine

        return DuckDBEngine(scratch, threads, memory_mb)
    raise UsageError(f"There is no engine {name!r}.", f"Use --engine {' or '.join(ENGINES)}.")
