"""What the API accepts and answers of single keywords: scores of the caller's own, and all about one."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from webui.api.models import (
    CloseVariant,
    Competition,
    Direction,
    IdeaReason,
    Intent,
    KeywordLanguage,
    KeywordSeed,
    ListSeed,
    MatchType,
    Meta,
    MonthlySearchVolume,
    ReplyNotice,
    SiteSeed,
    UrlSeed,
    Variant,
)
from webui.api.related_models import RelatedSearch
from webui.limits import MAX_SCORED

GivenKeyword = Annotated[str, StringConstraints(max_length=1_000)]


class KeywordScoresRequest(BaseModel):
    """Keywords of the caller's, to be told about and, where a seed is named, scored against it. None is added."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    keywords: Annotated[list[GivenKeyword], Field(min_length=1, max_length=MAX_SCORED)] = Field(
        description="As many rows are answered, in this order, repeats and unknown ones too."
    )
    keyword_seed: KeywordSeed | None = Field(None, description="What they are scored against; or another seed.")
    url_seed: UrlSeed | None = Field(None, description="A page that they are scored against.")
    site_seed: SiteSeed | None = Field(None, description="A site that they are scored against.")
    list_seed: ListSeed | None = Field(None, description="A list of the key's organisation to score them against.")
    language: Literal["en", "zh"] | None = Field(
        None, description="Adds `text` in this language to reasons and notices, beside text_en and text_zh."
    )
    include_adult_keywords: bool = Field(False, description="Also lawful goods for adults.")


class KeywordScore(BaseModel):
    """One of the caller's keywords; null is unknown. The fields of a keyword idea mean the same here."""

    given: str = Field(description="As it was sent.")
    text: str = Field(description="Normalised.")
    status: Literal["scored", "known", "never_searched", "unsafe", "without_words"] = Field(
        description="known: there was no seed to score it against. Only scored and known have numbers."
    )
    status_text_en: str
    status_text_zh: str
    relevance: float | None = Field(ge=0, le=1)
    language: KeywordLanguage | None
    searches: int | None
    own_searches: int | None
    users: int | None
    first_date: str | None
    last_date: str | None
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
    closest_seed: str | None
    direction: Direction | None
    suggested_match_type: MatchType | None
    variant_of_seed: Variant | None
    matched_terms: list[str]
    missed_terms: list[str]
    added_terms: list[str]
    reasons: list[IdeaReason]


class KeywordScores(BaseModel):
    """The rows, one a keyword that was sent, in that order."""

    seeds: list[str]
    keyword_scores: list[KeywordScore]
    notices: list[ReplyNotice]


class KeywordScoresReply(BaseModel):
    """The envelope."""

    data: KeywordScores
    meta: Meta


class KeywordQuestion(BaseModel):
    """The parameters of the address. Unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: str | None = Field(None, max_length=1_000, description="A search that the keyword is compared with.")
    language: Literal["en", "zh"] | None = Field(
        None, description="Adds `text` in this language to reasons, beside text_en and text_zh."
    )


class KeywordIntent(BaseModel):
    """What somebody who searches it wants to do, told from its words."""

    value: Intent
    text_en: str
    text_zh: str
    text: str | None = None


class Counted(BaseModel):
    """How the numbers came to be."""

    method: Literal["counted_in_log"]
    first_date: str
    last_date: str
    whole_months: int = Field(description="Months over which avg_monthly_searches is the mean.")


class KeywordNeighbor(BaseModel):
    """A keyword that one miner links with it."""

    miner: str
    text: str
    searches: int
    strength: float = Field(ge=0, le=1)
    reason: IdeaReason


class KeywordMatch(BaseModel):
    """How it stands to the seed."""

    given: str
    text: str
    status: str
    status_text_en: str
    status_text_zh: str
    seed: str | None
    relevance: float | None
    closest_seed: str | None
    direction: Direction | None
    suggested_match_type: MatchType | None
    variant_of_seed: Variant | None
    matched_terms: list[str]
    missed_terms: list[str]
    added_terms: list[str]
    reasons: list[IdeaReason]


class KeywordProfile(BaseModel):
    """Everything that is known of one keyword; the fields of a keyword idea mean the same here."""

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
    searches_by_device: dict[str, int] | None
    close_variants: list[CloseVariant]
    searches_by_region: dict[str, int] | None = Field(description="Regions with searches, the most first.")
    intent: KeywordIntent
    counted: Counted
    neighbors: list[KeywordNeighbor] = Field(description="By miner, at most 10 of each, the strongest first.")
    related_searches: list[RelatedSearch]
    match: KeywordMatch | None = Field(None, description="Present if a seed was named.")


class KeywordReply(BaseModel):
    """The envelope."""

    data: KeywordProfile
    meta: Meta
