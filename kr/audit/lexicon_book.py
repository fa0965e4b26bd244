"""Editing the operators' lists of unsafe terms, and what a change would do to the keywords of a snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from indexes.opened import Indexes
from indexes.unsafe_explanation import disguises
from indexes.unsafe_lexicon import read_lexicon, shipped_lexicons
from indexes.unsafe_terms import UnsafeTerms
from kr.audit.lexicons import terms_of
from kr.audit.stored_lists import StoredList, checked_list, decode_lists, encode_lists, with_list, with_term
from kr.store.accounts import NoSuchRecord
from kr.store.changes import Change, ChangeKind
from kr.store.control_versions import Author, go_live, head, live, save
from kr.store.operator_schema import Control

MOST_SCANNED = 300_000
"""Keywords that a preview looks at; of larger snapshots it takes every so many."""
SAMPLES = 30
SCAN_BLOCK = 50_000


@dataclass(frozen=True)
class LexiconBook:
    """What operators edit and what is in force. `version` is the latest version's number, 0 before the first."""

    version: int
    lists: tuple[StoredList, ...]
    live_version: int
    live_lists: tuple[StoredList, ...]

    @property
    def differs(self) -> bool:
        """Whether there are changes that are not in force."""
        return self.lists != self.live_lists

    def find(self, name: str) -> StoredList:
        """One of the lists that are edited. NoSuchRecord."""
        found = next((each for each in self.lists if each.name == name), None)
        if found is None:
            raise NoSuchRecord("There is no such list.")
        return found


@dataclass(frozen=True)
class Caught:
    """An unsafe term in a text: where it stands, through which disguises, and the lists that name it."""

    term: str
    category: str
    severity: int
    where: str
    disguises: tuple[str, ...]
    lists: tuple[str, ...]


@dataclass(frozen=True)
class Effect:
    """What other lists would do: keywords looked at and there are; newly removed and newly shown, with samples.

    Samples are the most searched first.
    """

    scanned: int
    keywords: int
    removed: int
    shown: int
    removed_samples: tuple[str, ...]
    shown_samples: tuple[str, ...]


def read_lexicon_book(session: Session) -> LexiconBook:
    """The latest version and the one in force."""
    latest, in_force = head(session, Control.LEXICONS), live(session, Control.LEXICONS)
    return LexiconBook(
        latest.number if latest else 0,
        decode_lists(latest.content) if latest else (),
        in_force.number if in_force else 0,
        decode_lists(in_force.content) if in_force else (),
    )


def save_list(session: Session, seen: int, name: str, text: str, author: Author) -> StoredList:
    """A list with this text, new or instead of the one of the same name. UsageError names the line; StaleControl."""
    book = read_lexicon_book(session)
    made = checked_list(name, text)
    before = next((each.text for each in book.lists if each.name == made.name), None)
    change = Change(ChangeKind.LIST_ADDED if before is None else ChangeKind.LIST_CHANGED, made.name)
    content = encode_lists(with_list(book.lists, made))
    save(session, Control.LEXICONS, seen, content, change, author, before, made.text)
    return made


def add_term(session: Session, seen: int, name: str, term: str, category: str, severity: int, author: Author) -> None:
    """A term, or an exception, in a list, which is made if there is none. UsageError; StaleControl."""
    book = read_lexicon_book(session)
    lists = with_term(book.lists, name, term, category, severity)
    change = Change(ChangeKind.TERM_ADDED, f"{term} ({category})", name)
    save(session, Control.LEXICONS, seen, encode_lists(lists), change, author, None, term)


def remove_list(session: Session, seen: int, name: str, author: Author) -> None:
    """Take a list out; an earlier version has it still. NoSuchRecord; StaleControl."""
    book = read_lexicon_book(session)
    gone = book.find(name)
    left = [each for each in book.lists if each.name != name]
    save(
        session,
        Control.LEXICONS,
        seen,
        encode_lists(left),
        Change(ChangeKind.LIST_REMOVED, name),
        author,
        gone.text,
        None,
    )


def put_lexicons_live(session: Session, files: Sequence[Path], seen: int, author: Author) -> int:
    """Put the version that was seen in force; every worker audits by it from its next request on.

    The lists are prepared first as the workers will, so that none that cannot be used goes live: UsageError names what
    is wrong. StaleControl.
    """
    terms_of(files, read_lexicon_book(session).lists)
    return go_live(session, Control.LEXICONS, seen, author).number


def caught_in(text: str, files: Sequence[Path], lists: Sequence[StoredList]) -> list[Caught]:
    """Every unsafe term in a text by KR's lexicons, the files, and these lists."""
    named = {path.name: read_lexicon(path) for path in (*shipped_lexicons(), *files)}
    named |= {each.name: each.parsed() for each in lists}
    return [
        Caught(
            match.term,
            match.category,
            match.severity,
            match.where,
            disguises(match.term, match.where),
            tuple(name for name, lexicon in named.items() if match.term in (term.text for term in lexicon.terms)),
        )
        for match in terms_of(files, lists).matches(text)
    ]


def effect_of(indexes: Indexes, before: UnsafeTerms, after: UnsafeTerms, severity: int) -> Effect:
    """What the terms `after` would remove from, and show of, the snapshot's keywords against those `before`."""
    count = len(indexes.keywords)
    ids = np.arange(0, count, max(1, -(-count // MOST_SCANNED)), dtype=np.int32)
    removed: list[Any] = []
    shown: list[Any] = []
    for start in range(0, len(ids), SCAN_BLOCK):
        block = ids[start : start + SCAN_BLOCK]
        texts = indexes.keywords.take(block)
        was, will = (terms.scan(texts)[1] >= severity for terms in (before, after))
        removed.append(block[will & ~was])
        shown.append(block[was & ~will])
    gone, back = np.concatenate(removed), np.concatenate(shown)
    return Effect(len(ids), count, len(gone), len(back), _samples(indexes, gone), _samples(indexes, back))


def _samples(indexes: Indexes, ids: Any) -> tuple[str, ...]:
    most_searched = ids[np.argsort(-indexes.stats.searches[ids], kind="stable")][:SAMPLES]
    return tuple(indexes.keywords.take(most_searched))
