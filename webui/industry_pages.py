"""The industry browser: the operator's tree, and the keywords of each industry."""

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext

from kr.industry_seeds import UnknownIndustryError
from webui.about import about_snapshot
from webui.limits import MAX_FILTER_CHARS
from webui.search_service import current_service

blueprint = Blueprint("industries", __name__, url_prefix="/industries")


@blueprint.get("")
def overview() -> str:
    """The industries above which there is none, or those whose name holds a text."""
    opened = current_service().opened()
    query = request.args.get("q", "").strip()[:MAX_FILTER_CHARS]
    found = opened.industries.find(query) if query else opened.industries.roots().children
    return render_template("industries.html", industries=found, query=query, about=about_snapshot(opened.indexes))


@blueprint.get("/<path:industry_id>")
def one(industry_id: str) -> str:
    """One industry: the way to it, what is below it, its top keywords and those that are rising."""
    opened = current_service().opened()
    try:
        view = opened.industries.view(industry_id)
    except UnknownIndustryError:
        abort(404)
    about = about_snapshot(opened.indexes)
    return render_template("industry.html", view=view, words=column_words(), about=about)


def column_words() -> dict[str, str]:
    """The words that stand in every row of a table of keywords, looked up once a page."""
    return {
        "searches": gettext("Searches a month"),
        "trend": gettext("Trend"),
        "competition": gettext("Competition"),
        "why": gettext("Why it is here"),
        "up": gettext("up"),
        "down": gettext("down"),
        "unchanged": gettext("unchanged"),
        "by_month": gettext("Searches by month"),
        "part": gettext("part of the month"),
        "three_months": gettext("3 mo."),
        "year": gettext("1 yr."),
        "index": gettext("competition index, 0 to 100"),
        "no_month": gettext("the log covers no whole month"),
        "few_months": gettext("no searches in whole months before to compare with"),
        "no_year": gettext("no searches a year before to compare with"),
        "no_ad": gettext("no ad was logged for this keyword"),
        "no_click": gettext("no click at the top of the page was logged"),
    }
