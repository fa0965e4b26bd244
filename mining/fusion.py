"""The table of all evidence: every pair of every miner once, with each miner's strength and one learned from all."""

from pathlib import Path

import pyarrow as pa

from indexes.arrays import Array
from mining.fusion_features import STRENGTH
from mining.fusion_model import FusionModel
from mining.mined_pairs import PAIR_MINERS
from mining.mined_tables import write_mined_table
from mining.pair_evidence import PairEvidence, Pairs

FUSED_PAIRS = "fused_pairs"


def write_fused_pairs(mined: Path, model: FusionModel) -> int:
    """Write the table into the folder of the mined tables that it is made of; return the number of rows."""
    evidence = PairEvidence(mined)
    batches = (_rows(pairs, model) for pairs in evidence.pairs())
    return write_mined_table(mined, FUSED_PAIRS, batches, evidence.keywords)


def write_no_fused_pairs(mined: Path) -> int:
    """Write the table without rows: without a model the miners are joined by the fixed rule of serving."""
    return write_mined_table(mined, FUSED_PAIRS, (), pa.array([], pa.string()))


def _rows(pairs: Pairs, model: FusionModel) -> pa.RecordBatch:
    columns: dict[str, Array] = {
        "keyword_id": pairs.keyword,
        "neighbor_id": pairs.neighbor,
        **{miner: pairs.column(f"{miner}.{STRENGTH}") for miner in PAIR_MINERS},
        "similarity": pairs.column("embeddings.similarity"),
        "strength": model.strength(pairs.features),
    }
    arrays = {name: pa.array(values) for name, values in columns.items()}
    for miner in PAIR_MINERS:
        arrays[miner] = pa.array(columns[miner], mask=~pairs.found[miner])
    return pa.RecordBatch.from_pydict(arrays)
