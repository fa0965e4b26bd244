"""Passwords: Argon2id, and what is too weak to be one (NIST SP 800-63B: length counts, composition rules don't)."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from indexes.errors import UsageError

MIN_CHARS = 12
MAX_CHARS = 1_000
"""A limit only against bodies made to keep the hasher busy."""
FEWEST_DIFFERENT_CHARS = 5
_ADVICE = "Three or four words make a good one."


def hash_password(password: str, email: str = "") -> str:
    """The hash to store. UsageError says why a password is too weak."""
    if not MIN_CHARS <= len(password) <= MAX_CHARS:
        raise UsageError(
            "A password has {least} to {most} characters.",
            "Three or four words make a good one.",
            least=MIN_CHARS,
            most=MAX_CHARS,
        )
    if len(set(password)) < 5 or (
        email and email.split("@")[0] and password.casefold() in (email, email.split("@")[0])
    ):
        raise UsageError("This password is too easy to guess.", "Three or four words make a good one.")
    return _hasher().hash(password)


def is_right(password: str, password_hash: str | None) -> bool:
    """Whether it is the password; takes as long for a user that does not exist (`password_hash` None)."""
    try:
        _hasher().verify(password_hash or _hash_of_nothing(), password[: MAX_CHARS + 1])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher().check_needs_rehash(password_hash)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _hash_of_nothing() -> str:
    return _hasher().hash("the password of nobody")
