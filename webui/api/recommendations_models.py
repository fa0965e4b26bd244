"""What `GET /api/v1/recommendations` accepts and answers."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from webui.api.models import (
    CloseVariant,
    Competition,
    IdeaReason,
    KeywordLanguage,
    Meta,
    MonthlySearchVolume,
    ReplyNotice,
)
from webui.limits import MAX_ADDRESS_CHARS, MAX_ID_CHARS, MAX_RELATED

DEFAULT_RECOMMENDED = 20


class RecommendationsQuestion(BaseModel):
    """The parameters of the address; for whom is said by the key. Unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    industry: str | None = Field(None, max_length=MAX_ID_CHARS, description="An industry instead of the account's.")
    site: str | None = Field(
        None, max_length=MAX_ADDRESS_CHARS, description="Address of a site or page, read instead of the account's."
    )
    limit: int = Field(DEFAULT_RECOMMENDED, ge=1, le=MAX_RELATED, description="Rows of the reply at most.")
    language: Literal["en", "zh"] | None = Field(
        None, description="Adds `text` in this language to reasons and notices, beside text_en and text_zh."
    )
    explain: bool = Field(False, description="Also answer what each origin found, and what each stage removed.")


class Recommendation(BaseModel):
    """One keyword that the account does not have. What the logs did not tell is null."""

    text: str
    language: KeywordLanguage
    relevance: float = Field(ge=0, le=1, description="The blend's score: comparable within a reply.")
    searches: int
    own_searches: int
    users: int
    first_date: str
    last_date: str
    avg_monthly_searches: float | None
    monthly_search_volumes: list[MonthlySearchVolume]
    change_3m: float | None
    change_yoy: float | None
    competition: Competition | None
    competition_index: float | None
    low_top_of_page_bid_micros: int | None
    high_top_of_page_bid_micros: int | None
    advertisers: int | None
    clicks: int | None
    ad_ctr: float | None
    searches_by_device: dict[str, int] | None
    close_variants: list[CloseVariant]
    reasons: list[IdeaReason]


class Recommendations(BaseModel):
    """The rows, best first, and what they were made from."""

    account: str | None = Field(description="The advertiser of the log that the key's organisation is.")
    industry: str | None = Field(description="The industry that was asked for.")
    known: list[Literal["purchases", "site", "industry", "feedback"]]
    blend: Literal["learned", "fixed"]
    total: int
    recommendations: list[Recommendation]
    notices: list[ReplyNotice]
    explain: dict[str, Any] | None = Field(None, description="What each stage did; present if it was asked for.")


class RecommendationsReply(BaseModel):
    """The envelope."""

    data: Recommendations
    meta: Meta
