"""What the operator's API accepts and answers of feedback and of the audit log."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kr.store.verdicts import MOST_QUERY_CHARS
from webui.api.operator_rule_models import OperatorBody


class PageQuestion(BaseModel):
    """Which page of the queue."""

    model_config = ConfigDict(extra="forbid")

    page: int = Field(1, ge=1, description="From 1, 50 pairs each.")


class NewDecision(OperatorBody):
    """What an operator makes of a pair."""

    query: str = Field(max_length=MOST_QUERY_CHARS)
    keyword: str = Field(min_length=1)
    decision: Literal["relevant", "irrelevant", "rejected", "blocked", "unsafe"]
    category: str = Field("porn", description="unsafe: the category of the term.")


class QueuedModel(BaseModel):
    """A pair that waits; each organisation counts once, by what it said last."""

    query: str
    keyword: str
    organisations: dict[str, list[str]] = Field(description="By verdict, the names of those who said it last.")
    agreement: float | None = Field(description="Share of the larger side; null if nobody spoke of relevance.")
    last_ts: datetime


class DecisionModel(BaseModel):
    """A decision that holds."""

    id: int
    ts: datetime
    person: str | None
    query: str
    keyword: str
    decision: str


class QueueData(BaseModel):
    """What waits, and what was decided last."""

    total: int
    queue: list[QueuedModel]
    decisions: list[DecisionModel]


class QueueReply(BaseModel):
    """The envelope."""

    data: QueueData


class AuditQuestion(BaseModel):
    """Which entries."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    person: str = Field("", max_length=254, description="Part of the person's address.")
    action: str = Field("", max_length=60, description="A kind, such as rules.live, or its first part, such as rules.")
    since: date | None = Field(None, alias="from", description="First day, UTC.")
    until: date | None = Field(None, description="Last day, UTC.")
    before: int | None = Field(None, ge=1, description="Only entries with a smaller id: the next page.")


class AuditEntryModel(BaseModel):
    """An entry."""

    id: int
    ts: datetime
    person: str | None = Field(description="null for the command line, or for somebody who is gone.")
    organisation: str
    action: str
    subject: str
    before: str | None
    after: str | None


class AuditData(BaseModel):
    """Up to 100 entries, the latest first."""

    entries: list[AuditEntryModel]


class AuditReply(BaseModel):
    """The envelope."""

    data: AuditData
