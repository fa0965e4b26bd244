"""The operator's marketing rules: edited in versions, previewed on live searches, put in force for all at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from indexes.errors import UsageError
from kr.marketing.in_force import rules_in_time
from kr.marketing.preview import RulePreview
from kr.marketing.rule_book import (
    RuleBook,
    add_rule,
    change_rule,
    move_rule,
    put_rules_live,
    read_book,
    remove_rule,
    replace_rules,
    switch_rule,
)
from kr.marketing.rules import ATTRIBUTES, MAX_RULES, Rule, rules_of_toml
from kr.marketing.rules_file import rules_as_toml
from kr.pipelines.keyword_search import SOURCES
from kr.store.accounts import utc_now
from kr.store.changes import Change, ChangeKind
from kr.store.control_versions import Author, history, restore
from kr.store.control_versions import undo as undo_version
from kr.store.operator_schema import Control
from webui.identity import current_database
from webui.languages import said
from webui.names import source_name
from webui.operator.acting import author, lines, seen_version
from webui.operator.previews import rule_previews
from webui.operator.rule_form import (
    ACTIONS,
    LANGUAGES,
    RuleForm,
    action_meaning,
    action_name,
    attribute_name,
    empty_form,
    form_of,
    number_text,
    read_rule_form,
)
from webui.pages import page_url
from webui.search_service import current_service

blueprint = Blueprint("operator_rules", __name__, url_prefix="/operator/rules")
MOST_SEARCHED = 5
LONGEST_FILE = 1_000_000


@blueprint.get("")
def overview() -> str:
    """All rules in their order, what is in force, and the versions before."""
    return _overview()


@blueprint.get("/new")
def new() -> str | AnyResponse:
    """The form of a new rule."""
    action = request.args.get("action", "")
    if action not in ACTIONS:
        return redirect(page_url("operator_rules.overview", _anchor="new"), 303)
    return _form(empty_form(action), None)


@blueprint.post("/new")
def add() -> AnyResponse:
    """Add the rule that the form describes, as the last one."""
    action = request.form.get("action", "")
    if action not in ACTIONS:
        return redirect(page_url("operator_rules.overview", _anchor="new"), 303)

    def do(session: Session, book: RuleBook, seen: int, rule: Rule, by: Author) -> None:
        add_rule(session, book, seen, rule, by)

    return _save_form(read_rule_form(request.form, action), None, do)


@blueprint.get("/<rule_id>")
def one(rule_id: str) -> str:
    """The form of a rule."""
    book = _book()
    return _form(form_of(book.find(rule_id).rule), rule_id, book)


@blueprint.post("/<rule_id>")
def change(rule_id: str) -> AnyResponse:
    """Give the rule the content of the form."""
    action = _book().find(rule_id).rule.action

    def do(session: Session, book: RuleBook, seen: int, rule: Rule, by: Author) -> None:
        change_rule(session, book, seen, rule_id, rule, by)

    return _save_form(read_rule_form(request.form, action), rule_id, do)


@blueprint.post("/<rule_id>/switch")
def switch(rule_id: str) -> AnyResponse:
    """Switch a rule on or off."""
    on = request.form.get("enabled") == "1"
    return _edit(lambda session, book, seen, by: switch_rule(session, book, seen, rule_id, on, by))


@blueprint.post("/<rule_id>/move")
def move(rule_id: str) -> AnyResponse:
    """Move a rule up or down by one."""

    def do(session: Session, book: RuleBook, seen: int, by: Author) -> None:
        place = book.rules.index(book.find(rule_id)) + 1
        move_rule(session, book, seen, rule_id, place + (1 if request.form.get("to") == "down" else -1), by)

    return _edit(do)


@blueprint.post("/<rule_id>/remove")
def remove(rule_id: str) -> AnyResponse:
    """Take a rule out."""
    return _edit(lambda session, book, seen, by: remove_rule(session, book, seen, rule_id, by))


@blueprint.get("/preview")
def preview() -> str | AnyResponse:
    """What the latest version would do to searches, beside what is served now."""
    book = _book()
    queries = lines(request.args.get("q", ""))
    top = request.args.get("top") == "1" or not queries
    try:
        found = rule_previews([stored.rule for stored in book.rules], queries, MOST_SEARCHED if top else 0)
    except UsageError as error:
        return make_response(_preview_page(book, queries, top, [], said(error)), 400)
    return _preview_page(book, queries, top, found)


@blueprint.post("/live")
def live() -> AnyResponse:
    """Put the version that was seen in force."""
    service = current_service()
    return _edit(
        lambda session, _, seen, by: put_rules_live(session, SOURCES, service.rules.from_file, seen, by), done="live"
    )


@blueprint.post("/undo")
def undo() -> AnyResponse:
    """Take back the last change."""
    return _edit(lambda session, _, seen, by: undo_version(session, Control.RULES, seen, by))


@blueprint.post("/restore/<int:number>")
def restore_version(number: int) -> AnyResponse:
    """Take an earlier version up again; with `live`, put it in force at once."""
    service = current_service()

    def do(session: Session, _: RuleBook, seen: int, by: Author) -> None:
        made = restore(session, Control.RULES, seen, number, by)
        if request.form.get("live") == "1":
            put_rules_live(session, SOURCES, service.rules.from_file, made.number, by)

    return _edit(do, done="live" if request.form.get("live") == "1" else "")


@blueprint.get("/rules.toml")
def export() -> Response:
    """The latest version as a file."""
    text = rules_as_toml([stored.rule for stored in _book().rules])
    response = Response(text, content_type="application/toml; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="rules.toml"'
    return response


@blueprint.post("/upload")
def upload() -> AnyResponse:
    """Replace all rules by those of a file; nothing goes live."""
    file = request.files.get("file")
    content = file.read(LONGEST_FILE + 1) if file else b""

    def do(session: Session, _: RuleBook, seen: int, by: Author) -> None:
        if not content:
            raise UsageError(gettext("No file was chosen."), gettext("Choose one."))
        if len(content) > LONGEST_FILE:
            raise UsageError(gettext("The file is too long."), gettext("Rules take up to 1 MB."))
        name = (file.filename or "file")[:100] if file else "file"
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise UsageError(gettext("The file is not UTF-8."), gettext("Save it as UTF-8.")) from None
        rules = rules_of_toml(text, name, SOURCES)
        replace_rules(session, seen, rules, Change(ChangeKind.READ_FROM_FILE, name), by)

    return _edit(do)


def _book() -> RuleBook:
    with current_database().reading() as session:
        return read_book(session, SOURCES)


def _edit(do: Callable[[Session, RuleBook, int, Author], object], done: str = "") -> AnyResponse:
    """Make a change to the version that was seen, and show all rules; what cannot be done is told there."""
    try:
        seen = seen_version()
        with current_database().writing() as session:
            do(session, read_book(session, SOURCES), seen, author(session))
    except UsageError as error:
        return make_response(_overview(said(error)), error.http_status)
    return redirect(page_url("operator_rules.overview", done=done or None), 303)


def _save_form(
    form: RuleForm, rule_id: str | None, save: Callable[[Session, RuleBook, int, Rule, Author], None]
) -> AnyResponse:
    if form.rule is None:
        return make_response(_form(form, rule_id), 400)
    try:
        seen = seen_version()
        with current_database().writing() as session:
            save(session, read_book(session, SOURCES), seen, form.rule, author(session))
    except UsageError as error:
        # What was typed stays in the form; the version is the latest now, so that sending again is a decision.
        return make_response(_form(form, rule_id, error=said(error)), error.http_status)
    return redirect(page_url("operator_rules.overview"), 303)


@dataclass(frozen=True)
class RuleRow:
    """A rule as the overview shows it."""

    id: str
    rule: Rule
    state: str
    in_time: bool


def _overview(error: str | None = None) -> str:
    book = _book()
    now = utc_now()
    in_time = rules_in_time([stored.rule for stored in book.rules], now)
    rows = [
        RuleRow(stored.id, stored.rule, book.state(stored), holds)
        for stored, holds in zip(book.rules, in_time, strict=True)
    ]
    with current_database().reading() as session:
        versions = history(session, Control.RULES)
    from_file = current_service().rules.from_file
    return render_template(
        "operator_rules.html",
        book=book,
        rows=rows,
        versions=versions,
        from_file=from_file,
        actions=ACTIONS,
        action_name=action_name,
        action_meaning=action_meaning,
        conditions=conditions,
        most=MAX_RULES,
        error=error,
        done=request.args.get("done"),
    )


def _form(form: RuleForm, rule_id: str | None, book: RuleBook | None = None, error: str | None = None) -> str:
    book = book or _book()
    return render_template(
        "operator_rule.html",
        form=form,
        rule_id=rule_id,
        version=book.version,
        error=error,
        sources=SOURCES,
        attributes=ATTRIBUTES,
        languages=LANGUAGES,
        action_name=action_name,
        action_meaning=action_meaning,
        attribute_name=attribute_name,
    )


def _preview_page(
    book: RuleBook, queries: Sequence[str], top: bool, found: Sequence[RulePreview], error: str | None = None
) -> str:
    return render_template(
        "operator_preview.html", book=book, queries="\n".join(queries), top=top, previews=found, error=error
    )


def conditions(rule: Rule) -> list[str]:
    """What a rule asks for and does, in a few words each, in the page's language."""
    source = source_name(rule.source or "")
    said = {
        "boost": lambda: f"× {number_text(rule.factor)}",
        "bury": lambda: f"× {number_text(rule.factor)}",
        "pin": lambda: gettext("place %(place)s", place=rule.position),
        "block": lambda: "",
        "quota": lambda: gettext("at most %(most)s rows that only “%(source)s” found", most=rule.most, source=source),
        "floor": lambda: f"{attribute_name(rule.attribute or '')} ≥ {number_text(rule.least)}",
    }
    words = [said[rule.action]()]
    if rule.seeds:
        words.append(gettext("searches that hold %(texts)s", texts=" / ".join(rule.seeds)))
    if rule.keywords.equals:
        words.append(gettext("keywords %(texts)s", texts=" / ".join(rule.keywords.equals)))
    if rule.keywords.contains:
        words.append(gettext("keywords that hold %(texts)s", texts=" / ".join(rule.keywords.contains)))
    if rule.keywords.languages:
        words.append(gettext("in %(languages)s", languages=" / ".join(rule.keywords.languages)))
    return [word for word in words if word]
