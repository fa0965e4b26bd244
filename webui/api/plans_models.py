"""What the API accepts and answers of plans."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kr.planning.forecast_types import MOST_WEEKS
from kr.planning.operations import MOST_AT_ONCE, Operation
from kr.store.schema import NAME_CHARS

Way = Literal["stem", "meaning", "both", "intent"]
MatchTypeName = Literal["EXACT", "PHRASE", "BROAD"]
Version = Annotated[int, Field(ge=1, description="The version that was seen; a plan changed since is a 409.")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewPlan(_Body):
    """A plan to make, with operations that fill it if any are sent."""

    name: str = Field(min_length=1, max_length=NAME_CHARS)
    operations: tuple[Operation, ...] = ()


class PlanChangeRequest(_Body):
    """A change of a plan; everything in it is done, or nothing."""

    version: Version
    name: str | None = Field(None, min_length=1, max_length=NAME_CHARS)
    operations: tuple[Operation, ...] = ()


class PlanVersion(_Body):
    """The version of a plan that was seen."""

    version: Version


class RegroupRequest(_Body):
    """A grouping to apply."""

    version: Version
    by: Way
    language: Literal["en", "zh"] = Field("en", description="Of the names of intents in the ad groups' names.")


class FixRequest(_Body):
    """Findings to mend, by their keys; in one change, so that one undo takes all back."""

    version: Version
    keys: Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]


class PlanForecastParameters(BaseModel):
    """Of the address of a plan's forecast."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weeks: int = Field(4, ge=1, le=MOST_WEEKS, description="How long, from the day after the log's last.")


class PlanBudgetParameters(PlanForecastParameters):
    """Of the address of a choice under a budget."""

    budget_micros: int = Field(ge=1, le=10**15, description="For the whole period.")
    goal: Literal["clicks", "conversions", "value_micros"] = Field("clicks", description="What to have the most of.")


class UseSetRequest(_Body):
    """A choice under a budget to make the plan."""

    version: Version
    budget_micros: int = Field(ge=1, le=10**15)
    goal: Literal["clicks", "conversions", "value_micros"] = "clicks"
    weeks: int = Field(4, ge=1, le=MOST_WEEKS)


class PlanCampaignModel(BaseModel):
    """A campaign."""

    id: int
    name: str
    daily_budget_micros: int | None


class PlanAdGroupModel(BaseModel):
    """An ad group."""

    id: int
    campaign: int
    name: str
    bid_micros: int | None = Field(description="Of keywords that have none of their own.")


class PlanKeywordModel(BaseModel):
    """A keyword, negative or not. A negative one without ad group is its campaign's, without campaign everybody's."""

    id: int
    text: str
    campaign: int | None
    ad_group: int | None
    match_type: MatchTypeName | None
    negative: bool
    bid_micros: int | None
    status: Literal["ENABLED", "PAUSED", "REMOVED"] | None
    labels: list[str]
    final_url: str
    facts: dict[str, Any] = Field(description="What else an imported row told.")


class PlanSummaryModel(BaseModel):
    """A plan without what it holds."""

    id: str
    name: str
    version: int
    ad_groups: int
    keywords: int
    negatives: int
    created_at: datetime
    changed_at: datetime


class PlanModel(BaseModel):
    """A plan; `can_undo` names the change that undoing would take back."""

    id: str
    name: str
    version: int
    created_at: datetime
    changed_at: datetime
    can_undo: str | None
    campaigns: list[PlanCampaignModel]
    ad_groups: list[PlanAdGroupModel]
    keywords: list[PlanKeywordModel]


class PlanReply(BaseModel):
    """The envelope of one plan."""

    data: PlanModel


class PlansData(BaseModel):
    """The organisation's plans, the one that was changed last first."""

    plans: list[PlanSummaryModel]


class PlansReply(BaseModel):
    """The envelope of all plans."""

    data: PlansData


class ImportedData(BaseModel):
    """What became of a file's rows, and the version of the plan that holds them."""

    version: int
    read: int
    kept: int
    rejected: int
    reasons: dict[str, int]


class ImportedReply(BaseModel):
    """The envelope of an import into a plan."""

    data: ImportedData


class MeasureModel(BaseModel):
    """How good a grouping is, in words and meaning alike; null where there is nothing to measure."""

    groups: int
    largest: int
    cohesion: float | None = Field(description="Mean likeness of keywords to the centre of their group, 0 to 1.")
    separation: float | None = Field(description="One minus the likeness to the nearest other centre, 0 to 1.")
    silhouette: float | None = Field(description="Both in one, −1 to 1.")
    balance: float | None = Field(description="Evenness of group sizes, 0 to 1.")
    ungrouped: float = Field(description="Share of keywords that fit no group.")


class GroupModel(BaseModel):
    """An ad group of a grouping, with keywords of the plan by number."""

    name: str
    keywords: list[int]


class GroupingModel(BaseModel):
    """One way to group."""

    by: Way
    measure: MeasureModel
    groups: list[GroupModel]


class GroupingsData(BaseModel):
    """The ad groups as they are, measured, and the ways to group anew."""

    version: int
    now: MeasureModel
    groupings: list[GroupingModel]


class GroupingsReply(BaseModel):
    """The envelope of groupings."""

    data: GroupingsData


class NegativeModel(BaseModel):
    """A negative keyword worth adding."""

    text: str
    match_type: MatchTypeName
    campaign: int
    ad_group: int | None = Field(description="Null: for the whole campaign.")
    reason: Literal["unsafe", "other_name", "other_intent", "other_product", "sibling"]
    text_en: str
    text_zh: str
    avg_monthly_searches: float = Field(description="Unwanted searches that it keeps away.")
    queries: int
    examples: list[str]
    sibling: int | None = Field(description="The ad group that those searches are keywords of.")
    operation: dict[str, Any] = Field(description="What adds it to the plan.")


class NegativesData(BaseModel):
    """Suggestions for a version of a plan."""

    version: int
    negatives: list[NegativeModel]


class NegativesReply(BaseModel):
    """The envelope of suggested negatives."""

    data: NegativesData


class PlaceModel(BaseModel):
    """A campaign or an ad group."""

    id: int
    name: str


class FindingKeywordModel(BaseModel):
    """A keyword that a finding is about."""

    id: int
    text: str


class FindingModel(BaseModel):
    """Something wrong with a plan, and the operations that mend it."""

    key: str
    code: str
    severity: Literal["high", "medium", "low"]
    campaign: PlaceModel | None
    ad_group: PlaceModel | None
    keywords: list[FindingKeywordModel]
    evidence: dict[str, Any]
    text_en: str
    text_zh: str
    fix: list[dict[str, Any]]


class DiagnosisData(BaseModel):
    """The findings of a version of a plan, the gravest first."""

    version: int
    findings: list[FindingModel]


class DiagnosisReply(BaseModel):
    """The envelope of a diagnosis."""

    data: DiagnosisData
