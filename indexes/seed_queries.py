"""Seed queries: what to offer an account, an industry or everyone before a word is typed; mined at build (SPEC §1.12).

A context is `account:<id>`, `industry:<id>` or `everyone`; its rows stand together, best first. A snapshot that was
built without them has none.
"""

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayReader, checked, offsets_from_counts, write_array
from indexes.vocabulary import Vocabulary, write_vocabulary

EVERYONE = "everyone"
ACCOUNT_PREFIX = "account:"
INDUSTRY_PREFIX = "industry:"


class Origin(IntEnum):
    """Why a keyword is a seed of its context; says what `count` and `of` count."""

    POPULAR = 0
    """Searched `count` times."""
    INDUSTRY = 1
    """Bought by `count` of the industry's `of` advertisers."""
    ACCOUNT = 2
    """Bought by `count` other accounts that buy something that the account buys too."""
    OWNED = 3
    """The account buys it."""
    BURST = 4
    """Searched by `count` users on the days of a burst, where `of` were expected."""


COLUMNS: dict[str, Any] = {
    "keyword": np.int32,
    "quality": np.float32,
    "utility": np.float32,
    "results": np.int32,
    "origin": np.uint8,
    "count": np.int32,
    "of": np.int32,
    "first_day": np.int32,
    "last_day": np.int32,
}
"""Keyword ids; Q and U of S = Q^t · U^(1−t), 0..1; good results that the seed returns; evidence, -1 where there is
none; days since 1970-01-01."""


def account_context(account: str) -> str:
    """The context of an account."""
    return f"{ACCOUNT_PREFIX}{account}"


def industry_context(industry: str) -> str:
    """The context of an industry."""
    return f"{INDUSTRY_PREFIX}{industry}"


@dataclass(frozen=True)
class SeedRows:
    """The seeds of one context, columns as in COLUMNS, best first."""

    columns: dict[str, Array]

    def __len__(self) -> int:
        return len(self.columns["keyword"])

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def take(self, rows: Array) -> "SeedRows":
        """The rows at these places, or where this mask is true."""
        return SeedRows({name: column[rows] for name, column in self.columns.items()})


class SeedQueries:
    """All contexts of a snapshot, mapped."""

    def __init__(self, reader: ArrayReader) -> None:
        self._contexts = Vocabulary(reader, "seeds/contexts")
        self._offsets = checked(reader, "seeds/offsets", np.int64, len(self._contexts) + 1)
        rows = int(self._offsets[-1])
        self._columns = {name: checked(reader, f"seeds/{name}", dtype, rows) for name, dtype in COLUMNS.items()}

    def of(self, context: str) -> SeedRows | None:
        """The seeds of a context, None if it is not known."""
        place = self._contexts.find(context)
        if place < 0:
            return None
        rows = slice(int(self._offsets[place]), int(self._offsets[place + 1]))
        return SeedRows({name: column[rows] for name, column in self._columns.items()})


def write_seed_queries(folder: Path, contexts: dict[str, SeedRows]) -> None:
    """Write the seeds of all contexts."""
    names = sorted(contexts)
    write_vocabulary(folder, "seeds/contexts", names)
    write_array(folder, "seeds/offsets.npy", offsets_from_counts(np.array([len(contexts[name]) for name in names])))
    for column, dtype in COLUMNS.items():
        parts = [contexts[name][column] for name in names]
        write_array(folder, f"seeds/{column}.npy", np.concatenate([np.empty(0, dtype), *parts]).astype(dtype))
