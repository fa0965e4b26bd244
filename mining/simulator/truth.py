"""The planted truth: which keywords belong together, read from a simulation's truth/ folder. Only evaluation reads it.

Two keywords are related by what people meant, with a grade:

 3  the same need: same product, intent and language, and no facet (place, brand, attribute) that both name differs
 2  the same product in the same language, with another intent or facet
 1  the same product in the other language, or a complementary or substitute product in the same language
 0  anything else, a keyword with itself, a keyword that the truth doesn't know

A misspelling or variant means what the query means that it stands for.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from indexes.errors import CorruptError, NotFoundError

SAME_NEED, SAME_PRODUCT, LOOSE = 3, 2, 1
FORMAT_VERSION = 1
_FACETS = ("place", "brand", "attribute")


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """Whole numbers for texts: equal for equal texts, -1 for null."""
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def conflict(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Where two facets (codes, -1 for none) are both given and differ."""
    return (left >= 0) & (right >= 0) & (left != right)


@dataclass(frozen=True)
class Truth:
    """The keywords of a simulated log with what they mean, a row each, in the order of keywords.parquet."""

    keywords: list[str]
    searches: np.ndarray
    unsafe: np.ndarray
    product: np.ndarray
    intent: np.ndarray
    language: np.ndarray
    facets: np.ndarray
    # related[a, b]: products a and b complement or replace each other.
    related: np.ndarray

    @classmethod
    def load(cls, folder: Path) -> "Truth":
        """Read a truth/ folder. Raises NotFoundError if it isn't one, CorruptError for another format."""
        description = folder / "truth.json"
        if not description.is_file():
            raise NotFoundError(f"{folder} holds no truth.json.", "Name the truth folder of a simulation.")
        version = json.loads(description.read_text(encoding="utf-8")).get("format_version")
        if version != FORMAT_VERSION:
            raise CorruptError(f"{description} has format {version!r}, not {FORMAT_VERSION}.", "Simulate again.")
        table = pq.read_table(folder / "keywords.parquet")
        relations = pq.read_table(folder / "product_relations.parquet")
        products = table["product_id"].combine_chunks().dictionary_encode()
        position = {name: index for index, name in enumerate(products.dictionary.to_pylist())}
        related = np.zeros((len(position), len(position)), dtype=bool)
        for one, other in zip(relations["product_id"].to_pylist(), relations["related_id"].to_pylist(), strict=True):
            if one in position and other in position:
                related[position[one], position[other]] = True
        return cls(
            keywords=table["keyword"].to_pylist(),
            searches=table["searches"].to_numpy(),
            unsafe=table["unsafe"].to_numpy(),
            product=products.indices.to_numpy(),
            intent=_codes(table["intent"]),
            language=_codes(table["language"]),
            facets=np.stack([_codes(table[name]) for name in _FACETS], axis=1),
            related=related,
        )

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each keyword."""
        return {keyword: row for row, keyword in enumerate(self.keywords)}

    def rows(self, keywords: Sequence[str]) -> np.ndarray:
        """Rows of keywords (int64), -1 for unknown ones."""
        known = self.row_of
        return np.fromiter((known.get(keyword, -1) for keyword in keywords), dtype=np.int64, count=len(keywords))

    def grades(self, left: Sequence[str], right: Sequence[str]) -> np.ndarray:
        """The grade of each pair (int8)."""
        return self.row_grades(self.rows(left), self.rows(right))

    def row_grades(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """The grade of each pair of rows (int8); rows of -1 give 0. The two arrays broadcast."""
        same_product = self.product[left] == self.product[right]
        same_language = self.language[left] == self.language[right]
        clash = conflict(self.facets[left], self.facets[right]).any(axis=-1)
        same_need = (self.intent[left] == self.intent[right]) & ~clash
        grade = np.where(
            same_product,
            np.where(same_language, np.where(same_need, SAME_NEED, SAME_PRODUCT), LOOSE),
            np.where(same_language & self.related[self.product[left], self.product[right]], LOOSE, 0),
        )
        return np.where((left < 0) | (right < 0) | (left == right), 0, grade).astype(np.int8)

    def relevant_counts(
        self, keywords: Sequence[str], minimum_searches: int = 1, with_unsafe: bool = False
    ) -> np.ndarray:
        """How many keywords of each grade there are to find for each keyword (int64, keywords × 3: grades 3, 2, 1).

        Only keywords with at least so many searches by people count, and unsafe ones only if asked for. Unknown
        keywords have none.
        """
        allowed = (self.searches >= minimum_searches) & (with_unsafe | ~self.unsafe)
        pool = np.flatnonzero(allowed)
        pool = pool[np.argsort(self.product[pool], kind="stable")]
        products = self.product[pool]
        result = np.zeros((len(keywords), 3), dtype=np.int64)
        wanted = self.rows(keywords)
        for product in np.unique(self.product[wanted[wanted >= 0]]).tolist():
            others = [product, *np.flatnonzero(self.related[product]).tolist()]
            near = np.concatenate([pool[slice(*np.searchsorted(products, [other, other + 1]))] for other in others])
            asked = np.flatnonzero((wanted >= 0) & (self.product[wanted] == product))
            for begin in range(0, len(asked), _ROWS_AT_A_TIME):
                part = asked[begin : begin + _ROWS_AT_A_TIME]
                grades = self.row_grades(wanted[part][:, None], near[None, :])
                for column, grade in enumerate((SAME_NEED, SAME_PRODUCT, LOOSE)):
                    result[part, column] = (grades == grade).sum(axis=1)
        return result

    def neighbors(self, keyword: str, minimum_searches: int = 1, limit: int | None = None) -> list[tuple[str, int]]:
        """The keywords related to one with their grades, best and most searched first; unsafe ones are left out."""
        row = self.row_of.get(keyword)
        if row is None:
            return []
        others = [int(self.product[row]), *np.flatnonzero(self.related[self.product[row]]).tolist()]
        near = np.flatnonzero(np.isin(self.product, others) & (self.searches >= minimum_searches) & ~self.unsafe)
        grades = self.row_grades(np.full(len(near), row), near)
        near, grades = near[grades > 0], grades[grades > 0]
        order = np.lexsort((near, -self.searches[near], -grades))[:limit]
        return [(self.keywords[near[index]], int(grades[index])) for index in order]


_ROWS_AT_A_TIME = 512


def related_grades(folder: Path, left: Sequence[str], right: Sequence[str]) -> np.ndarray:
    """The grade of each pair of keywords (int8, 0 to 3) by the truth in a folder; see the module's text."""
    return Truth.load(folder).grades(left, right)
