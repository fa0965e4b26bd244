"""What the operator's API accepts and answers of marketing rules."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kr.marketing.rules import MAX_RULES, Rule
from kr.store.control_versions import VersionSummary


class OperatorBody(BaseModel):
    """A body of the operator's API."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SeenVersion(OperatorBody):
    """The version that was seen; another one by now is a 409."""

    version: int = Field(ge=0, description="0 where there is none yet.")


class NewRule(SeenVersion):
    """A rule to add, the last one."""

    rule: Rule


class RuleChange(SeenVersion):
    """A change of one rule: another content, switched on or off, or another place; one of them."""

    rule: Rule | None = None
    enabled: bool | None = None
    place: int | None = Field(None, ge=1, description="From 1; beyond the end is the end.")


class AllRules(SeenVersion):
    """All rules anew, such as those of a file."""

    rules: Annotated[list[Rule], Field(max_length=MAX_RULES)]


class RestoredVersion(SeenVersion):
    """An earlier version to take up again."""

    number: int = Field(ge=1)
    live: bool = Field(False, description="Put it in force at once.")


class PreviewQuestion(OperatorBody):
    """What to preview."""

    queries: Annotated[list[str], Field(max_length=10)] = []
    most_searched: int = Field(0, ge=0, le=20, description="So many of the most searched of the last whole month too.")
    rules: Annotated[list[Rule], Field(max_length=MAX_RULES)] | None = Field(
        None, description="Rules to preview; left out, those of the latest version."
    )


class StoredRuleModel(BaseModel):
    """A rule of the database."""

    id: str
    state: Literal["new", "changed", "same"] = Field(description="How it stands to what is in force.")
    rule: dict[str, Any] = Field(description="As in the file of rules.")


class RuleBookModel(BaseModel):
    """The latest version, and what is in force."""

    version: int
    rules: list[StoredRuleModel]
    live_version: int = Field(description="0 while no version is in force.")
    live_rules: list[dict[str, Any]]
    file_rules: list[dict[str, Any]] = Field(description="Those of the rules file, which come first.")


class RuleBookReply(BaseModel):
    """The envelope."""

    data: RuleBookModel


class PreviewRowModel(BaseModel):
    """A keyword before and after."""

    text: str
    before: int | None = Field(description="Its place now, from 1; null if it is not in the list.")
    after: int | None
    change: Literal["same", "up", "down", "added", "removed"]
    rules: list[str] = Field(description="The rules that touch it after.")
    rules_before: list[str]
    removed_by: str | None
    was_removed_by: str | None


class PreviewModel(BaseModel):
    """One search before and after: the first rows of both lists."""

    query: str
    total_before: int
    total_after: int
    before: list[PreviewRowModel]
    after: list[PreviewRowModel]


class PreviewData(BaseModel):
    """All previewed searches."""

    previews: list[PreviewModel]


class PreviewReply(BaseModel):
    """The envelope."""

    data: PreviewData


class VersionModel(BaseModel):
    """One version."""

    number: int
    ts: datetime
    person: str | None = Field(description="null for the command line, or for somebody who is gone.")
    change_en: str
    change_zh: str
    live_sequence: int | None = Field(description="Counts what went live; null if this never did.")


class VersionsData(BaseModel):
    """Versions, the latest first."""

    versions: list[VersionModel]


class VersionsReply(BaseModel):
    """The envelope."""

    data: VersionsData


def version_model(row: VersionSummary) -> VersionModel:
    """A version as the API answers it."""
    return VersionModel(
        number=row.number,
        ts=row.ts,
        person=row.person,
        change_en=row.change.text_en,
        change_zh=row.change.text_zh,
        live_sequence=row.live_sequence,
    )
