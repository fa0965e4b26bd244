"""What the API accepts and answers, as typed models: they check requests and write the OpenAPI document.

Names follow Google Ads' KeywordPlanIdeaService where it has one. Unknown is null, never zero. Money is in micros
(millionths of the platform's currency).
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from indexes.text import normalise
from kr.relevance.match import HARDLY_SEARCHED, SPECIAL_TERMS, SURELY_RELEVANT
from webui.limits import (
    DEFAULT_PAGE_SIZE,
    MAX_FILTER_CHARS,
    MAX_FILTER_WORDS,
    MAX_ID_CHARS,
    MAX_NUMBER,
    MAX_PAGE_SIZE,
)

Competition = Literal["LOW", "MEDIUM", "HIGH"]
KeywordLanguage = Literal["zh", "en", "other"]
Direction = Literal["same", "broader", "narrower", "overlapping", "disjoint"]
MatchType = Literal["EXACT", "PHRASE", "BROAD"]
Variant = Literal["width", "spacing", "traditional", "plural", "order", "pinyin"]
Sort = Literal[
    "rank",
    "searches",
    "-searches",
    "trend",
    "-trend",
    "competition",
    "-competition",
    "bid",
    "-bid",
    "relevance",
    "-relevance",
    "keyword",
    "-keyword",
]
Count = Annotated[int, Field(ge=0, le=MAX_NUMBER)]


def _has_text(word: str) -> str:
    """An empty word is in every keyword: as a filter it would remove all or nothing."""
    if not normalise(word):
        raise PydanticCustomError("empty_word", "The word has no visible character")
    return word


Word = Annotated[str, StringConstraints(max_length=MAX_FILTER_CHARS), AfterValidator(_has_text)]
Words = Annotated[list[Word], Field(max_length=MAX_FILTER_WORDS)]


class _Question(BaseModel):
    """Unknown fields and wrong types are refused: a misspelt filter must not quietly filter nothing."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class KeywordSeed(_Question):
    """Keywords to start from."""

    keywords: Annotated[
        list[str],
        Field(
            min_length=1,
            description="Products or services, as a person would type them; at most 10 of at most 200 characters, "
            "unless the operator has set max_seeds and max_query_chars otherwise.",
        ),
    ]


class UrlSeed(_Question):
    """A page to start from: it is read, and what it says is searched for."""

    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4_000,
            description="Address of a public page, http or https. It is answered from the platform's own crawl if that "
            "has it, else fetched.",
        ),
    ]
    fresh: bool = Field(False, description="Fetch the page even if the platform's crawl has it.")


class IndustrySeed(_Question):
    """Industries to start from: what their advertisers buy, and what is near to it."""

    industries: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARS)]],
        Field(min_length=1, max_length=5, description="Ids of industries, as GET /api/v1/industries tells them."),
    ]


class IdeaFilters(_Question):
    """What the answer may hold. A row whose value is unknown does not pass a filter on that value."""

    min_searches: Count | None = Field(default=None, description="Least searches a month.")
    max_searches: Count | None = Field(default=None, description="Most searches a month.")
    competition: list[Competition] = Field(default=[], max_length=3, description="Any of these classes; empty for all.")
    min_bid_micros: Count | None = Field(default=None, description="Least top-of-page bid, in micros.")
    max_bid_micros: Count | None = Field(default=None, description="Most top-of-page bid, in micros.")
    languages: list[KeywordLanguage] = Field(
        default=[], max_length=3, description="Languages of keywords; empty for all."
    )
    devices: Words = Field(
        default=[], description="Searched at least once on one of these devices, named as the log does; empty for all."
    )
    regions: Words = Field(
        default=[],
        description="Searched at least once from one of these regions, named as the log does; empty for all.",
    )
    must_contain: Words = Field(default=[], description="Every one of these words is in the keyword.")
    must_not_contain: Words = Field(default=[], description="None of these words is in the keyword.")
    hide_listed: bool = Field(
        default=False,
        description="Leave out what is on a list of the key's organisation. What it dismissed is always left out.",
    )

    @model_validator(mode="after")
    def _ranges_are_not_empty(self) -> Self:
        for low, high in (("min_searches", "max_searches"), ("min_bid_micros", "max_bid_micros")):
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least > most:
                raise PydanticCustomError("empty_range", "{low} is above {high}", {"low": low, "high": high})
        return self


