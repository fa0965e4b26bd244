"""DuckDB and Spark behind one interface: the only place that knows which engine runs the miners."""

from mining.engines.engine import Engine
from mining.engines.opening import ENGINES, open_engine

__all__ = ["ENGINES", "Engine", "open_engine"]
