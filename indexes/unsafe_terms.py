"""Finding unsafe terms in keywords, however they are spelt: used when a snapshot is built and for each request.

All texts of a batch are folded and joined, and one Aho-Corasick automaton finds where a spelling may stand; only those
places are looked at closely (unsafe_spellings.py). Lexicon files are described in unsafe_lexicon.py, the foldings in
unsafe_disguises.py.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import ahocorasick_rs
import numpy as np

from indexes.arrays import Array
from indexes.errors import Message, UsageError
from indexes.unsafe_disguises import Unit, folded, may_be_leet, units
from indexes.unsafe_lexicon import Lexicon, Term, read_lexicon, shipped_lexicons
from indexes.unsafe_spellings import Spelling, begins_a_word, spellings_of

CATEGORIES = ("porn", "gambling", "drugs", "weapons")
"""The categories with a fixed bit; an operator's own follow in alphabetical order."""
MATCHER_VERSION = 1
"""Part of the fingerprint: raised whenever the same lexicons give other matches."""

_MOST_CATEGORIES = 32
_BLOCK = 50_000


class Match(NamedTuple):
    """One unsafe term in a text: the term as listed, and where it stands, `text[start:end]` being `where`."""

    term: str
    category: str
    severity: int
    where: str
    start: int
    end: int


class _Exception(NamedTuple):
    """An innocent text around a spelling, which begins `offset` units before it."""

    chars: str
    word_starts: frozenset[int]
    offset: int


