"""What the API accepts and answers, as typed models: they check requests and write the OpenAPI document.

Names follow Google Ads' KeywordPlanIdeaService where it has one. Unknown is null, never zero. Money is in micros
(millionths of the platform's currency).
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from indexes.errors import Message
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
Intent = Literal[
    "navigational",
    "support",
    "supply",
    "local",
    "informational",
    "commercial",
    "price",
    "transactional",
    "general",
]
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
        raise ValueError(Message("The word has no visible character"))
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


class SiteSeed(_Question):
    """A site to start from: the topics of its pages in the platform's crawl, pooled. Nothing is fetched."""

    site: Annotated[
        str,
        Field(min_length=1, max_length=253, description="Host, such as shop.example.com; with www. or without is one."),
    ]


class ListSeed(_Question):
    """A keyword list to start from: its most searched keywords become seeds."""

    list_id: Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARS, description="Of the key's organisation.")]


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
    intents: list[Intent] = Field(default=[], max_length=9, description="Any of these intents; empty for all.")
    match_types: list[MatchType] = Field(
        default=[], max_length=3, description="Any of these suggested match types; empty for all."
    )
    groups: Words = Field(default=[], description="Any of these groups of the result, as the facets name them.")
    hide_listed: bool = Field(
        default=False,
        description="Leave out what is on a list of the key's organisation. What it dismissed is always left out.",
    )

    @model_validator(mode="after")
    def _ranges_are_not_empty(self) -> Self:
        for low, high in (("min_searches", "max_searches"), ("min_bid_micros", "max_bid_micros")):
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least > most:
                raise ValueError(Message("{low} is above {high}", low=low, high=high))
        return self


class Parameters(_Question):
    """Numbers that the ranking reads."""

    t: float | None = Field(
        default=None, ge=0, le=1, description="Balance: 1 orders by relevance alone, 0 by value alone."
    )


class KeywordIdeasRequest(_Question):
    """A question for keyword ideas."""

    keyword_seed: KeywordSeed | None = Field(None, description="Keywords to start from; or another seed, or several.")
    url_seed: UrlSeed | None = Field(None, description="A page to start from.")
    site_seed: SiteSeed | None = Field(None, description="A site to start from.")
    list_seed: ListSeed | None = Field(None, description="A list of the key's organisation to start from.")
    industry_seed: IndustrySeed | None = Field(None, description="Industries to start from.")
    page_size: int = Field(DEFAULT_PAGE_SIZE, ge=1, le=MAX_PAGE_SIZE, description="Rows of one reply.")
    page_token: str | None = Field(None, max_length=1_000, description="next_page_token of the reply before.")
    sort: Sort = Field("rank", description="Order of rows; `-` in front for descending.")
    filters: IdeaFilters = IdeaFilters()
    language: Literal["en", "zh"] | None = Field(
        None, description="Adds `text` in this language to reasons and notices, beside text_en and text_zh."
    )
    explain: bool = Field(False, description="Also answer what each stage found, kept and removed.")
    include_adult_keywords: bool = Field(False, description="Also lawful goods for adults.")
    facets: bool = Field(
        False, description="Also count the whole result by word, group, intent, language, competition."
    )
    timing: bool = Field(False, description="Fill meta.took_ms; the body then differs from call to call.")
    parameters: Parameters = Parameters()

    @model_validator(mode="after")
    def _something_is_asked(self) -> Self:
        if not any((self.keyword_seed, self.url_seed, self.site_seed, self.list_seed, self.industry_seed)):
            names = "keyword_seed, url_seed, site_seed, list_seed, industry_seed"
            raise ValueError(Message("Name one of {names}, or several", names=names))
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
    group: str | None = Field(None, description="Group of the result, null without one; present with facets.")
    intent: Intent | None = Field(None, description="What it is searched for; present with facets.")


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


class SiteRead(BaseModel):
    """The site that was read for site_seed."""

    site: str = Field(description="Its host, without www.")
    pages: int = Field(description="Pages of it that the platform has crawled.")
    pages_read: int = Field(description="Pages whose topics were pooled: those nearest to the root.")
    read_on: str = Field(description="Last day (UTC) of the log that the crawl belongs to.")
    topics: list[PageTopic] = Field(description="The main topic first.")


class FacetCount(BaseModel):
    """A value, and how many rows of the whole result have it."""

    value: str
    count: int


class IntentCount(FacetCount):
    """The same of an intent, with its name."""

    text_en: str
    text_zh: str


class Facets(BaseModel):
    """What the whole result is made of; the most frequent values first."""

    rows: int = Field(description="Rows that were counted.")
    words: list[FacetCount] = Field(description="Rows whose text contains the word, as must_contain reads it.")
    groups: list[FacetCount] = Field(description="Rows by the word that most rows share with them.")
    intents: list[IntentCount]
    languages: list[FacetCount]
    competition: list[FacetCount] = Field(description="UNKNOWN where no ad was logged.")


class Relaxation(BaseModel):
    """What dropping one filter would bring."""

    filter: str = Field(description="A field of filters; owned for hide_listed; all for all of them.")
    total: int


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
    site: SiteRead | None = Field(None, description="Present if site_seed was given.")
    facets: Facets | None = Field(None, description="Present if they were asked for.")
    relaxations: list[Relaxation] | None = Field(
        None, description="Present where the filters leave nothing: what dropping each alone would bring, most first."
    )
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
