"""The neighbours of `indexes.neighbors` from the miners' tables, a row group at a time.

A miner of `mined_pairs.py` is served once it has an entry in `MINERS`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from indexes.arrays import Array
from indexes.errors import CorruptError
from indexes.keyword_stats import UNKNOWN
from indexes.neighbors import FUSION, EvidenceColumn, NeighborsWriter
from mining.build_paths import PathWriter
from mining.build_tables import MINE_AGAIN, MinedTables, numbers
from mining.fusion import FUSED_PAIRS
from mining.mined_pairs import PAIR_MINERS, Demand
from mining.text_ids import TextIds

PATH = "path"
"""Evidence column whose number is that of a path in `indexes.click_paths`."""


@dataclass(frozen=True)
class Market:
    """What strengths are measured by: searches of each keyword, int64, and the number of sessions."""

    searches: Array
    sessions: int


@dataclass(frozen=True)
class ServedMiner:
    """A miner of `mined_pairs`, and the columns of its table that are kept as evidence (dates are days)."""

    name: str
    evidence: tuple[EvidenceColumn, ...]
    measured: tuple[str, ...] = ()
    """Columns that only the strength needs."""


DAYS = (EvidenceColumn("first_day"), EvidenceColumn("last_day"))
_COLUMN_OF = {"first_day": "first_date", "last_day": "last_date"}
_SESSIONS = (EvidenceColumn("sessions"), EvidenceColumn("users"), *DAYS)

MINERS = (
    ServedMiner("cooccurrence", (*_SESSIONS, EvidenceColumn("weight", decimals=2)), ("recency",)),
    ServedMiner(
        "association_rules",
        (*_SESSIONS, EvidenceColumn("confidence", decimals=4), EvidenceColumn("lift", decimals=2)),
        ("support", "recency"),
    ),
    ServedMiner(
        "click_clusters",
        (
            EvidenceColumn("shared_urls"),
            EvidenceColumn("clicks"),
            EvidenceColumn("users"),
            *DAYS,
            EvidenceColumn(PATH, minimum=UNKNOWN),
        ),
        ("similarity", "recency"),
    ),
    ServedMiner("page_terms", (EvidenceColumn("similarity", decimals=4), EvidenceColumn("users"), *DAYS), ("recency",)),
)


def write_all_neighbors(mined: MinedTables, ids: TextIds, market: Market, folder: Path) -> list[str]:
    """Write all miners' pairs and the paths that link them; return the miners' names."""
    first_day = int(np.datetime64(mined.report["window"]["first_ts"][:10], "D").astype(np.int64))
    with NeighborsWriter(folder, len(market.searches)) as writer, PathWriter(mined, ids, folder) as paths:
        for miner in MINERS:
            writer.add_miner(miner.name, [_within_window(column, first_day) for column in miner.evidence])
            _write_miner(mined, ids, market, miner, writer, paths)
        names = [miner.name for miner in MINERS]
        if mined.report.get("fusion_model_sha256"):
            writer.add_miner(FUSION, [])
            _write_fusion(mined, ids, writer)
            names.append(FUSION)
    return names


def _write_fusion(mined: MinedTables, ids: TextIds, writer: NeighborsWriter) -> None:
    """The learned strength of the pairs that are served with evidence."""
    served = [miner.name for miner in MINERS]
    for batch in mined.batches(FUSED_PAIRS, ["strength", *served], ["keyword", "neighbor"]):
        told = np.logical_or.reduce([batch[name].is_valid().to_numpy() for name in served])
        rows = batch.filter(pa.array(told))
        keyword, neighbor = (ids.of(FUSED_PAIRS, rows[side]) for side in ("keyword", "neighbor"))
        writer.append(keyword, neighbor, numbers(rows["strength"]), {})


def _within_window(column: EvidenceColumn, first_day: int) -> EvidenceColumn:
    """Days are counted from the window's first, which takes 9 bits instead of 15."""
    return EvidenceColumn(column.name, first_day) if column in DAYS else column


def _write_miner(
    mined: MinedTables, ids: TextIds, market: Market, served: ServedMiner, writer: NeighborsWriter, paths: PathWriter
) -> None:
    miner = PAIR_MINERS[served.name]
    columns = [_COLUMN_OF.get(column.name, column.name) for column in served.evidence] + list(served.measured)
    for batch in mined.batches(miner.table, columns, ["keyword", "neighbor"]):
        keyword, neighbor = (ids.of(miner.table, batch[side]) for side in ("keyword", "neighbor"))
        table = {name: numbers(batch[name]) for name in columns if name != PATH}
        if PATH in columns:
            table[PATH] = paths.append(batch[PATH])
        evidence = {column.name: table[_COLUMN_OF.get(column.name, column.name)] for column in served.evidence}
        demand = Demand(market.searches[keyword], market.searches[neighbor], market.sessions)
        try:
            writer.append(keyword, neighbor, miner.strength(batch, demand), evidence)
        except ValueError as error:
            raise CorruptError(f"The mined table {miner.table} cannot be used: {error}.", MINE_AGAIN) from None
