"""The queue of feedback: what organisations said of keywords, and what operators make of it."""

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from indexes.errors import UsageError
from indexes.unsafe_terms import CATEGORIES
from kr.audit.lexicon_book import add_term, read_lexicon_book
from kr.marketing.in_force import rule_of_keyword
from kr.marketing.rule_book import add_rule, read_book
from kr.pipelines.keyword_search import SOURCES
from kr.store.control_versions import Author
from kr.store.feedback_queue import decide as decide_pair
from kr.store.feedback_queue import decisions, queue, undo_decision
from kr.store.operator_schema import Decision
from webui.identity import current_database
from webui.languages import said
from webui.operator.acting import author
from webui.operator.lexicon_pages import category_name
from webui.pages import page_url

blueprint = Blueprint("operator_feedback", __name__, url_prefix="/operator/feedback")
ON_A_PAGE = 50
FROM_FEEDBACK = "feedback"
"""The list of unsafe terms into which keywords of the queue go."""


@blueprint.get("")
def overview() -> str:
    """What waits for a decision, and what was decided last."""
    return _overview()


@blueprint.post("")
def decide() -> Response:
    """Decide on a pair."""
    fields = request.form
    try:
        with current_database().writing() as session:
            apply_decision(
                session,
                fields.get("query", ""),
                fields.get("keyword", ""),
                fields.get("decision", ""),
                author(session),
                fields.get("category", CATEGORIES[0]),
            )
    except UsageError as error:
        return make_response(_overview(said(error)), error.http_status)
    return redirect(page_url("operator_feedback.overview", page=request.args.get("page")), 303)


@blueprint.post("/<int:decision_id>/undo")
def undo(decision_id: int) -> Response:
    """Put a pair back into the queue."""
    with current_database().writing() as session:
        undo_decision(session, decision_id, author(session))
    return redirect(page_url("operator_feedback.overview"), 303)


def apply_decision(
    session: Session, query: str, keyword: str, decision: str, by: Author, category: str = CATEGORIES[0]
) -> None:
    """Decide; a keyword that is blocked becomes a rule, an unsafe one a term. Both wait to be put in force.

    UsageError as `decide`, or if the rule or the term cannot be made: then nothing is decided.
    """
    made = decide_pair(session, query, keyword, decision, by)
    if made.decision == Decision.BLOCKED:
        book = read_book(session, SOURCES)
        add_rule(session, book, book.version, rule_of_keyword(made.keyword, gettext("Feedback")), by)
    elif made.decision == Decision.UNSAFE:
        seen = read_lexicon_book(session).version
        add_term(session, seen, FROM_FEEDBACK, made.keyword, category, 3, by)


def decision_name(decision: str) -> str:
    """What a decision is called, in the page's language."""
    return {
        "relevant": gettext("It fits"),
        "irrelevant": gettext("It does not fit"),
        "rejected": gettext("No label"),
        "blocked": gettext("Block the keyword"),
        "unsafe": gettext("Unsafe term"),
    }[decision]


def verdict_name(verdict: str) -> str:
    """What a verdict is called, in the page's language."""
    return {
        "up": gettext("fits"),
        "irrelevant": gettext("irrelevant"),
        "not_my_business": gettext("not my business"),
        "saved": gettext("saved"),
    }[verdict]


def _overview(error: str | None = None) -> str:
    page = max(1, request.args.get("page", 1, type=int))
    with current_database().reading() as session:
        waiting, total = queue(session, ON_A_PAGE, (page - 1) * ON_A_PAGE)
        decided = decisions(session, ON_A_PAGE)
    return render_template(
        "operator_feedback.html",
        waiting=waiting,
        total=total,
        page=page,
        last_page=max(1, -(-total // ON_A_PAGE)),
        decided=decided,
        choices=[decision.value for decision in Decision],
        categories=CATEGORIES,
        category_name=category_name,
        decision_name=decision_name,
        verdict_name=verdict_name,
        error=error,
    )