class Parameters(_Question):
    """Numbers that the ranking reads."""

    t: float | None = Field(
        default=None, ge=0, le=1, description="Balance: 1 orders by relevance alone, 0 by value alone."
    )


class KeywordIdeasRequest(_Question):
    """A question for keyword ideas."""

    keyword_seed: KeywordSeed | None = Field(None, description="Keywords to start from.")
    url_seed: UrlSeed | None = Field(None, description="A page to start from.")
    industry_seed: IndustrySeed | None = Field(None, description="Industries to start from.")
    page_size: int = Field(DEFAULT_PAGE_SIZE, ge=1, le=MAX_PAGE_SIZE, description="Rows of one reply.")
    page_token: str | None = Field(None, max_length=1_000, description="next_page_token of the reply before.")
    sort: Sort = Field("rank", description="Order of rows; `-` in front for descending.")
    filters: IdeaFilters = IdeaFilters()
    language: Literal["en", "zh"] | None = Field(
        None, description="Adds `text` in this language to reasons and notices, beside text_en and text_zh."
    )
    explain: bool = Field(False, description="Also answer what each stage found, kept and removed.")
    timing: bool = Field(False, description="Fill meta.took_ms; the body then differs from call to call.")
    parameters: Parameters = Parameters()

    @model_validator(mode="after")
    def _something_is_asked(self) -> Self:
        if self.keyword_seed is None and self.url_seed is None and self.industry_seed is None:
            raise PydanticCustomError("no_seed", "Name keyword_seed, url_seed, industry_seed or several of them")
        return self


class MonthlySearchVolume(BaseModel):
    """Searches of one calendar month (UTC)."""

    year: int
    month: int = Field(ge=1, le=12)
    searches: int
    complete: bool = Field(description="Whether the log covers the whole month.")


class CloseVariant(BaseModel):
    """A spelling that is counted with its keyword."""

    text: str
    searches: int
    kind: Variant = Field(
        description="In what it differs: order of words, plural, traditional characters, spacing, or other characters "
        "of the same pinyin; what differs in several ways has the last of spacing, traditional, plural, order, pinyin. "
        "Full-width and upper case are no variants: they are evened out."
    )


class IdeaReason(BaseModel):
    """Why a keyword is shown, with counts that can be recomputed from the logs."""

    code: str
    source: str
    seed: str | None
    text_en: str
    text_zh: str
    text: str | None = Field(None, description="Present if the request names a language.")
    evidence: dict[str, Any]


class KeywordIdea(BaseModel):
    """One keyword. What ad and click tables did not tell is null."""

    text: str
    language: KeywordLanguage
    relevance: float = Field(ge=0, le=1)
    searches: int = Field(description="Searches in the whole window of the log, close variants included.")
    own_searches: int = Field(description="Searches in the whole window of the log, close variants left out.")
    users: int = Field(description="Users who searched it, close variants left out.")
    first_date: str = Field(description="First day (UTC) of a search, close variants left out.")
    last_date: str = Field(description="Last day (UTC) of a search, close variants left out.")
    avg_monthly_searches: float | None = Field(description="Mean over the last complete months, at most 12.")
    monthly_search_volumes: list[MonthlySearchVolume] = Field(description="Every month that the log touches, in order.")
    change_3m: float | None = Field(description="Last three complete months against the three before, as a fraction.")
    change_yoy: float | None = Field(description="Last complete month against the same month a year before.")
    competition: Competition | None
    competition_index: float | None = Field(description="Ad slots filled per 100 available.")
    low_top_of_page_bid_micros: int | None = Field(description="20th percentile of the price of a top-of-page click.")
    high_top_of_page_bid_micros: int | None = Field(description="80th percentile of the price of a top-of-page click.")
    advertisers: int | None
    clicks: int | None = Field(description="Clicks on organic results.")
    ad_ctr: float | None = Field(description="Ad clicks per ad impression.")
    searches_by_device: dict[str, int] | None
    close_variants: list[CloseVariant]
    closest_seed: str = Field(
        description="The seed that the keyword shares most terms with, or else through which it was found; the "
        "fields below compare the two."
    )
    direction: Direction = Field(
        description="What the keyword covers beside the seed: a narrower one holds all its terms and more, a broader "
        "one only some, an overlapping one some and others, a disjoint one none. The same: the same terms, or a close "
        "variant."
    )
    suggested_match_type: MatchType = Field(
        description="With which to bid on the keyword. EXACT for the same, for disjoint, and for overlapping under a "
        f"relevance of {SURELY_RELEVANT}; PHRASE for broader, narrower, and other overlapping; BROAD for one narrower "
        f"by {SPECIAL_TERMS} terms or more whose avg_monthly_searches is under {HARDLY_SEARCHED:g}."
    )
    variant_of_seed: Variant | None = Field(
        description="In what the keyword differs from the seed if it is a close variant of it; pinyin also where "
        "Latin letters spell Chinese characters. Null if it is equal, or no variant."
    )
    matched_terms: list[str] = Field(description="Terms of the seed that the keyword holds; all, of a close variant.")
    missed_terms: list[str] = Field(description="Terms of the seed that the keyword lacks.")
    added_terms: list[str] = Field(description="Terms of the keyword that the seed lacks.")
    reasons: list[IdeaReason]