class UnsafeTerms:
    """The terms of some lexicons, ready to be looked for. Immutable; safe to use from any thread."""

    categories: tuple[str, ...]
    """The name of each bit of a category mask, the lowest bit first."""
    sha256: str
    """Fingerprint (hex): equal if and only if the lexicons' bytes, their order and the matching rules are equal."""

    def __init__(self, lexicons: Sequence[Lexicon]) -> None:
        """Prepare to look for the terms; a later lexicon's exceptions also take away equal terms of earlier ones."""
        self._terms = _terms_in_force(lexicons)
        own = sorted({term.category for term in self._terms} - set(CATEGORIES))
        self.categories = (*CATEGORIES, *own)
        if len(self.categories) > _MOST_CATEGORIES:
            raise UsageError(
                "The lexicons name {count} categories; {most} fit.",
                "Merge some of them.",
                count=len(self.categories),
                most=_MOST_CATEGORIES,
            )
        self.sha256 = _fingerprint(lexicons)
        bit = {category: 1 << place for place, category in enumerate(self.categories)}
        self._bits = [bit[term.category] for term in self._terms]

        self._spellings: dict[bool, list[list[Spelling]]] = {}
        self._automata: dict[bool, ahocorasick_rs.AhoCorasick] = {}
        all_spellings = [spelling for number, term in enumerate(self._terms) for spelling in spellings_of(number, term)]
        for is_leet in (False, True):
            by_pattern: dict[str, list[Spelling]] = {}
            for spelling in all_spellings:
                if not is_leet or (spelling.is_latin and not spelling.is_pinyin):
                    by_pattern.setdefault(folded(spelling.chars, is_leet), []).append(spelling)
            self._spellings[is_leet] = list(by_pattern.values())
            self._automata[is_leet] = ahocorasick_rs.AhoCorasick(list(by_pattern), store_patterns=False)
        self._exceptions = self._exceptions_around(lexicons)

    @staticmethod
    def load(paths: Sequence[Path] = ()) -> "UnsafeTerms":
        """The lexicons that KR ships and then those at the paths. Raises UsageError naming file, line and remedy."""
        return UnsafeTerms([read_lexicon(path) for path in (*shipped_lexicons(), *paths)])

    def scan(self, keywords: Sequence[str]) -> tuple[Array, Array]:
        """What is unsafe in each keyword: the bits of its categories, uint32 (n,), and its worst severity, uint8 (n,).

        Both are 0 for a safe keyword. See `categories` for the bits.
        """
        masks = np.zeros(len(keywords), np.uint32)
        severities = np.zeros(len(keywords), np.uint8)
        for keyword, spelling, *_ in self._found(keywords):
            masks[keyword] |= self._bits[spelling.term]
            severities[keyword] = max(severities[keyword], self._terms[spelling.term].severity)
        return masks, severities

    def category_names(self, mask: int) -> tuple[str, ...]:
        """The names of the categories in a mask."""
        return tuple(name for place, name in enumerate(self.categories) if mask >> place & 1)

    def matches(self, text: str) -> list[Match]:
        """Every unsafe term in the text, in order; a term that is found under several spellings counts once a place."""
        found = {}
        for _, spelling, row, start in self._found([text]):
            term = self._terms[spelling.term]
            first, last = row[start].place, row[start + len(spelling.chars) - 1].place + 1
            found[first, last, spelling.term] = Match(
                term.text, term.category, term.severity, text[first:last], first, last
            )
        return [found[place] for place in sorted(found)]

    def _found(self, keywords: Sequence[str]) -> Iterator[tuple[int, Spelling, list[Unit], int]]:
        """Each spelling that stands in a keyword: (position of the keyword, spelling, its units, first unit)."""
        for begin in range(0, len(keywords), _BLOCK):
            block = keywords[begin : begin + _BLOCK]
            yield from self._found_in_block(block, range(begin, begin + len(block)), is_leet=False)
            leet = [place for place, keyword in enumerate(block) if may_be_leet(keyword)]
            if leet:
                yield from self._found_in_block(
                    [block[place] for place in leet], [begin + place for place in leet], is_leet=True
                )

    def _found_in_block(
        self, texts: Sequence[str], places: Sequence[int], *, is_leet: bool
    ) -> Iterator[tuple[int, Spelling, list[Unit], int]]:
        joined = "\n".join(texts)
        if joined.count("\n") != len(texts) - 1:
            texts = [text.replace("\n", " ") for text in texts]
            joined = "\n".join(texts)
        view = folded(joined, is_leet)
        hits = self._automata[is_leet].find_matches_as_indexes(view, overlapping=True)
        if not hits:
            return
        starts = _line_starts(view)
        table = np.array(hits, np.int64)
        table = table[np.argsort(table[:, 1], kind="stable")]
        lines = np.searchsorted(starts, table[:, 1], side="right") - 1
        last_line, row = -1, []
        for line, (pattern, start, _) in zip(lines.tolist(), table.tolist(), strict=True):
            if line != last_line:
                last_line, row = line, units(texts[line], is_leet)
            at = start - int(starts[line])
            for spelling in self._spellings[is_leet][pattern]:
                if spelling.stands_at(row, at, is_leet) and not self._is_excepted(spelling, row, at):
                    yield places[line], spelling, row, at

    def _exceptions_around(self, lexicons: Sequence[Lexicon]) -> dict[str, list[_Exception]]:
        """For the characters of a spelling, the exceptions that hold them and are longer."""
        around: dict[str, list[_Exception]] = {}
        for text in sorted({text for lexicon in lexicons for text in lexicon.exceptions}):
            row = units(text)
            chars = "".join(unit.char for unit in row)
            word_starts = frozenset(at for at in range(1, len(row)) if row[at].gap)
            for pattern, start, end in self._automata[False].find_matches_as_indexes(chars, overlapping=True):
                spelling = self._spellings[False][pattern][0]
                if end - start < len(chars):
                    around.setdefault(spelling.chars, []).append(_Exception(chars, word_starts, start))
        return around

    def _is_excepted(self, spelling: Spelling, row: Sequence[Unit], at: int) -> bool:
        """Whether the spelling stands inside one of its exceptions, written without gaps of its own."""
        for exception in self._exceptions.get(spelling.chars, ()):
            start, length = at - exception.offset, len(exception.chars)
            if start < 0:
                continue
            span = row[start : start + length]
            if (
                "".join(unit.plain for unit in span) == exception.chars
                and not any(span[place].gap for place in range(1, length) if place not in exception.word_starts)
                and begins_a_word(row, start)
            ):
                return True
        return False


def _terms_in_force(lexicons: Sequence[Lexicon]) -> list[Term]:
    terms: dict[Term, str] = {}
    for lexicon in lexicons:
        own = {folded(text): line for text, line in lexicon.exceptions.items()}
        terms = {term: chars for term, chars in terms.items() if chars not in own}
        for term in lexicon.terms:
            chars = folded(term.text)
            if chars in own:
                raise term.mistake(
                    Message("is both a term and an exception (line {line})", line=own[chars]),
                    Message("Remove one of the two lines."),
                )
            terms[term] = chars
    return list(terms)


def _fingerprint(lexicons: Sequence[Lexicon]) -> str:
    digest = hashlib.sha256(f"matcher {MATCHER_VERSION}\n".encode())
    for lexicon in lexicons:
        digest.update(f"{lexicon.sha256}\n".encode())
    return digest.hexdigest()


def _line_starts(joined: str) -> Array:
    """Where each line of the joined texts begins, in characters, int64."""
    code_points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    return np.concatenate(([0], np.flatnonzero(code_points == ord("\n")) + 1))
