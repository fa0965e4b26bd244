"""The operators' lists of unsafe terms: edited in versions, tried on a text, previewed on keywords, put in force."""

from collections.abc import Callable, Sequence

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from indexes.errors import UsageError
from indexes.unsafe_lexicon import EXCEPTIONS, read_lexicon, shipped_lexicons
from indexes.unsafe_terms import CATEGORIES
from kr.audit.lexicon_book import (
    Caught,
    Effect,
    LexiconBook,
    add_term,
    caught_in,
    effect_of,
    put_lexicons_live,
    read_lexicon_book,
    remove_list,
    save_list,
)
from kr.audit.lexicons import terms_of
from kr.audit.stored_lists import MOST_LIST_CHARS, NEW_LIST, StoredList
from kr.store.control_versions import Author, history, restore
from kr.store.control_versions import undo as undo_version
from kr.store.operator_schema import Control
from webui.identity import current_database
from webui.languages import said
from webui.operator.acting import author, seen_version
from webui.pages import page_url
from webui.search_service import current_service

blueprint = Blueprint("operator_lexicons", __name__, url_prefix="/operator/lexicons")
LONGEST_TEST = 500


@blueprint.get("")
def overview() -> str:
    """All lists, and what would be caught in a text that the address names."""
    return _overview()


@blueprint.get("/effect")
def effect() -> str:
    """What the latest version would do to the keywords of the snapshot in use."""
    book = _book()
    return render_template("operator_effect.html", book=book, effect=effect_of_lists(book.lists))


@blueprint.post("/term")
def term() -> Response:
    """Add one term, or an exception."""
    text, name = request.form.get("term", ""), request.form.get("list", "").strip() or gettext("Our list")
    category = request.form.get("own_category", "").strip() or request.form.get("category", "")
    severity = request.form.get("severity", 3, type=int)

    def do(session: Session, seen: int, by: Author) -> None:
        add_term(session, seen, name, text, category, severity, by)

    return _edit(do)


@blueprint.post("/upload")
def upload() -> Response:
    """A list from a file, instead of the one of the same name if there is one."""
    file = request.files.get("file")
    content = file.read(MOST_LIST_CHARS * 4 + 1) if file else b""
    name = request.form.get("name", "").strip() or (file.filename or "").rpartition(".")[0] if file else ""

    def do(session: Session, seen: int, by: Author) -> None:
        if not content:
            raise UsageError(gettext("No file was chosen."), gettext("Choose one."))
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise UsageError(gettext("The file is not UTF-8."), gettext("Save it as UTF-8.")) from None
        save_list(session, seen, name, text, by)

    return _edit(do)


@blueprint.get("/list/<list_name>")
def one(list_name: str) -> str:
    """The text of one list."""
    return _list(list_name, _book().find(list_name).text)


@blueprint.post("/list/<list_name>")
def change(list_name: str) -> Response:
    """Give the list another text; a mistake is told with its line, and what was typed stays."""
    text = request.form.get("text", "")
    try:
        seen = seen_version()
        with current_database().writing() as session:
            read_lexicon_book(session).find(list_name)
            save_list(session, seen, list_name, text, author(session))
    except UsageError as error:
        return make_response(_list(list_name, text, said(error)), error.http_status)
    return redirect(page_url("operator_lexicons.overview"), 303)


@blueprint.post("/list/<list_name>/remove")
def remove(list_name: str) -> Response:
    """Take a list out."""
    return _edit(lambda session, seen, by: remove_list(session, seen, list_name, by))


@blueprint.post("/live")
def live() -> Response:
    """Put the version that was seen in force."""
    files = current_service().lexicons.paths
    return _edit(lambda session, seen, by: put_lexicons_live(session, files, seen, by), "live")


@blueprint.post("/undo")
def undo() -> Response:
    """Take back the last change."""
    return _edit(lambda session, seen, by: undo_version(session, Control.LEXICONS, seen, by))


@blueprint.post("/restore/<int:number>")
def restore_version(number: int) -> Response:
    """Take an earlier version up again; with `live`, put it in force at once."""
    files = current_service().lexicons.paths
    goes_live = request.form.get("live") == "1"

    def do(session: Session, seen: int, by: Author) -> None:
        made = restore(session, Control.LEXICONS, seen, number, by)
        if goes_live:
            put_lexicons_live(session, files, made.number, by)

    return _edit(do, "live" if goes_live else "")


def effect_of_lists(lists: Sequence[StoredList]) -> Effect:
    """What these lists would do to the keywords of the snapshot in use, against what is in force."""
    service = current_service()
    after = terms_of(service.lexicons.paths, lists)
    return effect_of(service.indexes, service.lexicons.terms(), after, service.settings.unsafe_severity)


def disguise_name(disguise: str) -> str:
    """What a disguise is called, in the page's language."""
    return {
        "full_width": gettext("full-width or compatibility characters"),
        "traditional": gettext("traditional characters"),
        "accents": gettext("accents"),
        "look_alikes": gettext("look-alike letters of other scripts"),
        "invisible": gettext("invisible characters"),
        "split": gettext("split up"),
        "leetspeak": gettext("digits and symbols for letters"),
        "pinyin": gettext("pinyin"),
        "case": gettext("upper case"),
    }[disguise]


def category_name(category: str) -> str:
    """What a category is called, in the page's language; an operator's own is called as it was named."""
    names = {
        "porn": gettext("Pornography"),
        "gambling": gettext("Gambling"),
        "drugs": gettext("Drugs"),
        "weapons": gettext("Weapons"),
        EXCEPTIONS: gettext("Exceptions (never unsafe)"),
    }
    return names.get(category, category)


def _book() -> LexiconBook:
    with current_database().reading() as session:
        return read_lexicon_book(session)


def _edit(do: Callable[[Session, int, Author], object], done: str = "") -> Response:
    try:
        seen = seen_version()
        with current_database().writing() as session:
            do(session, seen, author(session))
    except UsageError as error:
        return make_response(_overview(said(error)), error.http_status)
    return redirect(page_url("operator_lexicons.overview", done=done or None), 303)


def _caught(text: str, lists: Sequence[StoredList]) -> list[Caught]:
    return caught_in(text, current_service().lexicons.paths, lists) if text else []


def _overview(error: str | None = None) -> str:
    book = _book()
    files = [read_lexicon(path) for path in (*shipped_lexicons(), *current_service().lexicons.paths)]
    text = request.args.get("text", "")[:LONGEST_TEST]
    with current_database().reading() as session:
        versions = history(session, Control.LEXICONS)
    return render_template(
        "operator_lexicons.html",
        book=book,
        lists=[(each, each.parsed()) for each in book.lists],
        files=files,
        text=text,
        caught=_caught(text, book.lists),
        severity=current_service().settings.unsafe_severity,
        categories=(*CATEGORIES, EXCEPTIONS),
        category_name=category_name,
        disguise_name=disguise_name,
        versions=versions,
        error=error,
        done=request.args.get("done"),
    )


def _list(name: str, text: str, error: str | None = None) -> str:
    example = NEW_LIST.format(name=name) + "\n[gambling severity=3]\n…\n[exceptions]\n…"
    return render_template(
        "operator_lexicon.html", name=name, text=text, version=_book().version, error=error, example=example
    )