class Correction(BaseModel):
    """What a seed may have been meant to be."""

    seed: str
    correction: str


class ReplyNotice(BaseModel):
    """Something that the reply as a whole has to say."""

    code: str
    text_en: str
    text_zh: str
    text: str | None = Field(None, description="Present if the request names a language.")


class PageTopic(BaseModel):
    """A phrase of a page."""

    text: str
    weight: float = Field(ge=0, le=1, description="How much the page is about it, of its main topic.")
    places: list[str] = Field(description="Where it stood: product_name, brand, title, h1, breadcrumb, main …")


class PageProduct(BaseModel):
    """What the page tells programs about its product (schema.org, Open Graph), as written; null if it does not say."""

    name: str | None
    brand: str | None
    categories: list[str]
    breadcrumbs: list[str]
    price: str | None
    currency: str | None


class PageRead(BaseModel):
    """The page that was read for url_seed."""

    address: str = Field(description="Where the page was found, after redirects.")
    title: str
    description: str | None
    language: str | None = Field(description="As the page declares it.")
    charset: str
    origin: Literal["crawl", "fetched", "file"]
    read_on: str = Field(description="Day (UTC) of the text; for a crawled page the last day of the log.")
    needs_javascript: bool
    product: PageProduct
    topics: list[PageTopic] = Field(description="The main topic first.")


class SeedIndustry(BaseModel):
    """An industry that industry_seed named."""

    id: str
    name_en: str | None
    name_zh: str | None
    advertisers: int = Field(description="Advertisers in it and below it.")
    keywords: int
    children: int


class KeywordIdeas(BaseModel):
    """The rows of one page and what concerns all of them."""

    seeds: list[str] = Field(description="What was searched: normalised, and corrected where a notice says so.")
    total: int = Field(description="Rows of all pages together.")
    keyword_ideas: list[KeywordIdea]
    corrections: list[Correction]
    notices: list[ReplyNotice]
    page: PageRead | None = Field(None, description="Present if url_seed was given.")
    industries: list[SeedIndustry] | None = Field(None, description="Present if industry_seed was given.")
    explain: dict[str, Any] | None = Field(None, description="What each stage did; present if it was asked for.")


class Meta(BaseModel):
    """About the reply."""

    snapshot: str
    request_id: str
    degraded: bool = Field(description="Whether a source was missing, so that rows may be missing.")
    took_ms: float | None = Field(description="Null unless `timing` was asked for; the Server-Timing header has it.")


class KeywordIdeasReply(BaseModel):
    """The envelope."""

    data: KeywordIdeas
    meta: Meta
    next_page_token: str | None = Field(None, description="Present if there are more rows.")


class FieldError(BaseModel):
    """One mistake and its place."""

    pointer: str = Field(
        description="JSON pointer into the request body, as a URI fragment: #/filters/min_searches; of an address's "
        "parameter q: #/q"
    )
    detail: str


class Problem(BaseModel):
    """An error, after RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: list[FieldError] | None = None
