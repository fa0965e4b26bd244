"""Keyword lists and verdicts over the API; everything is the key's organisation's."""

from flask import Blueprint, Response, request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from indexes.errors import UsageError
from kr.store.accounts import find_user, utc_now
from kr.store.lists import (
    add_keywords,
    create_list,
    delete_list,
    find_list,
    keywords_of,
    lists_of,
    remove_keywords,
    rename_list,
)
from kr.store.verdicts import give_verdict, take_back
from webui.api.exchange import parameter_problem, read_body
from webui.api.list_models import (
    KeywordListChange,
    KeywordListModel,
    KeywordListReply,
    KeywordListsData,
    KeywordListsReply,
    KeywordListSummary,
    ListedKeywordModel,
    NewKeywordList,
    NewVerdicts,
    VerdictsData,
    VerdictsReply,
)
from webui.identity import current_database, signed_in

blueprint = Blueprint("lists_api", __name__, url_prefix="/api/v1")


@blueprint.get("/keyword-lists")
def all_lists() -> Response:
    """The organisation's lists."""
    with current_database().reading() as session:
        rows = [
            KeywordListSummary(
                id=summary.list.id,
                name=summary.list.name,
                version=summary.list.version,
                keywords=summary.keywords,
                created_at=summary.list.created_at,
            )
            for summary in lists_of(session, signed_in().organisation_id)
        ]
    return _send(KeywordListsReply(data=KeywordListsData(keyword_lists=rows)))


@blueprint.post("/keyword-lists")
def make_list() -> Response:
    """A new list, with keywords if any are sent."""
    body, mine, now = read_body(NewKeywordList), signed_in().organisation_id, utc_now()
    with current_database().writing() as session:
        made = create_list(session, mine, body.name, now)
        add_keywords(session, mine, made.id, body.keywords, "", now)
        reply = _list(session, mine, made.id)
    return _send(reply, 201)


@blueprint.get("/keyword-lists/<list_id>")
def one_list(list_id: str) -> Response:
    """One list with its keywords."""
    with current_database().reading() as session:
        return _send(_list(session, signed_in().organisation_id, list_id))


@blueprint.patch("/keyword-lists/<list_id>")
def change_list(list_id: str) -> Response:
    """Rename a list, add to it, remove from it: all of it or nothing."""
    body, mine = read_body(KeywordListChange), signed_in().organisation_id
    with current_database().writing() as session:
        version = body.version
        if body.name is not None:
            version = rename_list(session, mine, list_id, body.name, version).version
        remove_keywords(session, mine, list_id, body.remove, version)
        add_keywords(session, mine, list_id, body.add, "", utc_now())
        reply = _list(session, mine, list_id)
    return _send(reply)


@blueprint.delete("/keyword-lists/<list_id>")
def end_list(list_id: str) -> Response:
    """Delete a list; the address names the version that was seen."""
    version = request.args.get("version", type=int)
    if version is None:
        raise parameter_problem("version", UsageError("The version that was seen is missing.", "Add ?version=…."))
    with current_database().writing() as session:
        delete_list(session, signed_in().organisation_id, list_id, version)
    return Response(status=204)


@blueprint.post("/verdicts")
def judge() -> Response:
    """Say something of recommended keywords."""
    body, identity = read_body(NewVerdicts), signed_in()
    with current_database().writing() as session:
        user = find_user(session, identity.organisation_id, identity.user_id)
        batch = give_verdict(session, user, body.query, body.keywords, body.verdict, utc_now())
    return _send(VerdictsReply(data=VerdictsData(batch=batch, keywords=len(body.keywords))), 201)


@blueprint.delete("/verdicts/<batch>")
def take_verdicts_back(batch: str) -> Response:
    """Take back what was said in one go."""
    with current_database().writing() as session:
        take_back(session, signed_in().organisation_id, batch, utc_now())
    return Response(status=204)


def _list(session: Session, organisation_id: str, list_id: str) -> KeywordListReply:
    found = find_list(session, organisation_id, list_id)
    session.flush()
    keywords = [
        ListedKeywordModel(keyword=row.keyword, query=row.query, added_at=row.added_at)
        for row in keywords_of(session, organisation_id, list_id)
    ]
    return KeywordListReply(
        data=KeywordListModel(
            id=found.id, name=found.name, version=found.version, created_at=found.created_at, keywords=keywords
        )
    )


def _send(reply: BaseModel, status: int = 200) -> Response:
    return Response(reply.model_dump_json(), status, mimetype="application/json")
