"""The bench of co-occurrence: made sessions are sessions, and every system finds the same pairs."""

from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mining import cooccurrence_bench
from mining.cooccurrence_bench import CHUNK_ROWS, OURS, PEER, run_cooccurrence_bench


def test_every_system_finds_the_same_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cooccurrence_bench, "ROUNDS", 1)
    ours, peer = run_cooccurrence_bench(3000, tmp_path, spark=False)
    assert (ours["system"], peer["system"]) == (OURS, PEER)
    assert ours["agrees"] and peer["agrees"] and ours["pairs"] == peer["pairs"] > 0
    assert ours["ratio"] == 1 and peer["ratio"] == peer["mean_ms"] / ours["mean_ms"]


def test_pairs_that_differ_in_anything_do_not_agree() -> None:
    rows = {name: [1] for name in cooccurrence_bench.RESULT}
    table = cooccurrence_bench.pa.table(rows)
    table = table.cast(cooccurrence_bench.pa.schema([(n, "int32" if n.endswith("date") else "int64") for n in rows]))
    for name in rows:
        place = table.schema.get_field_index(name)
        other = table.set_column(place, name, cooccurrence_bench.pa.array([2], table.schema.field(name).type))
        assert cooccurrence_bench._digest(other) != cooccurrence_bench._digest(table), name


@pytest.mark.parametrize("rows", [1000, CHUNK_ROWS + 7])
def test_made_searches_are_in_sessions_and_none_repeats_the_one_before(tmp_path: Path, rows: int) -> None:
    cooccurrence_bench._write_events(rows, tmp_path / "events.parquet")
    table = pq.read_table(tmp_path / "events.parquet")
    assert table.num_rows == rows
    assert table["position"].to_pylist() == list(range(rows))
    session, keyword, user = (table[name].to_pylist() for name in ("session", "keyword_id", "user_no"))
    assert all(
        (a == b and x != y and u == v) or b == a + 1
        for (a, b), (x, y), (u, v) in zip(pairwise(session), pairwise(keyword), pairwise(user), strict=True)
    )
