"""What organisations said of keywords, brought together for operators to decide, and what they decided."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexes.errors import UsageError
from indexes.text import normalise
from kr.store.accounts import NoSuchRecord, record
from kr.store.control_versions import Author
from kr.store.operator_schema import Decision, FeedbackDecision
from kr.store.schema import KEYWORD_CHARS, KeywordVerdict, Organisation, User, Verdict

QUEUED = (Verdict.IRRELEVANT, Verdict.NOT_MY_BUSINESS, Verdict.UP)
"""Verdicts that bring a pair into the queue; saving a keyword says too little to be asked about."""
_NEVER = datetime.min.replace(tzinfo=UTC)
POSITIVE = (Verdict.UP, Verdict.SAVED)


@dataclass
class Queued:
    """A query and a keyword of which somebody said something; each organisation counts once, by its last verdict."""

    query: str
    keyword: str
    by_verdict: dict[str, list[str]] = field(default_factory=dict)
    """Names of the organisations: for operators only."""
    last_ts: datetime = _NEVER

    def count(self, verdict: str) -> int:
        """How many organisations said it last."""
        return len(self.by_verdict.get(verdict, ()))

    @property
    def positive(self) -> int:
        return sum(self.count(verdict) for verdict in POSITIVE)

    @property
    def organisations(self) -> int:
        return sum(map(len, self.by_verdict.values()))

    @property
    def agreement(self) -> float | None:
        """Share of the larger side among those who spoke of relevance; None if nobody did."""
        sides = (self.positive, self.count(Verdict.IRRELEVANT))
        return max(sides) / sum(sides) if sum(sides) else None


@dataclass(frozen=True)
class Decided:
    """A decision with the name of whoever made it."""

    id: int
    ts: datetime
    person: str | None
    query: str
    keyword: str
    decision: str


def queue(session: Session, most: int, offset: int = 0) -> tuple[list[Queued], int]:
    """What waits for a decision, those of most organisations first, and how much there is altogether."""
    decided = {(row.query, row.keyword) for row in _living(session)}
    last: dict[tuple[str, str, str], tuple[KeywordVerdict, str]] = {}
    rows = session.execute(
        select(KeywordVerdict, Organisation.name)
        .join(Organisation, Organisation.id == KeywordVerdict.organisation_id)
        .where(KeywordVerdict.undone_at.is_(None))
        .order_by(KeywordVerdict.id)
        .execution_options(yield_per=1_000)
    )
    for verdict, name in rows:
        key = (normalise(verdict.query), verdict.keyword)
        if key not in decided:
            last[(*key, verdict.organisation_id)] = (verdict, name)
    waiting: dict[tuple[str, str], Queued] = {}
    for (query, keyword, _), (verdict, name) in last.items():
        found = waiting.setdefault((query, keyword), Queued(query, keyword))
        found.by_verdict.setdefault(verdict.verdict, []).append(name)
        found.last_ts = max(found.last_ts, verdict.ts)
    asked = [found for found in waiting.values() if any(found.count(verdict) for verdict in QUEUED)]
    asked.sort(key=lambda found: (-found.organisations, found.query, found.keyword))
    return asked[offset : offset + most], len(asked)


def decide(session: Session, query: str, keyword: str, decision: str, author: Author) -> FeedbackDecision:
    """Decide on a pair; it leaves the queue. UsageError for an unknown decision, or for a pair that nobody judged."""
    if decision not in set(Decision):
        raise UsageError(
            "There is no decision {decision!r}.",
            "Use one of {choices}.",
            decision=decision[:30],
            choices=", ".join(Decision),
        )
    query, keyword = normalise(query), normalise(keyword)
    if not keyword or len(keyword) > KEYWORD_CHARS:
        raise UsageError("The keyword is empty or too long.", "Send what the queue showed.")
    judged = session.scalars(
        select(KeywordVerdict.query).where(KeywordVerdict.keyword == keyword, KeywordVerdict.undone_at.is_(None))
    )
    if query not in map(normalise, judged):
        raise UsageError(
            "Nobody judged “{keyword}” for “{query}”.", "Load the queue again.", keyword=keyword[:60], query=query[:60]
        )
    earlier = next((row for row in _living(session) if (row.query, row.keyword) == (query, keyword)), None)
    if earlier is not None:
        raise AlreadyDecided(keyword)
    made = FeedbackDecision(ts=author.now, user_id=author.user_id, query=query, keyword=keyword, decision=decision)
    session.add(made)
    session.flush()
    subject = f"{query} | {keyword}"
    record(session, author.organisation_id, author.user, f"feedback.{decision}", subject, author.now)
    return made


class AlreadyDecided(UsageError):
    """Another operator decided on the pair meanwhile."""

    http_status = 409

    def __init__(self, keyword: str) -> None:
        super().__init__("Somebody decided on “{keyword}” meanwhile.", "Load the queue again.", keyword=keyword[:60])


def undo_decision(session: Session, decision_id: int, author: Author) -> None:
    """Put a pair back into the queue; a rule or a term that was made of it stays. NoSuchRecord."""
    found = session.get(FeedbackDecision, decision_id)
    if found is None or found.undone_at is not None:
        raise NoSuchRecord("There is no such decision.")
    found.undone_at = author.now
    subject = f"{found.query} | {found.keyword}"
    record(session, author.organisation_id, author.user, "feedback.undone", subject, author.now, found.decision)


def decisions(session: Session, most: int) -> Sequence[Decided]:
    """The latest decisions that hold, the newest first."""
    rows = session.execute(
        select(FeedbackDecision, User.email)
        .outerjoin(User, User.id == FeedbackDecision.user_id)
        .where(FeedbackDecision.undone_at.is_(None))
        .order_by(FeedbackDecision.id.desc())
        .limit(most)
    )
    return [Decided(row.id, row.ts, email, row.query, row.keyword, row.decision) for row, email in rows]


def labels(session: Session) -> dict[tuple[str, str], FeedbackDecision]:
    """By query and keyword, the decisions that say what a pair is worth: relevant, irrelevant, or no label at all."""
    saying = (Decision.RELEVANT, Decision.IRRELEVANT, Decision.REJECTED)
    return {(row.query, row.keyword): row for row in _living(session) if row.decision in saying}


def _living(session: Session) -> Iterator[FeedbackDecision]:
    return iter(session.scalars(select(FeedbackDecision).where(FeedbackDecision.undone_at.is_(None))).all())
