"""The suggestion bench: right answers are recognised, wrong ones too, and every system has its rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from indexes import suggest_bench
from indexes.arrays import ArrayFolder
from indexes.bench_table import COLUMNS
from indexes.commands import bench_suggest
from indexes.errors import UsageError
from indexes.prefixes import Prefixes
from indexes.prefixes_query import Query
from indexes.prefixes_write import write_prefixes
from indexes.suggest_peers import SUGGEST_PEERS, Sqlite
from indexes.suggest_queries import KINDS

KEYWORDS = ["鲜花", "鲜花店", "鲜花速递", "先锋", "花店", "花", "flower", "flowers", "银行"]
WEIGHTS = np.array([9, 5, 5, 1, 7, 3, 4, 8, 2])


@pytest.mark.parametrize("peer", [peer for peer in SUGGEST_PEERS if peer.is_installed()], ids=lambda peer: peer.name)
@pytest.mark.filterwarnings("ignore")
def test_each_installed_peer_finds_the_heaviest_keywords_with_a_prefix(peer: Any, tmp_path: Path) -> None:
    peer.build(iter(KEYWORDS), WEIGHTS, tmp_path)
    top = peer(WEIGHTS, tmp_path).top
    for prefix in ("鲜", "鲜花", "花", "flower", "银行", "行"):
        begin = [place for place, keyword in enumerate(KEYWORDS) if keyword.startswith(prefix)]
        expected = sorted(begin, key=lambda place: (-WEIGHTS[place], place))[:2]
        assert [WEIGHTS[place] for place in top(prefix, 2)] == [WEIGHTS[place] for place in expected]
        if peer.breaks_ties_by_id:
            assert top(prefix, 2) == expected

    def ours(text: str) -> list[int]:
        return sorted(
            (place for place, keyword in enumerate(KEYWORDS) if keyword.startswith(text)),
            key=lambda place: (-WEIGHTS[place], place),
        )[:10]

    def asked(text: str) -> list[int]:
        return list(top(text, 10))

    assert suggest_bench._agrees(peer, asked, ours, WEIGHTS, ["鲜", "花"])
    assert not suggest_bench._agrees(peer, lambda text: asked(text)[1:], ours, WEIGHTS, ["鲜", "花"])


def test_a_wrong_answer_is_seen_by_reading_keywords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heads = np.arange(len(KEYWORDS), dtype=np.int32)
    write_prefixes(tmp_path, KEYWORDS, WEIGHTS, heads, np.ones(len(KEYWORDS), bool))
    prefixes = Prefixes(ArrayFolder(tmp_path), heads)
    for text in ("xh", "xianhua", "xianghua", "花", "zzz"):
        assert suggest_bench._is_right(prefixes, text)
    right = prefixes.top(Query.of("xh"), 10)
    monkeypatch.setattr(Prefixes, "top", lambda self, query, k: type(right)(right.ids[1:], right.ranks[1:], 2))
    assert not suggest_bench._is_right(prefixes, "xh")


def test_queries_are_typed_as_their_kind_says() -> None:
    generator = np.random.default_rng(0)
    flowers = [("鲜", "xian"), ("花", "hua")]
    for _ in range(50):
        assert KINDS["string"](flowers, generator) in ("鲜", "鲜花")
        assert "xianhua".startswith(KINDS["pinyin"](flowers, generator) or "?")
        assert KINDS["initials"](flowers, generator) in ("x", "xh")
        assert KINDS["latin"](flowers, generator) is None
        assert KINDS["typo"](flowers, generator) not in ("xian", "xianhua")


def test_the_bench_prints_rows_for_every_kind_and_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggest_bench, "QUERIES", 20)
    monkeypatch.setattr(suggest_bench, "CHECKED_KEYWORDS", 500)
    monkeypatch.setattr(suggest_bench, "SUGGEST_PEERS", (Sqlite,))
    rows = suggest_bench.run_suggest_bench(2000, tmp_path)
    names = [row["system"] for row in rows]
    assert names == ["KR string", "SQLite string", *(f"KR {kind}" for kind in KINDS if kind != "string"), names[-1]]
    assert all(set(COLUMNS[:-1]) <= set(row) for row in rows)
    assert all(row["agrees"] for row in rows[:-1])
    assert all(rows[place]["build_s"] > 0 and rows[place]["bytes"] > 0 for place in (0, 1))


def test_a_work_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    result = CliRunner().invoke(bench_suggest, ["--work", str(tmp_path)])
    assert isinstance(result.exception, UsageError)
