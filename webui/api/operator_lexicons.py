"""The operators' lists of unsafe terms over the API."""

from collections.abc import Callable
from dataclasses import asdict

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from indexes.errors import UsageError
from kr.audit.lexicon_book import add_term, caught_in, put_lexicons_live, read_lexicon_book, remove_list, save_list
from kr.store.control_versions import Author, history, restore
from kr.store.control_versions import undo as undo_version
from kr.store.operator_schema import Control
from webui.api.exchange import parameter_problem, read_body, send_model
from webui.api.operator_lexicon_models import (
    CaughtModel,
    EffectModel,
    EffectReply,
    LexiconBookModel,
    LexiconBookReply,
    ListText,
    NewTerm,
    StoredListModel,
    TriedData,
    TriedReply,
    TriedText,
)
from webui.api.operator_rule_models import RestoredVersion, SeenVersion, VersionsData, VersionsReply, version_model
from webui.identity import current_database
from webui.operator.acting import author
from webui.operator.lexicon_pages import effect_of_lists
from webui.search_service import current_service

blueprint = Blueprint("operator_lexicons_api", __name__, url_prefix="/api/v1/operator/lexicons")


@blueprint.get("")
def book() -> Response:
    """The lists."""
    with current_database().reading() as session:
        return send_model(_reply(session))


@blueprint.put("/lists/<list_name>")
def put_list(list_name: str) -> Response:
    """A list, new or instead of the one of this name."""
    body = read_body(ListText)
    return _edit(lambda session, by: save_list(session, body.version, list_name, body.text, by))


@blueprint.delete("/lists/<list_name>")
def end_list(list_name: str) -> Response:
    """Take a list out; the address names the version that was seen."""
    version = request.args.get("version", type=int)
    if version is None:
        raise parameter_problem("version", UsageError("The version that was seen is missing.", "Add ?version=…."))
    return _edit(lambda session, by: remove_list(session, version, list_name, by))


@blueprint.post("/terms")
def term() -> Response:
    """Add a term, or an exception."""
    body = read_body(NewTerm)
    return _edit(
        lambda session, by: add_term(session, body.version, body.list, body.term, body.category, body.severity, by)
    )


@blueprint.post("/try")
def try_text() -> Response:
    """What the latest version would catch in a text."""
    body = read_body(TriedText)
    with current_database().reading() as session:
        lists = read_lexicon_book(session).lists
    found = caught_in(body.text, current_service().lexicons.paths, lists)
    return send_model(TriedReply(data=TriedData(caught=[CaughtModel(**asdict(each)) for each in found])))


@blueprint.get("/effect")
def effect() -> Response:
    """What the latest version would do to the keywords."""
    with current_database().reading() as session:
        lists = read_lexicon_book(session).lists
    return send_model(EffectReply(data=EffectModel(**asdict(effect_of_lists(lists)))))


@blueprint.post("/live")
def live() -> Response:
    """Put the version that was seen in force."""
    body, files = read_body(SeenVersion), current_service().lexicons.paths
    return _edit(lambda session, by: put_lexicons_live(session, files, body.version, by))


@blueprint.post("/undo")
def undo() -> Response:
    """Take back the last change."""
    body = read_body(SeenVersion)
    return _edit(lambda session, by: undo_version(session, Control.LEXICONS, body.version, by))


@blueprint.post("/restore")
def restore_version() -> Response:
    """Take an earlier version up again."""
    body, files = read_body(RestoredVersion), current_service().lexicons.paths

    def do(session: Session, by: Author) -> None:
        made = restore(session, Control.LEXICONS, body.version, body.number, by)
        if body.live:
            put_lexicons_live(session, files, made.number, by)

    return _edit(do)


@blueprint.get("/versions")
def versions() -> Response:
    """The latest versions."""
    with current_database().reading() as session:
        rows = [version_model(row) for row in history(session, Control.LEXICONS)]
    return send_model(VersionsReply(data=VersionsData(versions=rows)))


def _edit(do: Callable[[Session, Author], object]) -> Response:
    with current_database().writing() as session:
        do(session, author(session))
        session.flush()
        reply = _reply(session)
    return send_model(reply)


def _reply(session: Session) -> LexiconBookReply:
    found = read_lexicon_book(session)
    lists = []
    for each in found.lists:
        parsed = each.parsed()
        lists.append(
            StoredListModel(name=each.name, text=each.text, terms=len(parsed.terms), exceptions=len(parsed.exceptions))
        )
    return LexiconBookReply(
        data=LexiconBookModel(
            version=found.version, live_version=found.live_version, differs=found.differs, lists=lists
        )
    )
