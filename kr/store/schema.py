"""The tables that people write. The migrations must make exactly these; a test compares them.

Times are UTC. Identifiers are random, so that nobody can guess a neighbour's. Session tokens and API keys are stored
as SHA-256 only: they are random themselves, so that nothing slower is needed; passwords are not, and have Argon2.
"""

import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

ID_CHARS = 22
EMAIL_CHARS = 254
NAME_CHARS = 200
KEYWORD_CHARS = 1_000


def new_id() -> str:
    """128 random bits as 22 characters that may stand in an address."""
    return secrets.token_urlsafe(16)


class UtcTime(TypeDecorator[datetime]):
    """An instant: aware on the Python side, `timestamptz` in PostgreSQL, UTC without a zone in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time needs its zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Role(StrEnum):
    """What a person does here; `kr.store.permissions` says what each may."""

    ADVERTISER = "advertiser"
    ANALYST = "analyst"
    OPERATOR = "operator"
    ADMIN = "admin"


class Verdict(StrEnum):
    """What a person says of a recommended keyword, as in the canonical table `feedback`."""

    UP = "up"
    IRRELEVANT = "irrelevant"
    """It has nothing to do with the query, whoever asks."""
    NOT_MY_BUSINESS = "not_my_business"
    """It may fit the query; this organisation does not want it."""
    SAVED = "saved"


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcTime}  # noqa: RUF012 – SQLAlchemy reads it from the class


def _one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value.value) for value in values)})", name=column)


def _primary_key() -> Mapped[str]:
    return mapped_column(String(ID_CHARS), primary_key=True, default=new_id)


def _reference(target: str, **options: Any) -> Any:
    return mapped_column(String(ID_CHARS), ForeignKey(target, ondelete="CASCADE"), **options)


class Organisation(Base):
    """Who shares lists and plans: an advertiser, or the platform itself."""

    __tablename__ = "organisations"

    id: Mapped[str] = _primary_key()
    name: Mapped[str] = mapped_column(String(NAME_CHARS), unique=True)
    is_platform: Mapped[bool]
    """Only the platform's people can be operators and analysts."""
    advertiser_id: Mapped[str | None] = mapped_column(String(NAME_CHARS), unique=True)
    """The advertiser of the logs that this is, if it has advertised."""
    created_at: Mapped[datetime]


class User(Base):
    """A person who signs in."""

    __tablename__ = "users"
    __table_args__ = (_one_of("role", Role),)

    id: Mapped[str] = _primary_key()
    organisation_id: Mapped[str] = _reference("organisations.id", index=True)
    email: Mapped[str] = mapped_column(String(EMAIL_CHARS), unique=True)
    """Case folded."""
    name: Mapped[str] = mapped_column(String(NAME_CHARS))
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(300))
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    organisation: Mapped[Organisation] = relationship(lazy="joined", innerjoin=True)


