"""Keys by which programs call the API. A key is shown once, when it is made; the database keeps its SHA-256."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexes.errors import UsageError
from kr.store.accounts import NoSuchRecord, record
from kr.store.schema import NAME_CHARS, ApiKey, User
from kr.store.sign_in import sha256

PREFIX = "kr_"
MOST_KEYS = 50
USED_EVERY = timedelta(minutes=5)
"""How exactly it is known when a key was last used."""


def create_key(session: Session, user: User, name: str, now: datetime) -> tuple[ApiKey, str]:
    """The stored key and its text, which cannot be had again. UsageError for a bad name or too many keys."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_CHARS:
        raise UsageError("A key's name has 1 to {most} characters.", "Name the program that uses it.", most=NAME_CHARS)
    if len(living_keys(session, user.organisation_id)) >= MOST_KEYS:
        raise UsageError("There are {most} keys already.", "Revoke those that nothing uses.", most=MOST_KEYS)
    text = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(user_id=user.id, name=name, beginning=text[:9], key_sha256=sha256(text), created_at=now)
    session.add(key)
    session.flush()
    record(session, user.organisation_id, user, "api_key.created", f"{name} ({key.beginning}…)", now)
    return key, text


def find_key(session: Session, text: str) -> ApiKey | None:
    """The living key of this text, or None."""
    if not text.startswith(PREFIX):
        return None
    key = session.scalar(select(ApiKey).where(ApiKey.key_sha256 == sha256(text)))
    if key is None or key.revoked_at is not None or key.user.disabled_at is not None:
        return None
    return key


def living_keys(session: Session, organisation_id: str) -> list[ApiKey]:
    """The keys of an organisation, oldest first."""
    rows = session.scalars(
        select(ApiKey)
        .join(User, User.id == ApiKey.user_id)
        .where(User.organisation_id == organisation_id, ApiKey.revoked_at.is_(None))
        .order_by(ApiKey.created_at, ApiKey.id)
    )
    return list(rows)


def revoke_key(session: Session, by: User, key_id: str, now: datetime) -> None:
    """End one of the organisation's keys; NotFoundError for others'."""
    key = next((key for key in living_keys(session, by.organisation_id) if key.id == key_id), None)
    if key is None:
        raise NoSuchRecord("There is no such key.")
    key.revoked_at = now
    record(session, by.organisation_id, by, "api_key.revoked", f"{key.name} ({key.beginning}…)", now)
