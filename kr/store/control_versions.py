"""Rules and lexicons in versions: each edit is a new version of the whole, and one of them is in force.

Whoever edits names the version that was seen; if somebody else made a later one meanwhile, nothing is changed. Nothing
is lost either: every version stays, so that any of them can be taken up again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from indexes.errors import Message, NotFoundError, UsageError
from kr.store.accounts import NoSuchRecord, record
from kr.store.changes import Change, ChangeKind
from kr.store.operator_schema import Control, ControlVersion
from kr.store.schema import Organisation, User

MOST_CHARS = 4_000_000
"""Of one version's content."""
HISTORY = 50
"""Versions that a page lists."""


_NAMES = {Control.RULES: Message("rules"), Control.LEXICONS: Message("lexicons")}


class StaleControl(UsageError):
    """Somebody else made a later version than the one that was seen."""

    http_status = 409

    def __init__(self, kind: Control, seen: int, latest: int) -> None:
        super().__init__(
            "The {kind} were changed by somebody else meanwhile: you saw version {seen}, the latest is {latest}.",
            "Look at them again, then repeat your change.",
            kind=_NAMES[kind],
            seen=seen,
            latest=latest,
        )


@dataclass(frozen=True)
class Author:
    """On whose behalf something is changed, and when; `user` None is the command line, in the platform's name."""

    organisation_id: str
    user: User | None
    now: datetime

    @property
    def user_id(self) -> str | None:
        return self.user.id if self.user else None


@dataclass(frozen=True)
class VersionSummary:
    """A version without its content."""

    number: int
    ts: datetime
    person: str | None
    change: Change
    live_sequence: int | None


def command_line_author(session: Session, now: datetime) -> Author:
    """The author of changes from the command line. NotFoundError if the platform has no organisation yet."""
    platform = session.scalar(select(Organisation).where(Organisation.is_platform).order_by(Organisation.created_at))
    if platform is None:
        raise NotFoundError(
            "The database has no organisation of the platform, in whose name this would be logged.",
            "Make one: manage.py user create EMAIL --organisation NAME --platform --role operator.",
        )
    return Author(platform.id, None, now)


def head(session: Session, kind: Control) -> ControlVersion | None:
    """The latest version, which operators edit; None if there never was one."""
    return session.scalar(
        select(ControlVersion).where(ControlVersion.kind == kind).order_by(ControlVersion.number.desc()).limit(1)
    )


def live(session: Session, kind: Control) -> ControlVersion | None:
    """The version in force; None if none went live yet."""
    return session.scalar(
        select(ControlVersion)
        .where(ControlVersion.kind == kind, ControlVersion.live_sequence.is_not(None))
        .order_by(ControlVersion.live_sequence.desc())
        .limit(1)
    )


def version(session: Session, kind: Control, number: int) -> ControlVersion:
    """One version. NoSuchRecord."""
    found = session.get(ControlVersion, (kind, number))
    if found is None:
        raise NoSuchRecord("There is no version {number} of the {kind}.", number=number, kind=_NAMES[kind])
    return found


def history(session: Session, kind: Control, most: int = HISTORY) -> Sequence[VersionSummary]:
    """The latest versions, the newest first."""
    rows = session.execute(
        select(
            ControlVersion.number, ControlVersion.ts, User.email, ControlVersion.change, ControlVersion.live_sequence
        )
        .outerjoin(User, User.id == ControlVersion.user_id)
        .where(ControlVersion.kind == kind)
        .order_by(ControlVersion.number.desc())
        .limit(most)
    )
    return [VersionSummary(number, ts, email, Change.decode(made), live) for number, ts, email, made, live in rows]


def save(
    session: Session,
    kind: Control,
    seen: int,
    content: str,
    change: Change,
    author: Author,
    before: str | None = None,
    after: str | None = None,
) -> ControlVersion:
    """A new version after the one that was seen (0: there was none). StaleControl, or UsageError if it is too long.

    `before` and `after` are what the audit log says of the part that changed; left out, both whole contents.
    """
    if len(content) > MOST_CHARS:
        raise UsageError(
            "The {kind} come to {length:,} characters; {most:,} fit.",
            "Take some out.",
            kind=_NAMES[kind],
            length=len(content),
            most=MOST_CHARS,
        )
    last = _seen(session, kind, seen)
    if last is not None and last.content == content:
        return last
    if before is None and after is None:
        before, after = (last.content if last else None), content
    made = ControlVersion(
        kind=kind.value, number=seen + 1, ts=author.now, user_id=author.user_id, change=change.encode(), content=content
    )
    try:
        with session.begin_nested():
            session.add(made)
            session.flush()
    except IntegrityError:
        # Another transaction made this version while ours was waiting.
        raise StaleControl(kind, seen, seen + 1) from None
    record(session, author.organisation_id, author.user, f"{kind}.edited", change.text_en, author.now, before, after)
    return made


def go_live(session: Session, kind: Control, seen: int, author: Author) -> ControlVersion:
    """Put the version that was seen, which must be the latest, in force. StaleControl; UsageError if it is already."""
    found = _seen(session, kind, seen)
    if found is None:
        raise UsageError("There are no {kind} yet.", "Make some first.", kind=_NAMES[kind])
    before = live(session, kind)
    if before is not None and before.content == found.content:
        raise UsageError(
            "Version {seen} of the {kind} is what is in force already.", "Change something first.", seen=seen, kind=kind
        )
    last = session.scalar(select(func.max(ControlVersion.live_sequence)).where(ControlVersion.kind == kind)) or 0
    try:
        with session.begin_nested():
            found.live_sequence = last + 1
            session.flush()
    except IntegrityError:
        raise StaleControl(kind, seen, seen) from None
    record(
        session,
        author.organisation_id,
        author.user,
        f"{kind}.live",
        f"version {found.number}",
        author.now,
        before.content if before else None,
        found.content,
    )
    return found


def restore(session: Session, kind: Control, seen: int, number: int, author: Author) -> ControlVersion:
    """Take an earlier version up again as the latest one; it goes live only when asked to. StaleControl."""
    _seen(session, kind, seen)
    earlier = version(session, kind, number)
    return save(session, kind, seen, earlier.content, Change(ChangeKind.TAKEN_UP_AGAIN, str(number)), author)


def undo(session: Session, kind: Control, seen: int, author: Author) -> ControlVersion:
    """Take back what made the version that was seen. StaleControl; UsageError if there is nothing before it."""
    found = _seen(session, kind, seen)
    if found is None or seen < 2:
        raise UsageError("There is nothing to undo.", "This is the first version.")
    # Undoing twice goes back twice: an undo leads to the version before the one that it restored.
    last = Change.decode(found.change)
    target = int(last.what) - 1 if last.kind is ChangeKind.UNDONE else seen - 1
    earlier = session.scalar(
        select(ControlVersion)
        .where(ControlVersion.kind == kind, ControlVersion.number <= target, ControlVersion.content != found.content)
        .order_by(ControlVersion.number.desc())
        .limit(1)
    )
    if earlier is None:
        raise UsageError("There is nothing left to undo.", "The first version is reached.")
    return save(session, kind, seen, earlier.content, Change(ChangeKind.UNDONE, str(earlier.number)), author)


def _seen(session: Session, kind: Control, seen: int) -> ControlVersion | None:
    latest = head(session, kind)
    number = latest.number if latest else 0
    if number != seen:
        raise StaleControl(kind, seen, number)
    return latest
