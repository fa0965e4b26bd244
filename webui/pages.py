"""The pages that people see: home, search results, methods, and what each API problem means."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, abort, current_app, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from kr.industry_seeds import UnknownIndustryError
from kr.pages.problems import PageError
from kr.pipelines.seed_queries import SeedRequest
from kr.reasons import Notice
from kr.relevance.match import SURELY_RELEVANT
from kr.reply import Reply
from kr.store.lists import listed_keywords, lists_of
from kr.store.plans import plans_of
from webui import columns, limits
from webui.about import about_if_open, about_snapshot, most_searched
from webui.active_filters import active_filters, filter_name, relaxation_links
from webui.api.problems import PROBLEM_TYPES
from webui.formats import language_name, mean_number, shown, whole_number
from webui.identity import Identity, current_database, is_secure, shown_identity
from webui.judging import personal, what_was_done
from webui.languages import chosen_language, page_language
from webui.names import NAMES
from webui.search_form import SearchForm
from webui.search_service import answer, current_service, material_of, read_form
from webui.sparkline import sparkline

blueprint = Blueprint("pages", __name__)
HOME_PAGES = 4
"""Pages to start from on the home page."""


@blueprint.get("/")
def home() -> str:
    """The search box, what the tool is, what data it has, and searches to try."""
    opened = current_service().opened()
    indexes = opened.indexes
    examples = most_searched(indexes, opened.audit, current_app.config["KR_WEB"].example_searches, page_language())
    pages = current_service().seeds(SeedRequest(limit=HOME_PAGES, kind="urls")).rows
    return render_template("home.html", about=about_snapshot(indexes), examples=examples, pages=pages)


@blueprint.get("/search")
def search() -> Response | str | tuple[str, int]:
    """The keywords for a search; everything is in the address."""
    web = current_app.config["KR_WEB"]
    if len(request.query_string) > web.max_query_string_bytes:
        abort(414)
    form = read_form(request.args)
    if not form.asks and not form.query and not form.active_filters():
        return redirect(page_url("pages.home"))
    indexes = current_service().indexes
    about, identity = about_snapshot(indexes), shown_identity()
    shared = {"about": about, "devices": indexes.devices, "regions": indexes.regions, "lists": _lists(identity)}
    if form.errors:
        return render_template("search.html", form=form, reply=None, **shared), 400
    try:
        material = material_of(form, identity)
    except PageError as error:
        form = replace(form, errors={"q": in_page_language(error)})
        status = 400 if error.refused else 422
        return render_template("search.html", form=form, reply=None, **shared), status
    asked = replace(form.request(), filters=personal(form, identity))
    try:
        reply, took_ms = answer(asked, material, facets=True)
    except UnknownIndustryError as error:
        return render_template("search.html", form=with_unknown_industry(form, error), reply=None, **shared), 404
    page = render_template(
        "search.html",
        form=form,
        reply=reply,
        **shared,
        result_title=_result_title(reply),
        filters_set=active_filters(form),
        relaxations=relaxation_links(form, reply.relaxations),
        suggestions=_suggestions(form, reply),
        first_row=(form.page - 1) * form.rows + 1,
        last_row=(form.page - 1) * form.rows + len(reply.rows),
        last_page=max(1, -(-reply.total // form.rows)),
        account=_account(identity, reply),
        done=what_was_done(request.args),
    )
    response = make_response(page)
    response.headers["Server-Timing"] = f"path;dur={took_ms}"
    if form.columns.in_address is not None:
        response.set_cookie(
            columns.COOKIE,
            form.columns.in_address,
            max_age=columns.COOKIE_SECONDS,
            secure=is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response


@blueprint.get("/methods")
def methods() -> str:
    """What each column means and how it is made."""
    return render_template("methods.html", about=about_if_open(), surely_relevant=SURELY_RELEVANT)


@blueprint.get("/problems")
def problems() -> str:
    """What each type of API problem means; the addresses of the types lead here."""
    return render_template("problems.html", problems=PROBLEM_TYPES, about=about_if_open())


def _lists(identity: Identity | None) -> list[Any]:
    """The organisation's lists, none for somebody who is not signed in."""
    if identity is None:
        return []
    with current_database().reading() as session:
        return lists_of(session, identity.organisation_id)


def _account(identity: Identity | None, reply: Reply) -> dict[str, Any] | None:
    """Which of the shown keywords the organisation has on a list; None for somebody who is not signed in."""
    if identity is None:
        return None
    with current_database().reading() as session:
        listed = listed_keywords(session, identity.organisation_id)
        plans = [summary.plan for summary in plans_of(session, identity.organisation_id)]
    return {"plans": plans, "saved": {row["text"] for row in reply.rows if row["text"] in listed}}


