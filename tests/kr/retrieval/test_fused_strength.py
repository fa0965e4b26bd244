"""A learned strength of pairs, from the mined table to the relevance of a shown keyword."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexes.neighbors import FUSION
from indexes.opened import Indexes
from kr.relevance.literal import TRUST
from kr.service import KeywordService
from kr.settings import Settings
from kr.types import Request
from mining.build import build
from mining.mined_tables import MINED_TABLES

SEED = "鲜花"
# Pairs that miners have, and one that only buyers confirm, which is not served.
FUSED = {"生日蛋糕": 0.64, "送女友礼物": 0.01, "鲜花店": 0.25}
UNSERVED = "running shoes"


@pytest.fixture(scope="module")
def fused_store(tiny_mined_writer: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fused")
    mined = tiny_mined_writer(folder / "mined")
    rows = [
        {"keyword": SEED, "neighbor": neighbor, "cooccurrence": 0.5, "strength": strength}
        for neighbor, strength in FUSED.items()
    ]
    rows.append({"keyword": SEED, "neighbor": UNSERVED, "copurchase": 0.4, "strength": 0.9})
    rows.sort(key=lambda row: str(row["neighbor"]))
    pq.write_table(pa.Table.from_pylist(rows, MINED_TABLES["fused_pairs"].schema), mined / "fused_pairs.parquet")
    report = json.loads((mined / "mining_report.json").read_text(encoding="utf-8"))
    (mined / "mining_report.json").write_text(json.dumps(report | {"fusion_model_sha256": "00"}), encoding="utf-8")
    build(mined, folder / "store")
    return folder / "store"


def shown(store: Path) -> dict[str, dict]:
    service = KeywordService.open(Settings(store=store, min_relevance=0.0))
    reply = service.keyword_ideas(Request(seeds=(SEED,), limit=100, explain=True))
    assert reply.explain is not None
    stages = [stage["name"] for stage in reply.explain["stages"]]
    assert ("fused_strength" in stages) == (FUSION in Indexes.open(store).neighbors.miners)
    return {row["text"]: row for row in reply.rows}


def test_the_learned_strength_takes_the_place_of_the_joint_one(fused_store: Path, tiny_store: Path) -> None:
    fused, joint = shown(fused_store), shown(tiny_store)
    # Nothing in common with the seed's words: relevance is what people did.
    for keyword in ("生日蛋糕", "送女友礼物"):
        expected = TRUST[FUSION] * np.sqrt(FUSED[keyword])
        assert fused[keyword]["relevance"] == pytest.approx(expected, abs=2e-3)
        assert joint[keyword]["relevance"] != pytest.approx(expected, abs=2e-2)
    assert fused["生日蛋糕"]["relevance"] > fused["送女友礼物"]["relevance"]


def test_a_pair_without_a_learned_strength_keeps_the_joint_one(fused_store: Path, tiny_store: Path) -> None:
    fused, joint = shown(fused_store), shown(tiny_store)
    assert fused["flower delivery"]["relevance"] == pytest.approx(joint["flower delivery"]["relevance"])


def test_the_reasons_stay_those_of_the_miners_and_no_row_lacks_one(fused_store: Path, tiny_store: Path) -> None:
    fused, joint = shown(fused_store), shown(tiny_store)
    assert fused.keys() == joint.keys() and UNSERVED not in fused
    for keyword, row in fused.items():
        told, expected = ([reason["code"] for reason in each["reasons"]] for each in (row, joint[keyword]))
        assert sorted(told) == sorted(expected) and told


def test_strengths_are_served_as_they_were_mined(fused_store: Path) -> None:
    indexes = Indexes.open(fused_store)
    assert indexes.facts["fusion_model_sha256"] == "00"
    found = indexes.neighbors.of(np.array([indexes.keywords.find(SEED)]), 100)[FUSION]
    served = dict(zip(indexes.keywords.take(found.neighbor), found.strength.tolist(), strict=True))
    assert served == pytest.approx(FUSED, abs=1e-4)
