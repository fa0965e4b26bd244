"""Keyword lists: all of them, one with its keywords' numbers, and what the organisation dismissed."""

from collections.abc import Callable

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from indexes.errors import UsageError
from kr.store.accounts import utc_now
from kr.store.lists import (
    add_keywords,
    create_list,
    delete_list,
    find_list,
    keywords_of,
    lists_of,
    remove_keywords,
    rename_list,
    undo_last_change,
)
from kr.store.verdicts import dismissed_keywords, restore_keyword
from webui.identity import current_database, signed_in
from webui.languages import said
from webui.pages import page_url
from webui.search_service import current_service

blueprint = Blueprint("lists", __name__, url_prefix="/lists")
LONGEST_PASTE = 200_000


@blueprint.get("")
def overview() -> str:
    """All lists, and the keywords that are not the organisation's business."""
    return _overview()


@blueprint.post("")
def make() -> Response:
    """A new list."""
    try:
        with current_database().writing() as session:
            made = create_list(session, signed_in().organisation_id, request.form.get("name", ""), utc_now())
    except UsageError as error:
        return make_response(_overview(said(error)), 400)
    return redirect(page_url("lists.one", list_id=made.id), 303)


@blueprint.post("/restore")
def restore() -> Response:
    """Show a dismissed keyword again."""
    with current_database().writing() as session:
        restore_keyword(session, signed_in().organisation_id, request.form.get("keyword", ""), utc_now())
    return redirect(page_url("lists.overview", _anchor="dismissed"), 303)


@blueprint.get("/<list_id>")
def one(list_id: str) -> str:
    """One list, with what is known of its keywords."""
    return _one(list_id)


@blueprint.post("/<list_id>/add")
def add(list_id: str) -> Response:
    """Add keywords that were typed or pasted, one a line."""
    text = request.form.get("keywords", "")
    keywords = [line for line in text.splitlines() if line.strip()]
    try:
        if len(text) > LONGEST_PASTE:
            raise UsageError("The text has {length:,} characters.", "Import longer lists as a file.", length=len(text))
        with current_database().writing() as session:
            add_keywords(session, signed_in().organisation_id, list_id, keywords, "", utc_now())
    except UsageError as error:
        return make_response(_one(list_id, said(error)), error.http_status)
    return _to(list_id)


@blueprint.post("/<list_id>/remove")
def remove(list_id: str) -> Response:
    """Take the chosen keywords off the list."""
    return _change(
        list_id,
        lambda session, mine, version: remove_keywords(
            session, mine, list_id, request.form.getlist("keyword"), version
        ),
    )


@blueprint.post("/<list_id>/rename")
def rename(list_id: str) -> Response:
    """Give the list another name."""
    return _change(
        list_id,
        lambda session, mine, version: rename_list(session, mine, list_id, request.form.get("name", ""), version),
    )


@blueprint.post("/<list_id>/undo")
def undo(list_id: str) -> Response:
    """Take back the last change."""
    return _change(list_id, lambda session, mine, version: undo_last_change(session, mine, list_id, version))


@blueprint.post("/<list_id>/delete")
def delete(list_id: str) -> Response:
    """Delete the list; it cannot come back, so the page asks first."""
    done = _change(list_id, lambda session, mine, version: delete_list(session, mine, list_id, version))
    return redirect(page_url("lists.overview"), 303) if done.status_code == 303 else done


def _change(list_id: str, change: Callable[[Session, str, int], object]) -> Response:
    """Make a change to the version that the form was shown with."""
    version = request.form.get("version", type=int)
    try:
        if version is None:
            raise UsageError(gettext("The form lacks the version of the list."), "Load the page again.")
        with current_database().writing() as session:
            change(session, signed_in().organisation_id, version)
    except UsageError as error:
        return make_response(_one(list_id, said(error)), error.http_status)
    return _to(list_id)


def _to(list_id: str) -> Response:
    return redirect(page_url("lists.one", list_id=list_id), 303)


def _overview(error: str | None = None) -> str:
    mine = signed_in().organisation_id
    with current_database().reading() as session:
        lists = lists_of(session, mine)
        dismissed = sorted(dismissed_keywords(session, mine))
    return render_template("lists.html", lists=lists, dismissed=dismissed, error=error)


def _one(list_id: str, error: str | None = None) -> str:
    mine = signed_in().organisation_id
    with current_database().reading() as session:
        found = find_list(session, mine, list_id)
        listed = keywords_of(session, mine, list_id)
    numbers = current_service().attributes([row.keyword for row in listed])
    return render_template(
        "list.html",
        keyword_list=found,
        rows=list(zip(listed, numbers, strict=True)),
        total=sum(row["avg_monthly_searches"] or 0 for row in numbers if row),
        error=error,
        asks_to_delete=request.args.get("delete") == "1",
    )
