"""What import and export accept and answer, as typed models."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from webui.api.models import (
    IdeaFilters,
    KeywordIdeasRequest,
    KeywordSeed,
    ListSeed,
    MatchType,
    Parameters,
    SiteSeed,
    Sort,
    UrlSeed,
)
from webui.limits import MAX_NAME_CHARS

ExportFormat = Literal["csv", "xlsx", "google_ads_editor", "microsoft_bulk", "google_keyword_planner", "jsonl"]


class KeywordIdeasExportRequest(BaseModel):
    """A question for keyword ideas whose answer is a file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    keyword_seed: KeywordSeed | None = Field(None, description="Keywords to start from; or another seed, or several.")
    url_seed: UrlSeed | None = Field(None, description="A page to start from.")
    site_seed: SiteSeed | None = Field(None, description="A site to start from.")
    list_seed: ListSeed | None = Field(None, description="A list of the key's organisation to start from.")
    format: ExportFormat = Field("csv", description="What is written; `csv` and `xlsx` hold every figure and reason.")
    max_rows: int | None = Field(None, ge=1, description="Most rows; default and most is what the operator has set.")
    sort: Sort = Field("rank", description="Order of rows; `-` in front for descending.")
    filters: IdeaFilters = IdeaFilters()
    parameters: Parameters = Parameters()
    include_adult_keywords: bool = Field(False, description="Also lawful goods for adults.")
    language: Literal["en", "zh"] = Field("en", description="Of headings and reasons.")
    campaign: str = Field("", max_length=MAX_NAME_CHARS, description="Campaign of all keywords.")
    ad_group: str = Field("", max_length=MAX_NAME_CHARS, description="Ad group of all keywords.")
    match_type: MatchType | None = Field(
        None, description="Match type of all keywords; without it the one suggested for each."
    )

    def question(self) -> KeywordIdeasRequest:
        """The same question without the file."""
        shared = KeywordIdeasRequest.model_fields.keys() & type(self).model_fields.keys() - {"language"}
        return KeywordIdeasRequest.model_validate({name: getattr(self, name) for name in shared})

    @model_validator(mode="after")
    def _something_is_asked(self) -> Self:
        self.question()
        return self


class PlanImportOptions(BaseModel):
    """How a file is read: parameters of the address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_size: int = Field(100, ge=0, le=1_000, description="Rows to answer.")
    offset: int = Field(0, ge=0, description="Rows that were taken to pass over before the first that is answered.")
    encoding: str | None = Field(None, max_length=40, description="Of text, instead of finding it out.")
    drop_duplicates: bool = Field(False, description="Reject rows that say the same as an earlier one.")


class PlanRowReply(BaseModel):
    """One keyword of a file."""

    keyword: str
    match_type: MatchType | None
    negative: bool
    campaign: str | None
    ad_group: str | None
    max_cpc_micros: int | None
    currency: str | None
    final_url: str | None
    status: Literal["ENABLED", "PAUSED", "REMOVED"] | None
    labels: list[str]
    metrics: dict[str, int | float | str] = Field(description="Figures by name; `∞` for a change from nothing.")
    months: dict[str, int | float] = Field(description="Searches by month, as 2024-03.")
    reasons: list[str]
    source: str | None = Field(description="Where the figures come from.")
    other: dict[str, str] = Field(description="Cells without a place above, by their heading.")
    line: int
    sheet: str | None
    duplicate: bool = Field(description="Whether an earlier row of the file says the same.")


class PlanRejection(BaseModel):
    """A row that was not taken."""

    line: int
    sheet: str | None = None
    field: str
    reason: str
    text_en: str
    text_zh: str
    value: str = Field(description="The beginning of what stood there.")


class PlanAccounting(BaseModel):
    """What became of every row: `read` = `kept` + `rejected`, and `reasons` add up to `rejected`."""

    format: str
    read: int
    kept: int
    rejected: int
    container: str
    encoding: str | None
    delimiter: str | None
    decimal_mark: str
    columns: dict[str, str | None] = Field(description="The headings of the file and what each was read as.")
    reasons: dict[str, int]
    warnings: dict[str, int]
    set_aside: dict[str, int] = Field(description="Lines that hold no row: preamble, header, blank, other sheets.")
    rows: list[PlanRowReply] = Field(description="Rows that were taken, one page of them.")
    rejections: list[PlanRejection] = Field(description="The first rows that were not taken.")


class PlanMeta(BaseModel):
    """About the reply; no snapshot takes part in an import."""

    snapshot: None
    request_id: str
    degraded: bool
    took_ms: None


class PlanImportReply(BaseModel):
    """The envelope."""

    data: PlanAccounting
    meta: PlanMeta


def option_schemas() -> list[dict[str, Any]]:
    """The options of an import as parameters of the OpenAPI document."""
    properties = PlanImportOptions.model_json_schema()["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema["description"],
            "schema": {key: value for key, value in schema.items() if key not in ("description", "title")},
        }
        for name, schema in properties.items()
    ]
