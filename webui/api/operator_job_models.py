"""What the operator's API accepts and answers of jobs and snapshots."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from webui.api.operator_rule_models import OperatorBody


class NewJob(OperatorBody):
    """A job to start."""

    kind: Literal["mine", "build", "verify", "publish", "rollback"]
    parameters: dict[str, str] = Field(
        {},
        description="mine: logs, out, days; build: mined; verify, publish, rollback: snapshot. Folders are names "
        "beneath the work folder.",
    )


class JobModel(BaseModel):
    """A run of a command."""

    id: str
    kind: str
    state: Literal["running", "succeeded", "failed", "cancelled", "lost"]
    parameters: dict[str, str]
    person: str | None
    host: str
    created_at: datetime
    ended_at: datetime | None
    exit_code: int | None = Field(description="Negative: the number of the signal that ended it.")
    cancel_asked: bool
    seconds: float
    usual_seconds: float | None = Field(description="How long the last good one of its kind took.")
    last_line: str


class JobsData(BaseModel):
    """The latest jobs, the newest first."""

    jobs: list[JobModel]


class JobsReply(BaseModel):
    """The envelope."""

    data: JobsData


class JobData(BaseModel):
    """One job and the end of what it printed."""

    job: JobModel
    log: str


class JobReply(BaseModel):
    """The envelope."""

    data: JobData


class SnapshotModel(BaseModel):
    """A stored snapshot; null where it cannot be opened."""

    id: str
    is_current: bool
    published_at: str | None
    bytes: int | None
    keywords: int | None
    searches: int | None
    window: tuple[str, str] | None
    inputs: dict[str, int] = Field(description="Rows of each table of the logs.")
    models: dict[str, str]
    problem: str | None


class WorkerModel(BaseModel):
    """A worker process and what it used when it last answered."""

    host: str
    process: str
    snapshot: str
    rules: int = Field(description="How often rules had gone live.")
    lexicons: int
    seen_at: datetime


class SnapshotsData(BaseModel):
    """Snapshots, the current one first; workers; snapshots that wait to be published."""

    snapshots: list[SnapshotModel]
    workers: list[WorkerModel]
    incoming: list[str]


class SnapshotsReply(BaseModel):
    """The envelope."""

    data: SnapshotsData


class ComparisonQuestion(BaseModel):
    """Which snapshots to compare."""

    before: str = Field(min_length=1, max_length=64, description="Identifier of a snapshot of the store.")
    after: str = Field(min_length=1, max_length=64, description="Identifier of another one.")


class DemandChangeModel(BaseModel):
    """Searches a month of a keyword in both."""

    keyword: str
    before: float
    after: float


class ComparisonModel(BaseModel):
    """What changed; counts are of the keywords looked at, all of them unless `sampled`."""

    before: str
    after: str
    keywords_before: int
    keywords_after: int
    sampled: bool
    gained: int
    lost: int
    gained_examples: list[str]
    lost_examples: list[str]
    changes: list[DemandChangeModel]


class ComparisonReply(BaseModel):
    """The envelope."""

    data: ComparisonModel
