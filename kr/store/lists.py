"""Keyword lists: what an organisation keeps of its searches.

Each change makes a new version of the list, and the last one can be undone. Adding never conflicts; renaming, removing
and deleting name the version that was seen, and are refused if somebody changed the list since.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.orm import Session

from indexes.errors import Message, UsageError
from indexes.text import normalise
from kr.store.named_versions import NamedVersions
from kr.store.schema import KEYWORD_CHARS, KeywordList, ListedKeyword

MOST_KEYWORDS = 20_000
_AT_ONCE = 500
"""Keywords named in one statement: databases bound the number of parameters."""


LISTS = NamedVersions(KeywordList, Message("list"), most=1_000)


@dataclass(frozen=True)
class ListSummary:
    """A list and how many keywords it has."""

    list: KeywordList
    keywords: int


def lists_of(session: Session, organisation_id: str) -> list[ListSummary]:
    """The organisation's lists by name."""
    rows = session.execute(
        select(KeywordList, func.count(ListedKeyword.keyword))
        .outerjoin(
            ListedKeyword,
            and_(ListedKeyword.list_id == KeywordList.id, ListedKeyword.removed_in_version.is_(None)),
        )
        .where(KeywordList.organisation_id == organisation_id)
        .group_by(KeywordList.id)
        .order_by(KeywordList.name)
    )
    return [ListSummary(row[0], row[1]) for row in rows]


def find_list(session: Session, organisation_id: str, list_id: str, for_change: bool = False) -> KeywordList:
    """One of the organisation's lists; NoSuchRecord for others too."""
    return LISTS.find(session, organisation_id, list_id, for_change)


def create_list(session: Session, organisation_id: str, name: str, now: datetime) -> KeywordList:
    """A new, empty list. UsageError if the name is taken or there are too many lists."""
    name = LISTS.free_name(session, organisation_id, name)
    LISTS.check_room(session, organisation_id)
    made = KeywordList(organisation_id=organisation_id, name=name, version=1, created_at=now)
    session.add(made)
    session.flush()
    return made


def list_named(session: Session, organisation_id: str, name: str, now: datetime) -> KeywordList:
    """The organisation's list of this name, made if there is none."""
    named = (KeywordList.organisation_id == organisation_id, KeywordList.name == " ".join(name.split()))
    return session.scalar(select(KeywordList).where(*named)) or create_list(session, organisation_id, name, now)


def rename_list(session: Session, organisation_id: str, list_id: str, name: str, version: int) -> KeywordList:
    """Give a list another name. StaleVersion, UsageError if the name is taken."""
    found = LISTS.seen(session, organisation_id, list_id, version)
    found.name = LISTS.free_name(session, organisation_id, name, but=found.id)
    found.version += 1
    return found


def delete_list(session: Session, organisation_id: str, list_id: str, version: int) -> None:
    """Delete a list and what it holds. StaleVersion."""
    found = LISTS.seen(session, organisation_id, list_id, version)
    session.execute(delete(ListedKeyword).where(ListedKeyword.list_id == found.id))
    session.delete(found)


def add_keywords(
    session: Session, organisation_id: str, list_id: str, keywords: Iterable[str], query: str, now: datetime
) -> int:
    """Add keywords; return how many were not on the list. UsageError for one without text, or for too many."""
    found = find_list(session, organisation_id, list_id, for_change=True)
    wanted = _identities(keywords)
    there = _rows(session, found.id, wanted)
    new = [keyword for keyword in wanted if keyword not in there or there[keyword].removed_in_version is not None]
    if not new:
        return 0
    if _count(session, found.id) + len(new) > MOST_KEYWORDS:
        raise UsageError("A list has at most {most:,} keywords.", "Make another list for the rest.", most=MOST_KEYWORDS)
    found.version += 1
    for keyword in new:
        row = there.get(keyword)
        if row is None:
            row = ListedKeyword(list_id=found.id, keyword=keyword)
            session.add(row)
        row.query, row.added_at, row.added_in_version, row.removed_in_version = query, now, found.version, None
    session.flush()
    return len(new)


def remove_keywords(session: Session, organisation_id: str, list_id: str, keywords: Iterable[str], version: int) -> int:
    """Take keywords off; return how many were on the list. StaleVersion."""
    found = LISTS.seen(session, organisation_id, list_id, version)
    there = [row for row in _rows(session, found.id, _identities(keywords)).values() if row.removed_in_version is None]
    if there:
        found.version += 1
        for row in there:
            row.removed_in_version = found.version
    return len(there)


def undo_last_change(session: Session, organisation_id: str, list_id: str, version: int) -> int:
    """Take back the adding or removing that made this version; return the keywords concerned.

    StaleVersion if it is not the last one; UsageError if it neither added nor removed anything.
    """
    found = LISTS.seen(session, organisation_id, list_id, version)
    mine = ListedKeyword.list_id == found.id
    added = session.execute(delete(ListedKeyword).where(mine, ListedKeyword.added_in_version == version))
    removed = session.execute(
        update(ListedKeyword).where(mine, ListedKeyword.removed_in_version == version).values(removed_in_version=None)
    )
    count = int(added.rowcount + removed.rowcount)  # type: ignore[attr-defined]
    if not count:
        raise UsageError("The last change of this list cannot be undone.", "Only adding and removing keywords can.")
    found.version += 1
    return count


def keywords_of(session: Session, organisation_id: str, list_id: str) -> list[ListedKeyword]:
    """What is on a list, the latest first."""
    find_list(session, organisation_id, list_id)
    rows = session.scalars(
        select(ListedKeyword)
        .where(ListedKeyword.list_id == list_id, ListedKeyword.removed_in_version.is_(None))
        .order_by(ListedKeyword.added_at.desc(), ListedKeyword.keyword)
    )
    return list(rows)


def listed_keywords(session: Session, organisation_id: str) -> set[str]:
    """Every keyword that is on any of the organisation's lists."""
    rows = session.scalars(
        select(ListedKeyword.keyword)
        .join(KeywordList, KeywordList.id == ListedKeyword.list_id)
        .where(KeywordList.organisation_id == organisation_id, ListedKeyword.removed_in_version.is_(None))
    )
    return set(rows)


def _identities(keywords: Iterable[str]) -> list[str]:
    """Normalised keywords, each once, in order."""
    found: dict[str, None] = {}
    for keyword in keywords:
        identity = normalise(keyword)
        if not identity or len(identity) > KEYWORD_CHARS:
            raise UsageError(
                "{keyword!r} is not a keyword.",
                "Keywords have 1 to {most} characters.",
                keyword=keyword[:60],
                most=KEYWORD_CHARS,
            )
        found[identity] = None
    return list(found)


def _rows(session: Session, list_id: str, keywords: Sequence[str]) -> dict[str, ListedKeyword]:
    return {
        row.keyword: row
        for some in _chunks(keywords)
        for row in session.scalars(
            select(ListedKeyword).where(ListedKeyword.list_id == list_id, ListedKeyword.keyword.in_(some))
        )
    }


def _count(session: Session, list_id: str) -> int:
    there = (ListedKeyword.list_id == list_id, ListedKeyword.removed_in_version.is_(None))
    return session.scalar(select(func.count()).select_from(ListedKeyword).where(*there)) or 0


def _chunks(keywords: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keywords), _AT_ONCE):
        yield keywords[start : start + _AT_ONCE]