def with_unknown_industry(form: SearchForm, error: UnknownIndustryError) -> SearchForm:
    """The form with the mistake at the field that names the industry, which is left out of its links."""
    text = gettext("There is no industry “%(industry)s”.", industry=shown(error.industry_id))
    return replace(form, industry="", errors={"industry": text})


def _result_title(reply: Reply) -> str:
    names = [reply.page["title"] or reply.page["address"]] if reply.page else []
    names += [reply.site["site"]] if reply.site else []
    names = names or [industry_name(industry) for industry in reply.industries] or list(reply.seeds)
    return ngettext(
        "%(count)s keyword for “%(seeds)s”",
        "%(count)s keywords for “%(seeds)s”",
        reply.total,
        count=whole_number(reply.total),
        seeds=gettext("”, “").join(shown(name) for name in names),
    )


def _suggestions(form: SearchForm, reply: Reply) -> list[tuple[str, str]]:
    """What may have been meant, and the query that searches for it; none if the reply is already the corrected one."""
    if any(notice.code == Notice.SPELLING_CORRECTED for notice in reply.notices):
        return []
    return [
        (item.correction, ", ".join(item.correction if seed == item.seed else seed for seed in form.seeds))
        for item in reply.corrections
    ]


def page_url(endpoint: str, **parameters: Any) -> str:
    """The address of a page that keeps the language which this page's address asks for."""
    return url_for(endpoint, **parameters, lang=chosen_language())


def search_url(form: SearchForm, **changes: Any) -> str:
    """The address of this search with something changed; see `SearchForm.address`."""
    return page_url("pages.search", **form.address(**changes))


def export_url(form: SearchForm, format: str) -> str:
    """The address of all of this search's keywords as a file, with headings and reasons in the page's language."""
    parameters = form.address(page=None, rows=None, explain=None)
    return url_for("exports.search_file", **parameters, format=format, lang=page_language())


def export_formats() -> list[tuple[str, str]]:
    """The formats that a search is exported in, and what a person calls them."""
    return [
        ("csv", gettext("CSV")),
        ("xlsx", gettext("Excel")),
        ("google_ads_editor", gettext("Google Ads Editor")),
        ("microsoft_bulk", gettext("Microsoft Advertising bulk file")),
        ("google_keyword_planner", gettext("Keyword Planner table")),
    ]


def language_url(language: str) -> str:
    """The address of this page in a language; of the home page if this one cannot be asked for by its address."""
    if request.endpoint is None or request.method not in ("GET", "HEAD"):
        return url_for("pages.home", lang=language)
    # Not through url_for: a parameter of the caller's may be named like one of its own, such as _scheme.
    parameters = {**request.args.to_dict(flat=False), "lang": language}
    return f"{request.path}?{urlencode(parameters, doseq=True)}"


def in_page_language(item: Any) -> str:
    """The text in the page's language of something that has `text_en` and `text_zh` as keys or attributes."""
    # Asked for once a row: the page's language is worked out once a request.
    if "text_name" not in g:
        g.text_name = f"text_{page_language()}"
    name = g.text_name
    return str(item[name] if isinstance(item, dict) else getattr(item, name))


def industry_name(industry: dict[str, Any]) -> str:
    """An industry's name in the page's language, else in the other one, else its id."""
    languages = ("zh", "en") if page_language() == "zh" else ("en", "zh")
    return str(next((name for code in languages if (name := industry[f"name_{code}"])), industry["id"]))


def strongest_reason(reasons: list[dict[str, Any]]) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The reason to show at once, and the others: evidence of what people did says more than words in common."""
    if not reasons:
        return None, []
    first = next((reason for reason in reasons if reason["source"] != "token_match"), reasons[0])
    return first, [reason for reason in reasons if reason is not first]


def register(app: Flask) -> None:
    """Serve the pages. What templates use lies in the globals, since imported macros see no context."""
    app.register_blueprint(blueprint)
    app.jinja_env.filters["named"] = lambda values, naming: [(value, naming(value)) for value in values]
    app.jinja_env.globals.update(
        limits=limits,
        settings=app.config["KR"],
        chosen_language=chosen_language,
        page_url=page_url,
        search_url=search_url,
        language_url=language_url,
        export_url=export_url,
        export_formats=export_formats,
        sparkline=sparkline,
        strongest_reason=strongest_reason,
        in_page_language=in_page_language,
        all_columns=columns.COLUMNS,
        usual_columns=columns.USUAL,
        filter_name=filter_name,
        language_named=language_name,
        mean_number=mean_number,
        whole_number=whole_number,
        industry_name=industry_name,
        **NAMES,
    )
