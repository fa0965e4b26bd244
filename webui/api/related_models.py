"""What `GET /api/v1/related` accepts and answers."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from webui.api.models import Competition, IdeaReason, KeywordLanguage, Meta, ReplyNotice
from webui.limits import DEFAULT_RELATED, MAX_RELATED


class RelatedQuestion(BaseModel):
    """The parameters of the address. Unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: str = Field(description="The search beside whose results they will stand.")
    limit: int = Field(DEFAULT_RELATED, ge=1, le=MAX_RELATED, description="Rows of the reply at most.")
    t: float | None = Field(None, ge=0, le=1, description="1 orders by relevance alone, 0 by commercial value alone.")
    language: Literal["en", "zh"] | None = Field(
        None, description="Adds `text` in this language to reasons and notices, beside text_en and text_zh."
    )
    explain: bool = Field(False, description="Also answer what each stage found, kept and removed.")


class RelatedSearch(BaseModel):
    """One search to go on with."""

    text: str
    language: KeywordLanguage
    relevance: float = Field(ge=0, le=1)
    searches: int = Field(description="Searches in the whole window of the log, close variants included.")
    avg_monthly_searches: float | None
    competition: Competition | None
    low_top_of_page_bid_micros: int | None
    high_top_of_page_bid_micros: int | None
    reasons: list[IdeaReason]


class RelatedSearches(BaseModel):
    """The rows, best first, each another intent; none where nothing is close enough."""

    query: str
    related_searches: list[RelatedSearch]
    notices: list[ReplyNotice]
    explain: dict[str, Any] | None = Field(None, description="What each stage did; present if it was asked for.")


class RelatedReply(BaseModel):
    """The envelope."""

    data: RelatedSearches
    meta: Meta
