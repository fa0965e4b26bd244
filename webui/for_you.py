"""Keywords for the organisation that is signed in, without a query: its advertiser's purchases, site and industry, and
what it said of keywords before."""

import time
from dataclasses import dataclass

from flask import Blueprint, current_app, make_response, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from indexes.errors import NotFoundError
from indexes.opened import Indexes
from kr.industries import as_data
from kr.pages.problems import PageError
from kr.pages.reader import PageRead
from kr.pipelines.recommendations import RecommendationReply, RecommendationRequest, with_feedback
from kr.store.lists import listed_keywords, lists_of
from kr.store.schema import Organisation
from kr.store.verdicts import dismissed_keywords, liked_keywords
from webui.about import about_snapshot
from webui.identity import Identity, current_database, signed_in
from webui.judging import what_was_done
from webui.languages import said
from webui.limits import MAX_ADDRESS_CHARS, MAX_ID_CHARS, ROWS_PER_PAGE
from webui.pages import in_page_language, industry_name
from webui.search_service import current_service

blueprint = Blueprint("for_you", __name__)


@dataclass(frozen=True)
class Question:
    """What a person or a program may add to who they are; `industry` and `site` stand instead of the account's."""

    limit: int
    industry: str | None = None
    site: str | None = None
    explain: bool = False


class NothingKnown(NotFoundError):
    """The organisation is no advertiser of the log, and names neither industry nor site."""


def request_for(identity: Identity, question: Question) -> RecommendationRequest:
    """The question of an organisation, with all that it may be answered from. NothingKnown if there is nothing."""
    with current_database().reading() as session:
        organisation = session.get(Organisation, identity.organisation_id)
        account = organisation.advertiser_id if organisation else None
        liked = liked_keywords(session, identity.organisation_id)
        dismissed = dismissed_keywords(session, identity.organisation_id)
        listed = set(listed_keywords(session, identity.organisation_id))
    if not (account or question.industry or question.site or liked or listed):
        raise NothingKnown(
            "Your organisation is not linked to an advertiser of the log, so nothing is known of what it buys.",
            "Name an industry or the address of a site, save fitting keywords, or ask an operator to link the account.",
        )
    plain = RecommendationRequest(
        (), limit=question.limit, explain=question.explain, account=account, industry=question.industry
    )
    return with_feedback(plain, liked, dismissed, listed)


def recommend(identity: Identity, question: Question) -> tuple[RecommendationRequest, RecommendationReply, float]:
    """The request, its reply and the milliseconds that it took. PageError if the site cannot be read."""
    service = current_service()
    asked = request_for(identity, question)
    page: PageRead | None = service.read_page(question.site) if question.site else None
    started = time.perf_counter()
    reply = service.recommendations(asked, page)
    return asked, reply, round((time.perf_counter() - started) * 1000, 3)


@blueprint.get("/for-you")
def page() -> Response:
    """The recommendations as a table, with the buttons that save and judge."""
    identity = signed_in()
    values = {name: request.args.get(name, "").strip() for name in ("industry", "site")}
    errors = {}
    if len(values["industry"]) > MAX_ID_CHARS or len(values["site"]) > MAX_ADDRESS_CHARS:
        errors["site"] = gettext("The address or the industry is too long.")
    rows = request.args.get("rows", ROWS_PER_PAGE[0], type=int)
    question = Question(
        rows if rows in ROWS_PER_PAGE else ROWS_PER_PAGE[0], values["industry"] or None, values["site"] or None
    )
    reply, status, took_ms = None, 200, 0.0
    try:
        if errors:
            status = 400
        else:
            _, reply, took_ms = recommend(identity, question)
    except PageError as error:
        errors["site"], status = in_page_language(error), 400 if error.refused else 422
    except NothingKnown:
        errors["nothing"] = gettext(
            "Your organisation is not linked to an advertiser of the log: name an industry or the address of your "
            "site below, or save keywords that fit."
        )
    except NotFoundError as error:
        errors["industry"], status = said(error), 404
    indexes = current_service().indexes
    industries = [(each, _named(indexes, each)) for each in indexes.accounts.industry_ids] if indexes.accounts else []
    html = render_template(
        "for_you.html",
        reply=reply,
        values=values,
        errors=errors,
        industries=industries,
        about=about_snapshot(indexes),
        account=_account(identity, reply),
        done=what_was_done(request.args),
        settings=current_app.config["KR"],
    )
    response = make_response(html, status)
    response.headers["Server-Timing"] = f"path;dur={took_ms}"
    return response


def _named(indexes: Indexes, industry_id: str) -> str:
    """The name of an industry in the page's language; its id if the operator's tree has none."""
    tree = indexes.industries
    place = tree.find(industry_id) if tree is not None else -1
    return industry_name(as_data(tree[place])) if tree is not None and place >= 0 else industry_id


def _account(identity: Identity, reply: RecommendationReply | None) -> dict[str, object]:
    with current_database().reading() as session:
        lists = lists_of(session, identity.organisation_id)
        listed = listed_keywords(session, identity.organisation_id)
    return {"lists": lists, "saved": {row["text"] for row in (reply.rows if reply else ()) if row["text"] in listed}}
