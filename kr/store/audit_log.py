"""The audit log: read by operators, added to by `kr.store.accounts.record`, never changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, event, select
from sqlalchemy.orm import ORMExecuteState, Session

from kr.store.schema import AuditEntry, Organisation, User

MOST_ON_A_PAGE = 100


class AuditLogIsAppendOnly(RuntimeError):
    """Code tried to change or remove an entry: a mistake of the program, whoever asked."""


@dataclass(frozen=True)
class Entry:
    """One entry with the names of who and where; `person` None is the command line, or somebody who is gone."""

    id: int
    ts: datetime
    person: str | None
    organisation: str
    action: str
    subject: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class AuditFilter:
    """Which entries: by part of the person's address, by kind (`rules`, `user.created`), from and until (UTC)."""

    person: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None
    """Not counted."""


def entries(session: Session, wanted: AuditFilter, before: int | None = None, most: int | None = None) -> list[Entry]:
    """The entries, the latest first; `before` is the id after which a page goes on."""
    return list(iter_entries(session, wanted, before, most))


def iter_entries(
    session: Session, wanted: AuditFilter, before: int | None = None, most: int | None = None
) -> Iterator[Entry]:
    """The same one by one, for exports."""
    statement = _filtered(wanted)
    if before is not None:
        statement = statement.where(AuditEntry.id < before)
    if most is not None:
        statement = statement.limit(most)
    for entry, organisation, email in session.execute(statement.execution_options(yield_per=1_000)):
        yield Entry(entry.id, entry.ts, email, organisation, entry.action, entry.subject, entry.before, entry.after)


def actions(session: Session) -> list[str]:
    """Every kind of entry that there is, by name."""
    return list(session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action)))


def _filtered(wanted: AuditFilter) -> Select[AuditEntry, str, str]:
    statement: Select[AuditEntry, str, str] = (
        select(AuditEntry, Organisation.name, User.email)
        .join(Organisation, Organisation.id == AuditEntry.organisation_id)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .order_by(AuditEntry.id.desc())
    )
    if wanted.person:
        statement = statement.where(User.email.contains(wanted.person.strip().casefold(), autoescape=True))
    if wanted.action:
        # `rules` stands for all that begins with `rules.`
        kind = AuditEntry.action.startswith(f"{wanted.action}.", autoescape=True)
        statement = statement.where((AuditEntry.action == wanted.action) | kind)
    if wanted.since is not None:
        statement = statement.where(AuditEntry.ts >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(AuditEntry.ts < wanted.until)
    return statement


@event.listens_for(AuditEntry, "before_update")
@event.listens_for(AuditEntry, "before_delete")
def _refuse(mapper: Any, connection: Any, target: AuditEntry) -> None:
    raise AuditLogIsAppendOnly(f"Entry {target.id} of the audit log was about to be changed.")


@event.listens_for(Session, "do_orm_execute")
def _refuse_in_bulk(state: ORMExecuteState) -> None:
    if (state.is_update or state.is_delete) and any(mapper.class_ is AuditEntry for mapper in state.all_mappers):
        raise AuditLogIsAppendOnly("A statement was about to change the audit log.")
