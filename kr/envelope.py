"""The one envelope in which the API and the command line answer (DESIGN §3 "HTTP")."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import orjson

from kr.industries import IndustryView
from kr.json_rows import JsonRows
from kr.keyword_scores import KeywordScore
from kr.pipelines.recommendations import RecommendationReply, RecommendationRequest
from kr.pipelines.seed_queries import SeedReply, SeedRequest
from kr.reply import NoticeText, Reply
from kr.suggest.suggester import Suggestion, SuggestRequest, as_rows
from kr.types import Request


def request_hash(request: Request | SuggestRequest | SeedRequest, snapshot: str) -> str:
    """A name for this request on this snapshot, 16 hexadecimal digits: equal requests have equal names."""
    # vars, not asdict: that copies every value of every field.
    canonical = json.dumps([vars(request), snapshot], sort_keys=True, ensure_ascii=True, default=vars)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def envelope(
    reply: Reply,
    request: Request,
    *,
    language: str | None = None,
    request_id: str | None = None,
    took_ms: float | None = None,
    next_page_token: str | None = None,
    encoded: bool = False,
) -> dict[str, Any]:
    """`{"data", "meta", "next_page_token"?}`; with `encoded` the rows may stay as they are written, for `orjson.dumps`.

    `language` zh or en adds a single `text` to reasons and notices beside the two. `took_ms` is null unless the caller
    asked to be timed: the same request gives the same bytes.
    """
    data: dict[str, Any] = {
        "seeds": list(reply.seeds),
        "total": reply.total,
        "keyword_ideas": _written(reply.rows)
        if encoded and not language
        else [_in_language(row, language) for row in reply.rows],
        "corrections": [asdict(correction) for correction in reply.corrections],
        "notices": [_text({**asdict(note), "code": note.code.value}, language) for note in reply.notices],
    }
    if reply.page is not None:
        data["page"] = reply.page
    if reply.site is not None:
        data["site"] = reply.site
    if reply.facets is not None:
        data["facets"] = reply.facets.as_data()
    if reply.relaxations:
        data["relaxations"] = [asdict(relaxation) for relaxation in reply.relaxations]
    if reply.industries:
        data["industries"] = list(reply.industries)
    if reply.explain is not None:
        data["explain"] = reply.explain
    document: dict[str, Any] = {
        "data": data,
        "meta": {
            "snapshot": reply.snapshot,
            "request_id": request_id or request_hash(request, reply.snapshot),
            "degraded": reply.degraded,
            "took_ms": took_ms,
        },
    }
    if next_page_token is not None:
        document["next_page_token"] = next_page_token
    return document


RELATED_COLUMNS = (
    "text",
    "language",
    "relevance",
    "searches",
    "avg_monthly_searches",
    "competition",
    "low_top_of_page_bid_micros",
    "high_top_of_page_bid_micros",
    "reasons",
)
"""What a related search tells of itself; keyword search tells the rest."""


def related_envelope(
    reply: Reply,
    request: Request,
    query: str,
    *,
    language: str | None = None,
    request_id: str | None = None,
    took_ms: float | None = None,
) -> dict[str, Any]:
    """The same for related searches; `query` as it was asked."""
    rows = [_in_language({name: row[name] for name in RELATED_COLUMNS}, language) for row in reply.rows]
    data: dict[str, Any] = {
        "query": query,
        "related_searches": rows,
        "notices": [_text({**asdict(note), "code": note.code.value}, language) for note in reply.notices],
    }
    if reply.explain is not None:
        data["explain"] = reply.explain
    return {
        "data": data,
        "meta": {
            "snapshot": reply.snapshot,
            "request_id": request_id or request_hash(request, reply.snapshot),
            "degraded": reply.degraded,
            "took_ms": took_ms,
        },
    }


def scores_envelope(
    scores: Sequence[KeywordScore],
    request: Request,
    snapshot: str,
    *,
    notices: Sequence[NoticeText] = (),
    language: str | None = None,
    request_id: str | None = None,
    took_ms: float | None = None,
) -> dict[str, Any]:
    """The same for the caller's own keywords: `data` holds the seeds and as many rows as keywords were given."""
    named = replace(request, listed=tuple(score.given for score in scores))
    return {
        "data": {
            "seeds": list(request.seeds),
            "keyword_scores": [_in_language(score.as_data(SCORE_COLUMNS), language) for score in scores],
            "notices": [_text({**asdict(note), "code": note.code.value}, language) for note in notices],
        },
        "meta": {
            "snapshot": snapshot,
            "request_id": request_id or request_hash(named, snapshot),
            "degraded": False,
            "took_ms": took_ms,
        },
    }


def profile_envelope(
    profile: dict[str, Any],
    related: Sequence[dict[str, Any]],
    score: KeywordScore | None,
    *,
    language: str | None = None,
    request_id: str = "",
    took_ms: float | None = None,
) -> dict[str, Any]:
    """The same for one keyword; `match` compares it with the seed that was asked about."""
    data = {name: value for name, value in profile.items() if name != "snapshot"}
    data["intent"] = _text(data["intent"], language)
    data["neighbors"] = [{**each, "reason": _text(each["reason"], language)} for each in data["neighbors"]]
    data["related_searches"] = [
        _in_language({name: row[name] for name in RELATED_COLUMNS}, language) for row in related
    ]
    if score is not None:
        row = {"seed": "", **score.as_data(MATCH_COLUMNS)}
        data["match"] = _in_language({**row, "seed": row["closest_seed"]}, language)
    return {
        "data": data,
        "meta": {"snapshot": profile["snapshot"], "request_id": request_id, "degraded": False, "took_ms": took_ms},
    }