class SignInSession(Base):
    """One browser that is signed in; the token itself is only in its cookie."""

    __tablename__ = "sign_in_sessions"

    id: Mapped[str] = _primary_key()
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str] = _reference("users.id", index=True)
    user_agent: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class ApiKey(Base):
    """A program's key. It acts for its organisation with the role of the user who made it."""

    __tablename__ = "api_keys"

    id: Mapped[str] = _primary_key()
    user_id: Mapped[str] = _reference("users.id", index=True)
    name: Mapped[str] = mapped_column(String(NAME_CHARS))
    beginning: Mapped[str] = mapped_column(String(12))
    """The first characters, by which people tell keys apart."""
    key_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class FailedSignIn(Base):
    """A wrong password, kept while it counts against further tries."""

    __tablename__ = "failed_sign_ins"
    __table_args__ = (Index(None, "email_sha256", "ts"), Index(None, "address", "ts"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    ts: Mapped[datetime]
    email_sha256: Mapped[str] = mapped_column(String(64))
    """Of what was typed: it may be no user's, and may be a password typed into the wrong field."""
    address: Mapped[str] = mapped_column(String(45))


class KeywordList(Base):
    """Keywords that an organisation keeps under a name."""

    __tablename__ = "keyword_lists"
    __table_args__ = (Index(None, "organisation_id", "name", unique=True),)

    id: Mapped[str] = _primary_key()
    organisation_id: Mapped[str] = _reference("organisations.id")
    name: Mapped[str] = mapped_column(String(NAME_CHARS))
    version: Mapped[int]
    """Grows by one with each change: whoever changes what an older page showed is told."""
    created_at: Mapped[datetime]


class ListedKeyword(Base):
    """One keyword of a list; a removed one stays, so that its removal can be undone."""

    __tablename__ = "listed_keywords"

    list_id: Mapped[str] = _reference("keyword_lists.id", primary_key=True)
    keyword: Mapped[str] = mapped_column(String(KEYWORD_CHARS), primary_key=True)
    """Normalised."""
    query: Mapped[str] = mapped_column(Text)
    """What was searched when it was added; empty if it was not found by a search."""
    added_at: Mapped[datetime]
    added_in_version: Mapped[int]
    removed_in_version: Mapped[int | None]


class StoredPlan(Base):
    """A plan of an organisation; what it holds is in the three tables below it."""

    __tablename__ = "plans"
    __table_args__ = (Index(None, "organisation_id", "name", unique=True),)

    id: Mapped[str] = _primary_key()
    organisation_id: Mapped[str] = _reference("organisations.id")
    name: Mapped[str] = mapped_column(String(NAME_CHARS))
    version: Mapped[int]
    """Grows by one with each change: whoever changes what an older page showed is told."""
    next_item: Mapped[int]
    """The number that the next campaign, ad group or keyword gets; none is given twice."""
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class PlanCampaign(Base):
    """A campaign of a plan. Like ad groups and keywords it is known by a number that is unique in its plan."""

    __tablename__ = "plan_campaigns"

    plan_id: Mapped[str] = _reference("plans.id", primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    daily_budget_micros: Mapped[int | None] = mapped_column(BigInteger)


class PlanAdGroup(Base):
    """An ad group; `bid_micros` is that of its keywords without one of their own."""

    __tablename__ = "plan_ad_groups"

    plan_id: Mapped[str] = _reference("plans.id", primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    campaign: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    bid_micros: Mapped[int | None] = mapped_column(BigInteger)


class StoredPlanKeyword(Base):
    """A keyword of a plan; a negative one without ad group is its campaign's, without campaign all campaigns'."""

    __tablename__ = "plan_keywords"

    plan_id: Mapped[str] = _reference("plans.id", primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    campaign: Mapped[int | None]
    ad_group: Mapped[int | None]
    match_type: Mapped[str | None] = mapped_column(String(10))
    negative: Mapped[bool]
    bid_micros: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str | None] = mapped_column(String(10))
    labels: Mapped[str] = mapped_column(Text)
    """JSON."""
    final_url: Mapped[str] = mapped_column(Text)
    facts: Mapped[str] = mapped_column(Text)
    """JSON: what else an imported row told."""


class PlanChange(Base):
    """A change of a plan that made a version of it, with what it takes to undo it."""

    __tablename__ = "plan_changes"

    plan_id: Mapped[str] = _reference("plans.id", primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ts: Mapped[datetime]
    user_id: Mapped[str | None] = mapped_column(String(ID_CHARS), ForeignKey("users.id", ondelete="SET NULL"))
    action: Mapped[str] = mapped_column(String(60))
    edits: Mapped[str] = mapped_column(Text)
    """JSON: see `kr.planning.plan.Edit`."""
    undone_in: Mapped[int | None]
    """The version in which it was taken back."""


class KeywordVerdict(Base):
    """What one person said of a keyword; of one organisation's verdicts on a pair the last counts."""

    __tablename__ = "keyword_verdicts"
    __table_args__ = (_one_of("verdict", Verdict), Index(None, "organisation_id", "keyword"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    ts: Mapped[datetime]
    organisation_id: Mapped[str] = _reference("organisations.id")
    user_id: Mapped[str | None] = mapped_column(String(ID_CHARS), ForeignKey("users.id", ondelete="SET NULL"))
    query: Mapped[str] = mapped_column(Text)
    keyword: Mapped[str] = mapped_column(String(KEYWORD_CHARS))
    verdict: Mapped[str] = mapped_column(String(20))
    batch: Mapped[str] = mapped_column(String(ID_CHARS), index=True)
    """What was said in one go is taken back in one go."""
    undone_at: Mapped[datetime | None]


class AuditEntry(Base):
    """Who changed what that others rely on: users, keys, roles, rules. Entries are added, never changed or removed."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index(None, "organisation_id", "ts"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    ts: Mapped[datetime]
    organisation_id: Mapped[str] = _reference("organisations.id")
    user_id: Mapped[str | None] = mapped_column(String(ID_CHARS), ForeignKey("users.id", ondelete="SET NULL"))
    """None for the command line."""
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(Text)
    before: Mapped[str | None] = mapped_column(Text)
    """What it was, where that is text that people read; so with `after`."""
    after: Mapped[str | None] = mapped_column(Text)
