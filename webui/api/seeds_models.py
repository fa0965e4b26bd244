"""What `GET /api/v1/seeds` accepts and answers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from webui.api.models import IdeaReason, KeywordLanguage, Meta, ReplyNotice
from webui.limits import DEFAULT_RELATED, MAX_ID_CHARS, MAX_RELATED


class SeedContextQuestion(BaseModel):
    """For whom; unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str | None = Field(None, max_length=MAX_ID_CHARS, description="An account; needs `key`.")
    key: str | None = Field(
        None,
        max_length=64,
        description="HMAC-SHA256 of the account's id under the operator's account_secret, hexadecimal.",
    )
    industry: str | None = Field(
        None, max_length=MAX_ID_CHARS, description="An industry; with `account` the one to fall back on."
    )
    limit: int = Field(DEFAULT_RELATED, ge=1, le=MAX_RELATED, description="Rows of the reply at most.")
    t: float | None = Field(None, ge=0, le=1, description="1 orders by quality alone, 0 by good results alone.")


class SeedsQuestion(SeedContextQuestion):
    """The parameters of the address."""

    kind: Literal["queries", "urls"] = Field(
        "queries", description="queries: searches to begin with; urls: pages to start a search by address from."
    )

    language: Literal["en", "zh"] | None = Field(
        None, description="Adds `text` in this language to reasons and notices, beside text_en and text_zh."
    )


class SeedContext(BaseModel):
    """Whose seeds they are: the narrowest context of which something is known."""

    kind: Literal["account", "industry", "everyone"]
    id: str | None


class Seed(BaseModel):
    """One search to begin with."""

    text: str
    language: KeywordLanguage
    quality: float = Field(ge=0, le=1, description="How well it fits the context, and how relevant its results are.")
    utility: float = Field(ge=0, le=1, description="Its good results, on a logarithmic scale.")
    results: int = Field(description="Good results that it returns.")
    avg_monthly_searches: float | None
    reasons: list[IdeaReason]


class SeedUrl(BaseModel):
    """One page to start a search by address from: `url_seed` of keyword ideas."""

    url: str
    title: str | None = Field(description="Null if the platform has not crawled the page.")
    quality: float = Field(ge=0, le=1, description="How far the page is about one thing, and how well it fits.")
    utility: float = Field(ge=0, le=1, description="The keywords that lead there, on a logarithmic scale.")
    keywords: int = Field(description="Keywords that people clicked it for, close variants counted once.")
    lead_keywords: list[str] = Field(description="At most three, those of the most users.")
    reasons: list[IdeaReason]


class Seeds(BaseModel):
    """The rows, best first, each another intent."""

    context: SeedContext
    seeds: list[Seed]
    urls: list[SeedUrl] | None = Field(None, description="Present if kind is urls; there are no seeds then.")
    notices: list[ReplyNotice]


class SeedsReply(BaseModel):
    """The envelope."""

    data: Seeds
    meta: Meta
