"""A keyword file becomes a list: every row accounted for, what is not taken named by its line."""

from flask import Blueprint, current_app, make_response, render_template, request
from werkzeug.wrappers import Response

from indexes.errors import UsageError
from kr.planning.keyword_column import read_keyword_column
from kr.store.accounts import utc_now
from kr.store.lists import MOST_KEYWORDS, add_keywords, create_list, lists_of
from kr.store.schema import NAME_CHARS
from webui.identity import current_database, signed_in
from webui.languages import said
from webui.uploads import uploaded_file

blueprint = Blueprint("list_uploads", __name__, url_prefix="/lists")


@blueprint.post("/upload")
def upload() -> Response:
    """A new list of the file's keywords, and what became of its rows; nothing is stored of a file with an error."""
    settings, mine, now = current_app.config["KR"], signed_in().organisation_id, utc_now()
    try:
        source = uploaded_file()
        column = read_keyword_column(
            source,
            most_keywords=MOST_KEYWORDS,
            max_rows=settings.plan_max_rows,
            max_chars=settings.max_query_chars,
        )
        if not column.keywords:
            raise UsageError(
                "No row of {file} names a keyword.", "Name a file with a keyword a line.", file=source.name
            )
        with current_database().writing() as session:
            taken = {summary.list.name for summary in lists_of(session, mine)}
            made = create_list(session, mine, free_name(request.form.get("name", "") or source.name, taken), now)
            add_keywords(session, mine, made.id, column.keywords, "", now)
            list_id, name = made.id, made.name
    except UsageError as error:
        return make_response(render_template("upload.html", error=said(error), column=None), error.http_status)
    rejections = [rejection.as_dict() for rejection in column.rejections]
    return make_response(
        render_template("upload.html", error=None, column=column, rejections=rejections, list_id=list_id, name=name),
        201,
    )


def free_name(name: str, taken: set[str]) -> str:
    """The name, or with the first number behind it that makes it free: the same file may be sent twice."""
    name = " ".join(name.split())[: NAME_CHARS - 8] or "keywords"
    number = 2
    free = name
    while free in taken:
        free = f"{name} ({number})"
        number += 1
    return free
