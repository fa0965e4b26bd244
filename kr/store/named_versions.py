"""What an organisation's lists and plans have in common: names that are used once, and versions that editors saw.

A change names the version that was seen and is refused, with `StaleVersion`, if somebody changed the thing since.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexes.errors import Message, UsageError
from kr.store.accounts import NoSuchRecord
from kr.store.schema import NAME_CHARS, KeywordList, StoredPlan

Named = TypeVar("Named", KeywordList, StoredPlan)


class StaleVersion(UsageError):
    """Somebody else changed it since it was shown."""

    http_status = 409

    def __init__(self, kind: Message, name: str, version: int) -> None:
        super().__init__(
            "The {kind} {name!r} was changed by somebody else meanwhile; it is at version {version}.",
            "Look at it again, then repeat.",
            kind=kind,
            name=name,
            version=version,
        )


@dataclass(frozen=True)
class NamedVersions(Generic[Named]):
    """The things of one kind: their table, what one is called, and how many an organisation may have."""

    table: type[Named]
    kind: Message
    most: int

    def find(self, session: Session, organisation_id: str, thing_id: str, for_change: bool = False) -> Named:
        """One of the organisation's; NoSuchRecord for others too."""
        wanted = select(self.table).where(self.table.id == thing_id, self.table.organisation_id == organisation_id)
        found = session.scalar(wanted.with_for_update() if for_change else wanted)
        if found is None:
            raise NoSuchRecord("There is no such {kind}.", kind=self.kind)
        return found

    def seen(self, session: Session, organisation_id: str, thing_id: str, version: int) -> Named:
        """One that is about to change, still at the version that was seen. NoSuchRecord, StaleVersion."""
        found = self.find(session, organisation_id, thing_id, for_change=True)
        self.check_version(found, version)
        return found

    def check_version(self, found: Named, version: int) -> None:
        """StaleVersion if it is not at the version that was seen."""
        if found.version != version:
            raise StaleVersion(self.kind, found.name, found.version)

    def free_name(self, session: Session, organisation_id: str, name: str, but: str | None = None) -> str:
        """The name without surplus spaces. UsageError if it is empty, too long, or that of another than `but`."""
        name = " ".join(name.split())
        if not 1 <= len(name) <= NAME_CHARS:
            raise UsageError(
                "The name of a {kind} has 1 to {most} characters.",
                "Choose another name.",
                kind=self.kind,
                most=NAME_CHARS,
            )
        taken = session.scalar(
            select(self.table.id).where(self.table.organisation_id == organisation_id, self.table.name == name)
        )
        if taken is not None and taken != but:
            raise UsageError("There is a {kind} {name!r} already.", "Choose another name.", kind=self.kind, name=name)
        return name

    def check_room(self, session: Session, organisation_id: str) -> None:
        """UsageError if the organisation has as many as it may have."""
        count = select(func.count()).select_from(self.table).where(self.table.organisation_id == organisation_id)
        if (session.scalar(count) or 0) >= self.most:
            raise UsageError(
                "There are {most:,} {kind}s already.", "Delete those that nobody needs.", most=self.most, kind=self.kind
            )
