"""Signing in with a password, and the sessions that follow.

A session is a random token in a cookie; the database knows its SHA-256 and when it was last seen, and can end it. Wrong
passwords are counted in the database, by address typed and by network address, so that all workers and machines count
together; too many make everybody wait, the right password included, and say how long.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from indexes.errors import UsageError
from kr.store.accounts import NoSuchRecord
from kr.store.passwords import hash_password, is_outdated, is_right
from kr.store.schema import FailedSignIn, SignInSession, User

IDLE_TIME = timedelta(hours=12)
LONGEST_TIME = timedelta(days=14)
"""A session ends when nobody has used it for so long, and however much it is used."""
SEEN_EVERY = timedelta(minutes=5)
"""How exactly it is known when a session was last used: reading a page then seldom writes."""
FAILURES_COUNTED_FOR = timedelta(minutes=15)
FAILURES_OF_ONE_USER = 5
FAILURES_OF_ONE_ADDRESS = 50
"""Many people may sit behind one network address."""


class TooManyTries(UsageError):
    """Wait; `seconds` says how long."""

    http_status = 429

    def __init__(self, seconds: int) -> None:
        minutes = -(-seconds // 60)
        super().__init__(
            "Too many wrong passwords.",
            "Try again in {minutes} minutes." if minutes > 1 else "Try again in a minute.",
            minutes=minutes,
        )
        self.seconds = seconds


class WrongPassword(UsageError):
    """The address or the password is wrong; which one is not said."""

    http_status = 401

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.", "Check both and try again.")


@dataclass(frozen=True)
class SignedIn:
    """A new session: `token` goes into the cookie and is kept nowhere else."""

    token: str
    user: User


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def check_tries(session: Session, email: str, address: str, now: datetime) -> None:
    """TooManyTries if this user or this network address failed too often lately."""
    since = now - FAILURES_COUNTED_FOR
    for column, value, most in (
        (FailedSignIn.email_sha256, sha256(email.strip().casefold()), FAILURES_OF_ONE_USER),
        (FailedSignIn.address, address, FAILURES_OF_ONE_ADDRESS),
    ):
        last = session.scalars(
            select(FailedSignIn.ts).where(column == value, FailedSignIn.ts > since).order_by(FailedSignIn.ts.desc())
        ).all()
        if len(last) >= most:
            # Free again when the oldest of the last `most` failures no longer counts.
            raise TooManyTries(max(1, int((last[most - 1] - since).total_seconds()) + 1))


def sign_in(session: Session, email: str, password: str, address: str, user_agent: str, now: datetime) -> SignedIn:
    """Check a password and open a session.

    TooManyTries before the password is looked at; WrongPassword for a wrong one and for unknown or disabled users. An
    error undoes this transaction, so the caller counts the failure in another one, with `record_failure`.
    """
    check_tries(session, email, address, now)
    user = session.scalar(select(User).where(User.email == email.strip().casefold()))
    usable = user is not None and user.disabled_at is None
    if not is_right(password, user.password_hash if user and usable else None) or user is None:
        raise WrongPassword
    if is_outdated(user.password_hash):
        user.password_hash = hash_password(password)
    session.execute(delete(FailedSignIn).where(FailedSignIn.email_sha256 == sha256(user.email)))
    forget_ended_sessions(session, now)
    return SignedIn(_open(session, user, user_agent, now), user)


def record_failure(session: Session, email: str, address: str, now: datetime) -> None:
    """Count a wrong password, and forget those that count no more."""
    session.execute(delete(FailedSignIn).where(FailedSignIn.ts <= now - FAILURES_COUNTED_FOR))
    session.add(FailedSignIn(ts=now, email_sha256=sha256(email.strip().casefold()), address=address[:45]))


def _open(session: Session, user: User, user_agent: str, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    session.add(
        SignInSession(
            token_sha256=sha256(token), user_id=user.id, user_agent=user_agent[:300], created_at=now, last_seen_at=now
        )
    )
    return token


def find_session(session: Session, token: str, now: datetime) -> SignInSession | None:
    """The living session of a cookie's token, or None."""
    found = session.scalar(select(SignInSession).where(SignInSession.token_sha256 == sha256(token)))
    if found is None or found.revoked_at is not None or found.user.disabled_at is not None:
        return None
    if now - found.last_seen_at > IDLE_TIME or now - found.created_at > LONGEST_TIME:
        return None
    return found


def is_due_to_be_seen(found: SignInSession, now: datetime) -> bool:
    """Whether `last_seen_at` should be written anew."""
    return now - found.last_seen_at >= SEEN_EVERY


def sessions_of(session: Session, user_id: str, now: datetime) -> list[SignInSession]:
    """A user's living sessions, the latest first."""
    rows = session.scalars(
        select(SignInSession)
        .where(
            SignInSession.user_id == user_id,
            SignInSession.revoked_at.is_(None),
            SignInSession.last_seen_at >= now - IDLE_TIME,
            SignInSession.created_at >= now - LONGEST_TIME,
        )
        .order_by(SignInSession.last_seen_at.desc(), SignInSession.id)
    )
    return list(rows)


def revoke_session(session: Session, user_id: str, session_id: str, now: datetime) -> None:
    """End one of the user's own sessions; NotFoundError for others'."""
    found = session.scalar(
        select(SignInSession).where(SignInSession.id == session_id, SignInSession.user_id == user_id)
    )
    if found is None:
        raise NoSuchRecord("There is no such session.")
    if found.revoked_at is None:
        found.revoked_at = now


def forget_ended_sessions(session: Session, now: datetime) -> int:
    """Delete sessions that ended long ago; return how many."""
    count = session.scalar(select(func.count()).where(SignInSession.created_at < now - 2 * LONGEST_TIME))
    session.execute(delete(SignInSession).where(SignInSession.created_at < now - 2 * LONGEST_TIME))
    return int(count or 0)
