"""What the API answers, typed. Field names are the API's; unknown is None, never zero; money is in micros.

`webui/openapi.json` says what each field means. A newer server may send more fields than a client knows: these are left
out, so that a client goes on working.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self


@dataclass(frozen=True)
class Row:
    """A part of a reply that is made from JSON."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """From the API's JSON; fields that this version does not know are left out."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in document.items() if name in known})


@dataclass(frozen=True)
class Reason(Row):
    """Why a keyword is shown, with counts that can be recomputed from the log."""

    code: str
    source: str
    text_en: str
    text_zh: str
    seed: str | None = None
    text: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Notice(Row):
    """What a reply as a whole has to say."""

    code: str
    text_en: str
    text_zh: str
    text: str | None = None


@dataclass(frozen=True)
class KeywordNumbers(Row):
    """What is known of a keyword, whatever it was searched for."""

    text: str
    language: str | None = None
    relevance: float | None = None
    searches: int | None = None
    own_searches: int | None = None
    users: int | None = None
    first_date: str | None = None
    last_date: str | None = None
    avg_monthly_searches: float | None = None
    monthly_search_volumes: Sequence[Mapping[str, Any]] = ()
    change_3m: float | None = None
    change_yoy: float | None = None
    competition: str | None = None
    competition_index: float | None = None
    low_top_of_page_bid_micros: int | None = None
    high_top_of_page_bid_micros: int | None = None
    advertisers: int | None = None
    clicks: int | None = None
    ad_ctr: float | None = None
    searches_by_device: Mapping[str, int] | None = None
    close_variants: Sequence[Mapping[str, Any]] = ()
    closest_seed: str | None = None
    direction: str | None = None
    suggested_match_type: str | None = None
    variant_of_seed: str | None = None
    matched_terms: Sequence[str] = ()
    missed_terms: Sequence[str] = ()
    added_terms: Sequence[str] = ()
    reasons: Sequence[Reason] = ()
    group: str | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """From the API's JSON, its reasons typed too."""
        return super().of({**document, "reasons": tuple(map(Reason.of, document.get("reasons") or ()))})


@dataclass(frozen=True)
class KeywordIdea(KeywordNumbers):
    """One recommended keyword, or one related search."""


@dataclass(frozen=True)
class KeywordScore(KeywordNumbers):
    """One of the caller's own keywords: `given` as it was sent, `status` why it has a score or none."""

    given: str = ""
    status: str = ""
    status_text_en: str = ""
    status_text_zh: str = ""


@dataclass(frozen=True)
class KeywordIdeas:
    """One page of an answer."""

    seeds: Sequence[str]
    total: int
    rows: Sequence[KeywordIdea]
    notices: Sequence[Notice]
    snapshot: str
    next_page_token: str | None = None
    page: Mapping[str, Any] | None = None
    site: Mapping[str, Any] | None = None
    facets: Mapping[str, Any] | None = None
    relaxations: Sequence[Mapping[str, Any]] = ()

    @staticmethod
    def of(document: Mapping[str, Any]) -> "KeywordIdeas":
        """From the API's envelope."""
        data = document["data"]
        return KeywordIdeas(
            tuple(data["seeds"]),
            data["total"],
            tuple(map(KeywordIdea.of, data["keyword_ideas"])),
            tuple(map(Notice.of, data["notices"])),
            document["meta"]["snapshot"],
            document.get("next_page_token"),
            data.get("page"),
            data.get("site"),
            data.get("facets"),
            tuple(data.get("relaxations") or ()),
        )


@dataclass(frozen=True)
class Suggestion(Row):
    """A keyword that begins with what was typed."""

    text: str
    kind: str = ""
    avg_monthly_searches: float | None = None
    highlights: Sequence[Sequence[int]] = ()


@dataclass(frozen=True)
class SeedQuery(Row):
    """A search to offer before a word is typed."""

    text: str
    reasons: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class KeywordList(Row):
    """A list of the organisation's; `keywords` are empty in an overview, which counts them in `size`."""

    id: str
    name: str
    version: int
    created_at: str = ""
    keywords: Sequence[str] = ()
    size: int = 0

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """From the API's JSON: a list whole, or its line in the overview."""
        keywords = document["keywords"]
        if isinstance(keywords, int):
            return super().of({**document, "keywords": (), "size": keywords})
        return super().of({**document, "keywords": tuple(row["keyword"] for row in keywords), "size": len(keywords)})
