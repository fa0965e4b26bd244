"""What `GET /api/v1/industries` and `GET /api/v1/industries/{id}` accept and answer."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from webui.api.models import Competition, IdeaReason, KeywordLanguage, Meta, MonthlySearchVolume
from webui.limits import MAX_FILTER_CHARS, MAX_ID_CHARS

MOST_KEYWORDS = 1000


class IndustriesQuestion(BaseModel):
    """The parameters of the address; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: str | None = Field(
        None, max_length=MAX_FILTER_CHARS, description="Industries whose name or id holds this text, at most 100."
    )


class IndustryQuestion(BaseModel):
    """The parameters of the address; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(50, ge=0, le=MOST_KEYWORDS, description="Top keywords of the reply at most.")
    language: Literal["en", "zh"] | None = Field(
        None, description="Adds `text` in this language to reasons, beside text_en and text_zh."
    )


class IndustryNode(BaseModel):
    """One industry of the operator's tree."""

    id: str = Field(max_length=MAX_ID_CHARS)
    name_en: str | None
    name_zh: str | None
    advertisers: int = Field(description="Advertisers in it and below it.")
    keywords: int = Field(description="Keywords that several of them buy, at most as many as are mined for a list.")
    more_keywords: bool = Field(description="Whether they buy more, which were not mined: `keywords` is the least.")
    children: int = Field(description="Industries right below it.")


class FoundIndustry(IndustryNode):
    """An industry that was found by name."""

    path: list[IndustryNode] | None = Field(None, description="The way down to it; present if q was given.")


class IndustryKeyword(BaseModel):
    """One keyword with what is known of it; unknown is null."""

    text: str
    language: KeywordLanguage
    searches: int
    own_searches: int
    users: int
    first_date: str
    last_date: str
    avg_monthly_searches: float | None
    change_3m: float | None
    change_yoy: float | None
    competition: Competition | None
    competition_index: float | None
    low_top_of_page_bid_micros: int | None
    high_top_of_page_bid_micros: int | None
    advertisers: int | None
    clicks: int | None
    ad_ctr: float | None
    monthly_search_volumes: list[MonthlySearchVolume]
    reasons: list[IdeaReason]


class IndustriesData(BaseModel):
    """The industries above which there is none, or those that were found."""

    industries: list[FoundIndustry]


class IndustryData(BaseModel):
    """One industry."""

    industry: IndustryNode
    path: list[IndustryNode] = Field(description="The way down to it, without it.")
    children: list[IndustryNode]
    keywords: list[IndustryKeyword] = Field(description="What its advertisers buy, the most telling first.")
    rising: list[IndustryKeyword] = Field(description="With recent bursts, and searched more than three months before.")


class IndustriesReply(BaseModel):
    """The envelope."""

    data: IndustriesData
    meta: Meta


class IndustryReply(BaseModel):
    """The envelope."""

    data: IndustryData
    meta: Meta
