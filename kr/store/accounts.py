"""Organisations and their users."""

import re
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from indexes.errors import NotFoundError, UsageError
from kr.store.passwords import hash_password
from kr.store.schema import EMAIL_CHARS, NAME_CHARS, AuditEntry, Organisation, Role, SignInSession, User


class NoSuchRecord(NotFoundError):
    """There is no such thing, or it belongs to somebody else: which of both is not told."""


PLATFORM_ROLES = frozenset({Role.OPERATOR, Role.ANALYST})
"""These see other organisations' numbers: only the platform's own people can have them."""
_EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s.\x00-\x1f]+")


def utc_now() -> datetime:
    """The clock of everything that is stored."""
    return datetime.now(UTC)


def email_identity(email: str) -> str:
    """An address as it identifies a user: trimmed, case folded. UsageError if it is none."""
    folded = email.strip().casefold()
    if len(folded) > EMAIL_CHARS or not _EMAIL.fullmatch(folded):
        raise UsageError("{email!r} is not an e-mail address.", "Write it like name@example.com.", email=email[:60])
    return folded


def create_organisation(
    session: Session, name: str, now: datetime, is_platform: bool = False, advertiser_id: str | None = None
) -> Organisation:
    """A new organisation. UsageError if its name or advertiser is taken."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_CHARS:
        raise UsageError("An organisation's name has 1 to {most} characters.", most=NAME_CHARS)
    if session.scalar(select(Organisation.id).where(Organisation.name == name)):
        raise UsageError("There is an organisation {name!r} already.", "Choose another name.", name=name)
    if advertiser_id is not None and session.scalar(
        select(Organisation.id).where(Organisation.advertiser_id == advertiser_id)
    ):
        raise UsageError(
            "Another organisation is advertiser {advertiser!r} already.",
            "Check the identifier.",
            advertiser=advertiser_id,
        )
    organisation = Organisation(name=name, is_platform=is_platform, advertiser_id=advertiser_id, created_at=now)
    session.add(organisation)
    session.flush()
    return organisation


def organisation_named(
    session: Session, name: str, now: datetime, is_platform: bool = False, advertiser_id: str | None = None
) -> Organisation:
    """The organisation of this name, made if there is none. UsageError if there is one that is something else."""
    found = session.scalar(select(Organisation).where(Organisation.name == " ".join(name.split())))
    if found is None:
        return create_organisation(session, name, now, is_platform, advertiser_id)
    if is_platform and not found.is_platform:
        raise UsageError("{name!r} is an advertiser, not the platform.", "Name another organisation.", name=found.name)
    if advertiser_id is not None and found.advertiser_id != advertiser_id:
        raise UsageError(
            "{name!r} is advertiser {advertiser}.",
            "Leave --advertiser out.",
            name=found.name,
            advertiser=found.advertiser_id,
        )
    return found


def create_user(
    session: Session,
    organisation: Organisation,
    email: str,
    name: str,
    role: Role,
    password: str,
    now: datetime,
    by: User | None = None,
) -> User:
    """A new user. UsageError if the address is taken, the password too weak, or the role not for this organisation."""
    email = email_identity(email)
    name = " ".join(name.split()) or email.split("@")[0]
    if len(name) > NAME_CHARS:
        raise UsageError("A name has at most {most} characters.", most=NAME_CHARS)
    if role in PLATFORM_ROLES and not organisation.is_platform:
        raise UsageError(
            "A user of {name!r} cannot be {role}: that role sees all advertisers' numbers.",
            "Only the platform's own organisation has operators and analysts.",
            name=organisation.name,
            role=role,
        )
    if session.scalar(select(User.id).where(User.email == email)):
        raise UsageError("There is a user {email} already.", "Sign in, or use another address.", email=email)
    user = User(
        organisation=organisation,
        email=email,
        name=name,
        role=role.value,
        password_hash=hash_password(password, email),
        created_at=now,
    )
    session.add(user)
    session.flush()
    record(session, user.organisation_id, by, "user.created", email, now)
    return user


def users_of(session: Session, organisation_id: str) -> list[User]:
    """Everybody of an organisation, by address."""
    return list(session.scalars(select(User).where(User.organisation_id == organisation_id).order_by(User.email)))


def find_user(session: Session, organisation_id: str, user_id: str) -> User:
    """One of an organisation's users; NotFoundError for others' too."""
    user = session.scalar(select(User).where(User.id == user_id, User.organisation_id == organisation_id))
    if user is None:
        raise NoSuchRecord("There is no such user.")
    return user


def set_password(session: Session, user: User, password: str, now: datetime, by: User | None = None) -> None:
    """A new password; everybody who is signed in as this user must sign in again."""
    user.password_hash = hash_password(password, user.email)
    _end_sessions(session, user, now)
    record(session, user.organisation_id, by, "user.password_changed", user.email, now)


def disable_user(session: Session, user: User, now: datetime, by: User | None = None) -> None:
    """The user can no longer sign in, is signed out, and the user's API keys stop."""
    user.disabled_at = now
    _end_sessions(session, user, now)
    record(session, user.organisation_id, by, "user.disabled", user.email, now)


def _end_sessions(session: Session, user: User, now: datetime) -> None:
    ended = update(SignInSession).where(SignInSession.user_id == user.id, SignInSession.revoked_at.is_(None))
    session.execute(ended.values(revoked_at=now))


def record(
    session: Session,
    organisation_id: str,
    by: User | None,
    action: str,
    subject: str,
    now: datetime,
    before: str | None = None,
    after: str | None = None,
) -> None:
    """Write into the audit log; `by` None is the command line."""
    session.add(
        AuditEntry(
            ts=now,
            organisation_id=organisation_id,
            user_id=by.id if by else None,
            action=action,
            subject=subject,
            before=before,
            after=after,
        )
    )
