"""Labelled pairs: JSON lines, plain or gzipped, `{"query": "…", "keyword": "…", "label": 0}`.

Three or fewer distinct whole labels are classes, all else is graded. A file with a mistake is refused with its line.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.errors import UsageError
from indexes.text import fingerprint, normalise
from kr.relevance.text_lines import numbered_lines

MOST_CLASSES = 3
CLASSES, GRADED = "classes", "graded"
_SHAPE = 'Write one JSON object a line: {"query": "…", "keyword": "…", "label": 0}.'


@dataclass(frozen=True)
class LabelledPairs:
    """Pairs as they were read: `queries` and `keywords` as typed, `labels` float64 (n,)."""

    queries: tuple[str, ...]
    keywords: tuple[str, ...]
    labels: Array

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def kind(self) -> str:
        """`classes` or `graded`."""
        return kind_of(self.labels)

    def take(self, rows: Array) -> "LabelledPairs":
        """The pairs at these positions."""
        places = np.arange(len(self))[rows].tolist()
        return LabelledPairs(
            tuple(self.queries[place] for place in places),
            tuple(self.keywords[place] for place in places),
            self.labels[rows],
        )

    def groups(self) -> Array:
        """A number a pair, equal where the queries are equal or close variants; int64 (n,)."""
        numbers: dict[str, int] = {}
        seen: dict[str, int] = {}
        for query in self.queries:
            if query not in seen:
                seen[query] = numbers.setdefault(fingerprint(normalise(query)), len(numbers))
        return np.array([seen[query] for query in self.queries], np.int64)


def kind_of(labels: Array) -> str:
    """What these labels are: three or fewer distinct whole numbers are classes, all else is grades."""
    distinct = np.unique(labels)
    return CLASSES if len(distinct) <= MOST_CLASSES and np.array_equal(distinct, np.round(distinct)) else GRADED


def read_pairs(files: Sequence[Path]) -> LabelledPairs:
    """Read files of pairs one after the other; UsageError names the file, the line and the mistake.

    Files of classes beside files of grades are refused: their numbers are of different scales.
    """
    queries: list[str] = []
    keywords: list[str] = []
    labels: list[float] = []
    kinds: dict[str, Path] = {}
    for file in files:
        before = len(labels)
        for number, line in numbered_lines(file, "file of pairs", "--pairs"):
            query, keyword, label = _pair(line, f"{file}, line {number}")
            queries.append(query)
            keywords.append(keyword)
            labels.append(label)
        if len(labels) == before:
            raise UsageError(f"{file} holds no pairs.", _SHAPE)
        kinds.setdefault(kind_of(np.array(labels[before:])), file)
    if len(kinds) > 1:
        raise UsageError(
            f"The labels are of mixed kinds: {kinds[CLASSES]} holds classes, {kinds[GRADED]} grades.",
            "Use them apart; if both are on one scale, join them to one file.",
        )
    return LabelledPairs(tuple(queries), tuple(keywords), np.array(labels, np.float64))


def _pair(line: str, place: str) -> tuple[str, str, float]:
    try:
        record: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise UsageError(f"{place}: not JSON ({error.msg}, column {error.colno}).", _SHAPE) from None
    except RecursionError:
        raise UsageError(f"{place}: not JSON (nested too deeply).", _SHAPE) from None
    if not isinstance(record, dict):
        raise UsageError(f"{place}: a JSON {type(record).__name__}, not an object.", _SHAPE)
    texts = []
    for name in ("query", "keyword"):
        value = record.get(name)
        if not isinstance(value, str):
            raise UsageError(f"{place}: the field {name} is {_shown(value)}, not a text.", _SHAPE)
        if not normalise(value):
            raise UsageError(f"{place}: the field {name} is empty.", "Remove the line or mend the text.")
        texts.append(value)
    label = record.get("label")
    if isinstance(label, bool) or not isinstance(label, int | float) or not math.isfinite(label):
        raise UsageError(f"{place}: the label is {_shown(label)}, not a number.", "Write labels as numbers.")
    return texts[0], texts[1], float(label)


def _shown(value: Any) -> str:
    return "missing" if value is None else json.dumps(value, ensure_ascii=False)[:40]


def refuse_one_label(pairs: LabelledPairs) -> None:
    """UsageError if all pairs have the same label: there is nothing to learn."""
    if len(np.unique(pairs.labels)) < 2:
        raise UsageError(
            f"All {len(pairs)} pairs have the label {pairs.labels[0]:g}.", "Give pairs of at least two labels."
        )


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
