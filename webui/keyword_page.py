"""`/keyword?text=…`: everything that is known of one keyword, and how it stands to a search."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from indexes.text import normalise
from kr.keyword_scores import ScoreStatus
from kr.store.lists import lists_of
from kr.types import Request
from webui.about import about_snapshot
from webui.identity import current_database, shown_identity
from webui.names import source_name
from webui.pages import page_url
from webui.search_service import current_service
from webui.sparkline import sparkline

blueprint = Blueprint("keyword", __name__)
RELATED = 8
SHOWN_REGIONS = 12


@blueprint.get("/keyword")
def page() -> Response | str | tuple[str, int]:
    """One keyword; with `seed` also how it stands to that search."""
    text, seed = normalise(request.args.get("text", "")), normalise(request.args.get("seed", ""))
    if not text:
        return redirect(page_url("pages.home"))
    settings, service = current_app.config["KR"], current_service()
    too_long = max(len(text), len(seed)) > settings.max_query_chars
    about = about_snapshot(service.indexes)
    profile = None if too_long else service.profile(text)
    if profile is None:
        categories = () if too_long else service.unsafe_categories(text)
        unknown = {"text": text, "profile": None, "unsafe": bool(categories), "too_long": too_long}
        return render_template("keyword.html", about=about, **unknown), 404
    return render_template(
        "keyword.html",
        about=about,
        text=text,
        profile=profile,
        seed=seed,
        match=_match(text, seed),
        chart=sparkline(profile["monthly_search_volumes"]),
        interval=monthly_interval(profile),
        devices=shares(profile["searches_by_device"]),
        regions=shares(profile["searches_by_region"]),
        shown_regions=SHOWN_REGIONS,
        neighbors=_by_miner(profile["neighbors"]),
        related=service.related(Request((text,), limit=RELATED)).rows,
        lists=_lists(),
    )


@dataclass(frozen=True)
class Share:
    """A part of a keyword's searches."""

    name: str
    searches: int
    share: float


def shares(counts: dict[str, int] | None) -> list[Share]:
    """Counts as parts of their sum, the greatest first; empty if nothing is known."""
    total = sum((counts or {}).values())
    ranked = sorted((counts or {}).items(), key=lambda item: (-item[1], item[0]))
    return [Share(name, count, count / total) for name, count in ranked if count]


def monthly_interval(profile: dict[str, Any]) -> tuple[int, int] | None:
    """The fewest and the most searches of a whole month, of the last twelve at most; None without a whole month."""
    whole = [month["searches"] for month in profile["monthly_search_volumes"] if month["complete"]][-12:]
    return (min(whole), max(whole)) if whole else None


def _match(text: str, seed: str) -> dict[str, Any] | None:
    """The row that a search for the seed would show; None without a seed, or if it cannot be searched for."""
    if not seed or seed == text:
        return None
    (score,) = current_service().scores(Request((seed,)), [text])
    return dict(score.row) if score.status is ScoreStatus.SCORED and score.row else None


def _by_miner(neighbors: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The neighbours under what each miner finds, in the page's language."""
    miners: dict[str, list[dict[str, Any]]] = {}
    for neighbor in neighbors:
        miners.setdefault(neighbor["miner"], []).append(neighbor)
    headings = {"association_rules": gettext("Who searches this also searches")}
    return [(headings.get(miner) or source_name(miner), found) for miner, found in miners.items()]


def _lists() -> list[Any]:
    identity = shown_identity()
    if identity is None:
        return []
    with current_database().reading() as session:
        return lists_of(session, identity.organisation_id)
