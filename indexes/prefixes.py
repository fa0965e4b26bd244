"""Keywords by their beginnings: as written, by full pinyin, by initials, mixed, and with one mistake.

What matches is defined in `indexes.prefixes_query`; what is a mistake, at `Prefixes.near`. Answers are exact: the best
k of all keywords that match, by the searches of their group of close variants, ties by id, each group once.

Keywords are known by their *rank*: 0 is the most searched. A *symbol* is a character with a reading, numbered by
reading, then character. `ids[r]` int32 is the keyword of rank r, `symbols[starts[r]:starts[r + 1]]` its characters.
Three lists hold all ranks in different orders: *string* (by symbols), *initials* (by the symbols' first letters, with
the first symbols beside them), *letters* (by full pinyin, with its first 16 bytes). Beside each stand the smallest
ranks of its blocks. Whatever is asked is a range of one of the lists, or a part of one that is looked through.
Queries are answered by compiled kernels, which the first of them imports (half a second); opening does not.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayReader
from indexes.errors import CorruptError
from indexes.prefixes_query import MIN_LETTERS_WITH_TYPO, Query, Symbols, with_wrong_syllable
from indexes.text.readings import pinyin

_NONE = 2**31 - 1
_SPARE = 6
"""Ranks found beyond those wanted, for variants that are shown once."""


@dataclass(frozen=True)
class Matches:
    """Keywords, best first: `ids` and `ranks` int32 (n,); the first `exact` of them match without a mistake."""

    ids: Array
    ranks: Array
    exact: int


class Prefixes:
    """The index, mapped. `canonical` int32 (keywords,) names the head of each keyword's group of close variants."""

    def __init__(self, reader: ArrayReader, canonical: Array) -> None:
        def array(name: str) -> Array:
            return np.asarray(reader.array(f"prefixes/{name}.npy"))

        self._reader = reader
        self._canonical = canonical
        self.ids = array("ids")
        self._starts, self._symbols = array("starts"), array("symbols")
        self._exact_arrays = (
            self._starts,
            self._symbols,
            array("string_ranks"),
            array("string_minima"),
            array("string_directory"),
            array("initials_ranks"),
            array("initials_minima"),
            array("initials_symbols"),
        )
        self._letters_ranks, self._letters_keys = array("letters_ranks"), array("letters_keys")
        self._letter_arrays = (
            self._starts,
            self._symbols,
            self._letters_ranks,
            array("letters_minima"),
            self._letters_keys,
            array("readings_offsets"),
            array("readings"),
        )
        lists = (self._exact_arrays[2], self._exact_arrays[5], self._letters_ranks)
        if (
            len(self._starts) != len(self.ids) + 1
            or int(self._starts[-1]) != len(self._symbols)
            or any(len(ranks) != len(self.ids) for ranks in lists)
        ):
            raise CorruptError("The parts of the index of prefixes do not fit.", "Rebuild with manage.py build.")

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def symbols(self) -> Symbols:
        """What the symbols stand for: some ten thousand at most, read when the first query comes."""
        document = self._reader.json("prefixes/characters.json")
        return Symbols(document["characters"], document["readings"])

    @cached_property
    def _kernels(self) -> "_Kernels":
        return _Kernels(self._exact_arrays, self._letter_arrays, self.symbols)

    def top(self, query: Query, k: int) -> Matches:
        """The k best keywords for what somebody has typed so far; those with a mistake only where others are too few.

        The empty query matches nothing, and so does one of more than 60 characters.
        """
        ranks = self.exact(query, k)
        found = len(ranks)
        if found < k:
            ranks = np.concatenate([ranks, self.near(query, k - found, ranks)])
        return Matches(self.ids[ranks], ranks, found)

    def exact(self, query: Query, k: int) -> Array:
        """Ranks of the k best keywords that match without a mistake."""
        if not query.units or query.is_too_long or not len(self) or k <= 0:
            return np.empty(0, np.int32)
        found = self.symbols.typed(query)
        if found is None:
            return np.empty(0, np.int32)
        arrays, is_read_as_typed = found
        text = _bytes_of(query.units if is_read_as_typed and not query.borders else "")
        kernels = self._kernels
        typed = kernels.exact.Typed(*arrays)

        def offer(best: Array) -> None:
            kernels.exact.offer_query(*kernels.arrays, typed, text, best)

        return self._each_group_once(offer, k)

    def near(self, query: Query, k: int, without: Array) -> Array:
        """Ranks of the k best keywords that match with one mistake, those of the groups of `without` (ranks) left out.

        The query counts by its letters, Chinese characters by their pinyin. They must be the beginning of the keyword's
        full pinyin once one letter (a to z, 0 to 9) is inserted, left out, replaced or swapped with the next, the first
        letter being right; or once one syllable is replaced by one it may be taken for (`text.confusable_syllables`);
        or as they are (先花 for 鲜花). Queries of fewer than four letters are not mended.
        """
        if query.is_too_long or not len(self) or k <= 0:
            return np.empty(0, np.int32)
        spelled = pinyin(query.normalised)
        if len(spelled) < MIN_LETTERS_WITH_TYPO:
            return np.empty(0, np.int32)
        kernels = self._kernels
        text = _bytes_of(spelled)
        others = [other.encode() for other in with_wrong_syllable(spelled)]
        offsets = np.cumsum([0, *map(len, others)])
        joined = np.frombuffer(bytearray(b"".join(others)), np.uint8)

        def offer(best: Array) -> None:
            kernels.letters.offer_near(kernels.letter_lists, text, best)
            kernels.letters.offer_each(kernels.letter_lists, joined, offsets, best)

        return self._each_group_once(offer, k, without)

    def _each_group_once(self, offer: Any, k: int, without: Array | None = None) -> Array:
        """The k best ranks that `offer` puts into an array, the best one of each group only."""
        held = None if without is None or not len(without) else self._canonical[self.ids[without]]
        wanted = k + _SPARE + (0 if without is None else 2 * len(without))
        while True:
            best = np.full(wanted, _NONE, np.int32)
            offer(best)
            is_full = best[-1] != _NONE
            ranks = best if is_full else best[: np.searchsorted(best, _NONE)]
            heads = self._canonical[self.ids[ranks]]
            keep = np.ones(len(ranks), bool)
            # The members of a group have ranks one after the other.
            keep[1:] = heads[1:] != heads[:-1]
            if held is not None:
                keep &= ~np.isin(heads, held)
            kept = ranks[keep]
            if len(kept) >= k or not is_full:
                return kept[:k]
            wanted *= 4

    def pronounced(self, letters: str, k: int) -> Array:
        """Ids of the k best Chinese keywords whose full pinyin is exactly this, one of each group; without kernels."""
        wanted = letters.encode()
        if not wanted:
            return np.empty(0, np.int32)
        key = np.uint64(int.from_bytes(wanted[:8].ljust(8, b"\0"), "big"))
        rows = range(*(int(np.searchsorted(self._letters_keys[0], key, side)) for side in ("left", "right")))
        low = bisect_left(rows, wanted, key=self._spelled)
        high = bisect_right(rows, wanted, key=self._spelled)
        found: dict[int, int] = {}
        for rank in np.sort(self._letters_ranks[rows.start + low : rows.start + high]).tolist():
            keyword_id = int(self.ids[rank])
            # A literal letter is its own reading; whoever is read otherwise is Chinese.
            if any(character != reading for character, reading in self.characters(rank)):
                found.setdefault(int(self._canonical[keyword_id]), keyword_id)
            if len(found) == k:
                break
        return np.array(list(found.values()), np.int32)

    def _spelled(self, row: int) -> bytes:
        """The letters of a row of the list by letters."""
        return "".join(reading for _, reading in self.characters(int(self._letters_ranks[row]))).encode()

    def characters(self, rank: int) -> list[tuple[str, str]]:
        """The characters of a keyword that are matched, each with its reading."""
        symbols = self._symbols[int(self._starts[rank]) : int(self._starts[rank + 1])].tolist()
        return [(self.symbols.characters[symbol], self.symbols.readings[symbol]) for symbol in symbols]


class _Kernels:
    """The compiled kernels with the arrays that they read; making it imports numba."""

    def __init__(self, exact_arrays: tuple[Array, ...], letter_arrays: tuple[Array, ...], symbols: Symbols) -> None:
        from indexes import prefixes_exact, prefixes_letters

        self.exact: Any = prefixes_exact
        self.letters: Any = prefixes_letters
        exact_lists = prefixes_exact.ExactLists(*exact_arrays)
        self.letter_lists = prefixes_letters.LetterLists(*letter_arrays)
        pieces = prefixes_exact.Pieces(*symbols.pieces)
        known = prefixes_exact.initial_ranges(exact_lists, pieces)
        self.arrays = exact_lists, known, self.letter_lists, pieces


def _bytes_of(text: str) -> Array:
    return np.frombuffer(bytearray(text.encode()), np.uint8)
