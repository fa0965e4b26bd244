"""All miners' pairs side by side: each pair once, with what every miner says of it.

The mined tables are sorted by keyword, so pairs are put together for some keywords at a time, and only a few bytes a
row and miner are held whole.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from indexes.arrays import Array, sorted_distinct
from indexes.vocabulary import write_vocabulary
from mining.build_tables import MinedTables, numbers
from mining.fusion_features import FEATURES, MINED_FEATURES, NAMES, STRENGTH, transformed
from mining.keyword_texts import KeywordTexts
from mining.mined_pairs import PAIR_MINERS, Demand
from mining.mined_tables import COUNT, MINED_TABLES, REAL
from mining.text_ids import TextIds

PAIRS_AT_A_TIME = 500_000


@dataclass(frozen=True)
class MinerRows:
    """One miner's pairs in the order of `key` int64 = keyword · keywords + neighbor, with columns float32."""

    key: Array
    columns: dict[str, Array]


@dataclass(frozen=True)
class Pairs:
    """Some pairs in the order of their keywords: places int64, and `features` float32 (n, features) as FEATURES."""

    keyword: Array
    neighbor: Array
    features: Array

    def __len__(self) -> int:
        return len(self.keyword)

    found: dict[str, Array]
    """By miner, whether it has the pair, bool."""

    def column(self, name: str) -> Array:
        """One feature by its name."""
        return self.features[:, NAMES.index(name)]


class PairEvidence:
    """The evidence of one mining. `keywords` ascend in code point order; pairs name their places in them.

    Raises NotFoundError if tables are missing, CorruptError if they contradict each other.
    """

    def __init__(self, mined: Path) -> None:
        tables = MinedTables(mined)
        tables.count_keywords()
        parts = [batch["keyword"].combine_chunks() for batch in tables.batches("keyword_statistics", ["keyword"])]
        self.keywords: pa.Array = pa.concat_arrays(parts)
        self.searches = tables.column("keyword_statistics", "searches", np.int64)
        self._sessions = int(tables.report["counts"]["sessions"])
        texts: list[str] = self.keywords.to_pylist()
        with tempfile.TemporaryDirectory(prefix="kr-evidence-") as name:
            scratch = Path(name)
            self.texts = KeywordTexts.of_mined(mined, texts, scratch)
            write_vocabulary(scratch, "keywords", texts)
            ids = TextIds(scratch)
            self._miners = {name: self._read(tables, ids, name) for name in PAIR_MINERS}

    def __len__(self) -> int:
        return len(self.keywords)

    def _read(self, tables: MinedTables, ids: TextIds, name: str) -> MinerRows:
        miner = PAIR_MINERS[name]
        wanted = [feature for feature in MINED_FEATURES if feature.miner == name]
        numeric = [column for column, kind in MINED_TABLES[miner.table].columns.items() if kind in (COUNT, REAL)]
        keys = [np.empty(0, np.int64)]
        values: dict[str, list[Array]] = {feature.name: [np.empty(0, np.float32)] for feature in wanted}
        for batch in tables.batches(miner.table, numeric, ["keyword", "neighbor"]):
            own, other = (ids.of(miner.table, batch[side]) for side in ("keyword", "neighbor"))
            keys.append(own * len(self) + other)
            demand = Demand(self.searches[own], self.searches[other], self._sessions)
            for feature in wanted:
                found = miner.strength(batch, demand) if feature.column == STRENGTH else numbers(batch[feature.column])
                values[feature.name].append(transformed(feature, found))
        return MinerRows(np.concatenate(keys), {column: np.concatenate(parts) for column, parts in values.items()})

    def pairs(self) -> Iterator[Pairs]:
        """All pairs in the order of (keyword, neighbor), about PAIRS_AT_A_TIME at a time, keywords never divided."""
        per_keyword = np.zeros(len(self) + 1, np.int64)
        for rows in self._miners.values():
            per_keyword[1:] += np.bincount(rows.key // len(self), minlength=len(self))
        before = np.cumsum(per_keyword)
        begin = 0
        while begin < len(self):
            end = max(int(np.searchsorted(before, before[begin] + PAIRS_AT_A_TIME, side="right")) - 1, begin + 1)
            yield self._of_range(begin, end)
            begin = end

    def pairs_of(self, keywords: Array) -> Pairs:
        """The pairs of some keywords, given ascending."""
        wanted = np.zeros(len(self), bool)
        wanted[keywords] = True
        keys = [rows.key[wanted[rows.key // len(self)]] for rows in self._miners.values()]
        return self.describe(sorted_distinct(np.concatenate(keys)))

    def _of_range(self, begin: int, end: int) -> Pairs:
        bounds = np.array([begin, end]) * len(self)
        keys = [rows.key[slice(*np.searchsorted(rows.key, bounds))] for rows in self._miners.values()]
        return self.describe(sorted_distinct(np.concatenate(keys)))

    def describe(self, keys: Array) -> Pairs:
        """The features of pairs given as keyword · keywords + neighbor, ascending, whether a miner has them or not."""
        keyword, neighbor = keys // max(len(self), 1), keys % max(len(self), 1)
        features = np.zeros((len(keys), len(FEATURES)), np.float32)
        found = {}
        for miner, rows in self._miners.items():
            first, last = np.searchsorted(rows.key, [keys[0], keys[-1] + 1]) if len(keys) else (0, 0)
            part = slice(int(first), int(last))
            place = np.minimum(np.searchsorted(keys, rows.key[part]), max(len(keys) - 1, 0))
            held = np.flatnonzero(keys[place] == rows.key[part]) if len(keys) else place
            found[miner] = np.zeros(len(keys), bool)
            found[miner][place[held]] = True
            for name, column in rows.columns.items():
                features[place[held], NAMES.index(name)] = column[part][held]
        own = {
            "embeddings.similarity": self.texts.similarity(keyword, neighbor),
            "words.shared": self.texts.shared_words(keyword, neighbor),
            "keyword.searches": np.log1p(self.searches[keyword]),
            "neighbor.searches": np.log1p(self.searches[neighbor]),
        }
        for name, column in own.items():
            features[:, NAMES.index(name)] = column
        return Pairs(keyword, neighbor, features, found)