MATCH_COLUMNS = (
    "relevance",
    "closest_seed",
    "direction",
    "suggested_match_type",
    "variant_of_seed",
    "matched_terms",
    "missed_terms",
    "added_terms",
    "reasons",
)
SCORE_COLUMNS = (
    "language",
    "searches",
    "own_searches",
    "users",
    "first_date",
    "last_date",
    "avg_monthly_searches",
    "monthly_search_volumes",
    "change_3m",
    "change_yoy",
    "competition",
    "competition_index",
    "low_top_of_page_bid_micros",
    "high_top_of_page_bid_micros",
    "advertisers",
    "clicks",
    "ad_ctr",
    "searches_by_device",
    "close_variants",
    *MATCH_COLUMNS,
)
"""What a scored keyword tells: as a keyword idea, but each may be null."""


def seeds_envelope(
    reply: SeedReply,
    request: SeedRequest,
    *,
    language: str | None = None,
    request_id: str | None = None,
    took_ms: float | None = None,
) -> dict[str, Any]:
    """The same for seed queries, and for seed URLs, which stand in `urls` beside no seeds."""
    rows = [_in_language(row, language) for row in reply.rows]
    return {
        "data": {
            "context": {"kind": reply.kind, "id": reply.id},
            **({"seeds": [], "urls": rows} if request.kind == "urls" else {"seeds": rows}),
            "notices": [_text({**asdict(note), "code": note.code.value}, language) for note in reply.notices],
        },
        "meta": {
            "snapshot": reply.snapshot,
            "request_id": request_id or request_hash(request, reply.snapshot),
            "degraded": False,
            "took_ms": took_ms,
        },
    }


def recommendations_envelope(
    reply: RecommendationReply,
    request: RecommendationRequest,
    *,
    language: str | None = None,
    request_id: str | None = None,
    took_ms: float | None = None,
) -> dict[str, Any]:
    """The same for recommendations without a query."""
    data: dict[str, Any] = {
        "account": request.account,
        "industry": request.industry,
        "known": list(reply.known),
        "blend": "fixed" if reply.model is None else "learned",
        "total": reply.total,
        "recommendations": [_in_language(row, language) for row in reply.rows],
        "notices": [_text({**asdict(note), "code": note.code.value}, language) for note in reply.notices],
    }
    if reply.explain is not None:
        data["explain"] = reply.explain
    return {
        "data": data,
        "meta": {
            "snapshot": reply.snapshot,
            "request_id": request_id or request_hash(request, reply.snapshot),
            "degraded": False,
            "took_ms": took_ms,
        },
    }


def industries_envelope(
    view: IndustryView,
    industries: Sequence[dict[str, Any]],
    *,
    request_id: str | None = None,
    took_ms: float | None = None,
) -> dict[str, Any]:
    """The same for industries: those right below one, or found by a text."""
    return _enveloped({"industries": list(industries)}, view.snapshot, request_id, took_ms)


def industry_envelope(
    view: IndustryView, *, language: str | None = None, request_id: str | None = None, took_ms: float | None = None
) -> dict[str, Any]:
    """The same for one industry with its keywords."""
    data = {
        "industry": view.industry,
        "path": list(view.path),
        "children": list(view.children),
        "keywords": [_in_language(row, language) for row in view.keywords],
        "rising": [_in_language(row, language) for row in view.rising],
    }
    return _enveloped(data, view.snapshot, request_id, took_ms)


def _enveloped(data: dict[str, Any], snapshot: str, request_id: str | None, took_ms: float | None) -> dict[str, Any]:
    name = hashlib.sha256(json.dumps([data, snapshot], sort_keys=True).encode()).hexdigest()[:16]
    meta = {"snapshot": snapshot, "request_id": request_id or name, "degraded": False, "took_ms": took_ms}
    return {"data": data, "meta": meta}


def suggest_envelope(
    suggestions: Sequence[Suggestion],
    request: SuggestRequest,
    snapshot: str,
    *,
    request_id: str | None = None,
    took_ms: float | None = None,
) -> dict[str, Any]:
    """The same for suggestions: `data` holds the query as typed and the rows."""
    return {
        "data": {"query": request.query, "suggestions": as_rows(suggestions)},
        "meta": {
            "snapshot": snapshot,
            "request_id": request_id or request_hash(request, snapshot),
            "degraded": False,
            "took_ms": took_ms,
        },
    }


def _written(rows: Sequence[dict[str, Any]]) -> orjson.Fragment | list[dict[str, Any]]:
    return orjson.Fragment(rows.json) if isinstance(rows, JsonRows) else list(rows)


def _in_language(row: dict[str, Any], language: str | None) -> dict[str, Any]:
    return {**row, "reasons": [_text(reason, language) for reason in row["reasons"]]} if language else row


def _text(item: dict[str, Any], language: str | None) -> dict[str, Any]:
    return {**item, "text": item[f"text_{language}"]} if language else item
