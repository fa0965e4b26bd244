"""The adapters by name."""

from mining.ingest.adapters.base import Adapter
from mining.ingest.adapters.sogouq import SogouQ
from mining.ingest.adapters.tabular import Tabular
from mining.ingest.adapters.ubi import UserBehaviorInsights

ADAPTERS = ("sogouq", "csv", "parquet", "jsonl", "ubi")


def make_adapter(name: str) -> Adapter:
    """The adapter of a name from ADAPTERS."""
    if name == SogouQ.name:
        return SogouQ()
    return UserBehaviorInsights() if name == UserBehaviorInsights.name else Tabular(name)
