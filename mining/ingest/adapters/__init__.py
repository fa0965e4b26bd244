"""The adapters by name."""

from mining.ingest.adapters.base import Adapter
from mining.ingest.adapters.sogouq import SogouQ
from mining.ingest.adapters.tabular import Tabular
from mining.ingest.adapters.taxonomy import Taxonomy
from mining.ingest.adapters.ubi import UserBehaviorInsights

ADAPTERS = ("sogouq", "csv", "parquet", "jsonl", "ubi", "taxonomy")


def make_adapter(name: str) -> Adapter:
    """The adapter of a name from ADAPTERS."""
    if name == SogouQ.name:
        return SogouQ()
    if name == Taxonomy.name:
        return Taxonomy()
    return UserBehaviorInsights() if name == UserBehaviorInsights.name else Tabular(name)
