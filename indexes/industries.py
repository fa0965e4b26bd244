"""The operator's industry tree, and the keywords that each industry's advertisers buy, best first (SPEC §1.9, c2i).

Industries are numbered in the order of their ids. The part is optional: older snapshots have none.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayReader, checked, offsets_from_counts, write_array
from indexes.vocabulary import StringList, Vocabulary, write_strings, write_vocabulary

PART = "industries"
KEYWORD_COLUMNS: dict[str, Any] = {
    "keyword": np.int32,
    "score": np.float32,
    "advertisers": np.int32,
    "of": np.int32,
    "first_day": np.int32,
    "last_day": np.int32,
}
"""Keyword ids; score in 0..1; bought by `advertisers` of the industry's `of` known ones, days since 1970-01-01."""


@dataclass(frozen=True)
class Industry:
    """One node: its number, id, names ("" where the operator gave none), and advertisers in it and below.

    `keywords` are those that were mined; `more_keywords` says that its advertisers buy others, too, or may.
    """

    number: int
    id: str
    name_en: str
    name_zh: str
    advertisers: int
    keywords: int
    more_keywords: bool
    children: int


class Industries:
    """The tree of one snapshot, mapped; every question costs what its answer is long."""

    def __init__(self, reader: ArrayReader, cut: Collection[int] | None = None, most: int | None = None) -> None:
        """`cut` are the industries whose lists end where mining ends them, at `most` keywords; None if that was not
        written down: then a list of that length may be one."""
        self._cut = None if cut is None else frozenset(cut)
        self._most = most
        self._ids = Vocabulary(reader, f"{PART}/ids")
        count = len(self._ids)
        self._names = {code: StringList(reader, f"{PART}/names_{code}") for code in ("en", "zh")}
        self._parents = checked(reader, f"{PART}/parents", np.int32, count)
        self._advertisers = checked(reader, f"{PART}/advertisers", np.int32, count)
        # Row 0 of the children holds the roots, row 1 + n those of the industry n.
        self._child_offsets = checked(reader, f"{PART}/child_offsets", np.int64, count + 2)
        self._children = checked(reader, f"{PART}/children", np.int32, count)
        self._offsets = checked(reader, f"{PART}/keyword_offsets", np.int64, count + 1)
        rows = int(self._offsets[-1])
        self._columns = {
            name: checked(reader, f"{PART}/bought/{name}", dtype, rows) for name, dtype in KEYWORD_COLUMNS.items()
        }

    @staticmethod
    def open(reader: ArrayReader, facts: dict[str, Any]) -> "Industries | None":
        """The part, or None if the snapshot was built without one."""
        if facts.get(PART) is None:
            return None
        return Industries(reader, facts.get("cut_industries"), facts.get("mining_settings", {}).get("recall_keywords"))

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, industry_id: str) -> int:
        """The number of an industry, -1 if there is none of this id."""
        return self._ids.find(industry_id)

    def __getitem__(self, number: int) -> Industry:
        keywords = int(self._offsets[number + 1] - self._offsets[number])
        is_long = self._most is not None and keywords >= self._most
        return Industry(
            number,
            self._ids[number],
            self._names["en"][number],
            self._names["zh"][number],
            int(self._advertisers[number]),
            keywords,
            is_long if self._cut is None else number in self._cut,
            int(self._child_offsets[number + 2] - self._child_offsets[number + 1]),
        )

    def children(self, number: int = -1) -> list[Industry]:
        """The industries right below one, or the roots: those of the most advertisers first."""
        rows = slice(int(self._child_offsets[number + 1]), int(self._child_offsets[number + 2]))
        return [self[child] for child in self._children[rows].tolist()]

    def above(self, number: int) -> list[Industry]:
        """The way from the root down to an industry, without it."""
        path: list[Industry] = []
        parent = int(self._parents[number])
        while parent >= 0 and len(path) < len(self):
            path.append(self[parent])
            parent = int(self._parents[parent])
        return path[::-1]

    def keywords(self, number: int) -> dict[str, Array]:
        """The KEYWORD_COLUMNS of an industry, the greatest score first."""
        rows = slice(int(self._offsets[number]), int(self._offsets[number + 1]))
        return {name: column[rows] for name, column in self._columns.items()}


@dataclass(frozen=True)
class IndustryRows:
    """What `write_industries` writes: ids ascending, names, parents as numbers (-1 for roots), advertisers, and the
    keywords of each as CSR with KEYWORD_COLUMNS."""

    ids: list[str]
    names_en: list[str]
    names_zh: list[str]
    parents: Array
    advertisers: Array
    keyword_offsets: Array
    columns: dict[str, Array]


def write_industries(folder: Path, rows: IndustryRows) -> None:
    """Write the part."""
    count = len(rows.ids)
    write_vocabulary(folder, f"{PART}/ids", rows.ids)
    write_strings(folder, f"{PART}/names_en", rows.names_en)
    write_strings(folder, f"{PART}/names_zh", rows.names_zh)
    write_array(folder, f"{PART}/parents.npy", rows.parents.astype(np.int32))
    write_array(folder, f"{PART}/advertisers.npy", rows.advertisers.astype(np.int32))
    order = np.lexsort((np.arange(count), -rows.advertisers, rows.parents))
    counts = np.bincount(rows.parents.astype(np.int64) + 1, minlength=count + 1)
    write_array(folder, f"{PART}/child_offsets.npy", offsets_from_counts(counts))
    write_array(folder, f"{PART}/children.npy", order.astype(np.int32))
    write_array(folder, f"{PART}/keyword_offsets.npy", rows.keyword_offsets.astype(np.int64))
    for name, dtype in KEYWORD_COLUMNS.items():
        write_array(folder, f"{PART}/bought/{name}.npy", rows.columns[name].astype(dtype))
