"""Who buys what: the accounts of a log, what each owns, its industries, its site, and factors of all purchases.

An optional part: a log without advertisers has none, nor has a snapshot that was built before there was one. Keywords
that anybody buys stand in `bought` (ids, ascending); everything else names them by their places there. `bought` is
told to nobody as such: what a single account buys is its own affair.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayReader, checked, offsets_from_counts, ranges, write_array
from indexes.vocabulary import StringList, Vocabulary, write_strings, write_vocabulary

PART = "accounts"
UNKNOWN = -1


@dataclass(frozen=True)
class Rows:
    """Lists of whole numbers, one behind the other: list i is `values[offsets[i]:offsets[i + 1]]`."""

    offsets: Array
    values: Array

    def of(self, places: Array) -> tuple[Array, Array]:
        """The lengths of several lists, int64, and where their values stand, one list after the other, int64."""
        starts = self.offsets[places]
        counts = self.offsets[np.asarray(places) + 1] - starts
        return counts, ranges(starts, counts)

    @staticmethod
    def read(reader: ArrayReader, name: str, lists: int, dtype: Any = np.int32) -> "Rows":
        """What `write` wrote; CorruptError if it does not fit."""
        offsets = checked(reader, f"{PART}/{name}_offsets", np.int64, lists + 1)
        return Rows(offsets, checked(reader, f"{PART}/{name}", dtype, int(offsets[-1])))

    @staticmethod
    def grouped(group: Array, values: Array, groups: int) -> "Rows":
        """Lists of the values of each group, in the order given; `group` may be in any order."""
        order = np.argsort(group, kind="stable")
        return Rows(offsets_from_counts(np.bincount(group, minlength=groups)), values[order])

    def write(self, folder: Path, name: str, dtype: Any = np.int32) -> None:
        write_array(folder, f"{PART}/{name}_offsets.npy", self.offsets)
        write_array(folder, f"{PART}/{name}.npy", self.values.astype(dtype))


@dataclass(frozen=True)
class AccountRows:
    """The part as arrays, to be written.

    `owned` lists places in `bought` by account, `first_day` and `last_day` int32 the days of these purchases since
    1970-01-01; `industries` lists places among the industries by account, its own one is `industry` (-1: unknown);
    `site_terms` and `site_weights` float32 what the account's crawled site says; `factors` float32 (bought, k): right
    singular vectors of the matrix of accounts and keywords; `rising` rows (keyword id, observed and expected users,
    first and last day), int32 (n, 5), and how surely they rise, float32 (n,).
    """

    ids: list[str]
    industry_ids: list[str]
    industry: Array
    industries: Rows
    sites: list[str]
    site_terms: Rows
    site_weights: Array
    bought: Array
    owned: Rows
    first_day: Array
    last_day: Array
    factors: Array
    rising: Array
    rising_score: Array

    def write(self, folder: Path) -> None:
        """Write the part."""
        write_vocabulary(folder, f"{PART}/ids", self.ids)
        write_vocabulary(folder, f"{PART}/industry_ids", self.industry_ids)
        write_strings(folder, f"{PART}/sites", self.sites)
        self.industries.write(folder, "industries")
        accounts = np.repeat(np.arange(len(self.ids)), np.diff(self.industries.offsets))
        Rows.grouped(self.industries.values, accounts, len(self.industry_ids)).write(folder, "members")
        self.site_terms.write(folder, "site_terms")
        self.owned.write(folder, "owned")
        owners = np.repeat(np.arange(len(self.ids)), np.diff(self.owned.offsets))
        Rows.grouped(self.owned.values, owners, len(self.bought)).write(folder, "buyers")
        for name, array, dtype in (
            ("industry", self.industry, np.int32),
            ("site_weights", self.site_weights, np.float32),
            ("bought", self.bought, np.int32),
            ("first_day", self.first_day, np.int32),
            ("last_day", self.last_day, np.int32),
            ("factors", self.factors, np.float32),
            ("rising", self.rising, np.int32),
            ("rising_score", self.rising_score, np.float32),
        ):
            write_array(folder, f"{PART}/{name}.npy", array.astype(dtype))


class Accounts:
    """The part of one snapshot, mapped."""

    def __init__(self, reader: ArrayReader) -> None:
        self.ids = Vocabulary(reader, f"{PART}/ids")
        self.industry_ids = Vocabulary(reader, f"{PART}/industry_ids")
        self.sites = StringList(reader, f"{PART}/sites")
        self.bought = checked(reader, f"{PART}/bought", np.int32)
        count, keywords = len(self.ids), len(self.bought)
        self.industry = checked(reader, f"{PART}/industry", np.int32, count)
        self.industries = Rows.read(reader, "industries", count)
        self.members = Rows.read(reader, "members", len(self.industry_ids))
        self.site_terms = Rows.read(reader, "site_terms", count)
        self.site_weights = checked(reader, f"{PART}/site_weights", np.float32, len(self.site_terms.values))
        self.owned = Rows.read(reader, "owned", count)
        self.buyers = Rows.read(reader, "buyers", keywords)
        self.first_day = checked(reader, f"{PART}/first_day", np.int32, len(self.owned.values))
        self.last_day = checked(reader, f"{PART}/last_day", np.int32, len(self.owned.values))
        self.factors = checked(reader, f"{PART}/factors", np.float32, keywords, ndim=2)
        self.rising = checked(reader, f"{PART}/rising", np.int32, ndim=2)
        self.rising_score = checked(reader, f"{PART}/rising_score", np.float32, len(self.rising))

    @staticmethod
    def open(reader: ArrayReader, facts: dict[str, Any]) -> "Accounts | None":
        """The part, or None if the snapshot was built without one."""
        return Accounts(reader) if facts.get(PART) is not None else None

    def __len__(self) -> int:
        return len(self.ids)

    def owned_keywords(self, account: int) -> Array:
        """The ids of what an account (a place) owns, int32, ascending."""
        _, entries = self.owned.of(np.array([account]))
        return np.sort(self.bought[self.owned.values[entries]])

    def site_of(self, account: int) -> tuple[Array, Array]:
        """What the account's site says: term ids int32, ascending, and their weights float32."""
        _, entries = self.site_terms.of(np.array([account]))
        return self.site_terms.values[entries], self.site_weights[entries]
