"""The tables of what operators write: rules and lexicons in versions, jobs, decisions on feedback; who serves what."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kr.store.schema import ID_CHARS, KEYWORD_CHARS, NAME_CHARS, Base, _one_of, _primary_key

HOST_CHARS = 255


class Control(StrEnum):
    """What operators put live in versions."""

    RULES = "rules"
    LEXICONS = "lexicons"


class JobKind(StrEnum):
    """What runs as a process of its own; one of a kind at a time."""

    MINE = "mine"
    BUILD = "build"
    VERIFY = "verify"
    PUBLISH = "publish"
    ROLLBACK = "rollback"


class JobState(StrEnum):
    """Where a job stands. LOST: its process is gone and left no exit code, after a crash or a kill."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


class Decision(StrEnum):
    """What an operator made of the verdicts on a query and a keyword."""

    RELEVANT = "relevant"
    IRRELEVANT = "irrelevant"
    REJECTED = "rejected"
    """The verdicts were wrong or unclear: no label comes of them."""
    BLOCKED = "blocked"
    UNSAFE = "unsafe"


def _by_user() -> Mapped[str | None]:
    return mapped_column(String(ID_CHARS), ForeignKey("users.id", ondelete="SET NULL"))


class ControlVersion(Base):
    """One version of all rules, or of all lexicons. Never changed but for `live_sequence`, which is set once.

    The version with the highest number is what operators edit; the one with the highest `live_sequence` is in force.
    """

    __tablename__ = "control_versions"
    __table_args__ = (_one_of("kind", Control), Index(None, "kind", "live_sequence", unique=True))

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ts: Mapped[datetime]
    user_id: Mapped[str | None] = _by_user()
    change: Mapped[str] = mapped_column(Text)
    """What was done to the version before: see `kr.store.changes`."""
    content: Mapped[str] = mapped_column(Text)
    live_sequence: Mapped[int | None]
    """Counts how often something went live, from 1; None for what never did."""


class Job(Base):
    """A run of a command in a process of its own. What it prints, and its exit code, lie in its folder."""

    __tablename__ = "jobs"
    __table_args__ = (_one_of("kind", JobKind), _one_of("state", JobState), Index(None, "created_at"))

    id: Mapped[str] = _primary_key()
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    holds_kind: Mapped[str | None] = mapped_column(String(20), unique=True)
    """The kind while the job runs, else None: so the database itself lets only one of a kind run."""
    parameters: Mapped[str] = mapped_column(Text)
    """JSON: names and values that were checked."""
    host: Mapped[str] = mapped_column(String(HOST_CHARS))
    """The machine whose process it is."""
    user_id: Mapped[str | None] = _by_user()
    created_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    """When somebody asked to cancel it."""
    ended_at: Mapped[datetime | None]
    exit_code: Mapped[int | None]


class FeedbackDecision(Base):
    """What an operator decided on a query and a keyword; the last that was not undone counts."""

    __tablename__ = "feedback_decisions"
    __table_args__ = (_one_of("decision", Decision), Index(None, "keyword"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    ts: Mapped[datetime]
    user_id: Mapped[str | None] = _by_user()
    query: Mapped[str] = mapped_column(Text)
    keyword: Mapped[str] = mapped_column(String(KEYWORD_CHARS))
    decision: Mapped[str] = mapped_column(String(20))
    undone_at: Mapped[datetime | None]


class ServingWorker(Base):
    """What a worker process served when it last answered."""

    __tablename__ = "serving_workers"

    host: Mapped[str] = mapped_column(String(HOST_CHARS), primary_key=True)
    process: Mapped[str] = mapped_column(String(NAME_CHARS), primary_key=True)
    """Its number and when it started, since numbers are used again."""
    snapshot: Mapped[str] = mapped_column(String(64))
    rules_sequence: Mapped[int]
    lexicons_sequence: Mapped[int]
    seen_at: Mapped[datetime]
