"""From an engine's name to the open engine."""

from pathlib import Path

from indexes.errors import UsageError
from mining.engines.engine import Engine

ENGINES = ("duckdb", "local[N]", "spark://HOST:PORT")


def open_engine(name: str, scratch: Path, threads: int, memory_mb: int) -> Engine:
    """Open an engine that may spill into the folder `scratch`.

    `local[N]` is Spark in this machine on N threads, or `*` for one a core; `spark://…` a standalone cluster, whose
    executors get `memory_mb` each. Raises UsageError if there is no engine of that name, KRError with the remedy if it
    cannot be started or reached.
    """
    if name == "duckdb":
        from mining.engines.duckdb_engine import DuckDBEngine

        return DuckDBEngine(scratch, threads, memory_mb)
    from mining.engines.spark_session import is_master

    if is_master(name):
        from mining.engines.spark_engine import SparkEngine

        return SparkEngine(name, scratch, memory_mb)
    raise UsageError(f"There is no engine {name!r}.", f"Use --engine {', '.join(ENGINES[:-1])} or {ENGINES[-1]}.")
