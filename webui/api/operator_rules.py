"""The operator's marketing rules over the API: what the pages do, with the version that was seen."""

from collections.abc import Callable

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from indexes.errors import UsageError
from kr.marketing.preview import PreviewRow, RulePreview
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
from kr.marketing.rules import Rule
from kr.pipelines.keyword_search import SOURCES
from kr.store.changes import Change, ChangeKind
from kr.store.control_versions import Author, history, restore
from kr.store.control_versions import undo as undo_version
from kr.store.operator_schema import Control
from webui.api.exchange import parameter_problem, read_body, send_model
from webui.api.operator_rule_models import (
    AllRules,
    NewRule,
    PreviewData,
    PreviewModel,
    PreviewQuestion,
    PreviewReply,
    PreviewRowModel,
    RestoredVersion,
    RuleBookModel,
    RuleBookReply,
    RuleChange,
    SeenVersion,
    StoredRuleModel,
    VersionsData,
    VersionsReply,
    version_model,
)
from webui.identity import current_database
from webui.operator.acting import author
from webui.operator.previews import rule_previews
from webui.search_service import current_service

blueprint = Blueprint("operator_rules_api", __name__, url_prefix="/api/v1/operator/rules")


@blueprint.get("")
def book() -> Response:
    """The rules, edited and in force."""
    with current_database().reading() as session:
        return send_model(_reply(session))


@blueprint.post("")
def add() -> Response:
    """A new rule."""
    body = read_body(NewRule)
    rule = _known(body.rule)
    return _edit(lambda session, found, by: add_rule(session, found, body.version, rule, by), 201)


@blueprint.patch("/<rule_id>")
def change(rule_id: str) -> Response:
    """Another content or place for a rule, or switch it."""
    body = read_body(RuleChange)
    if sum(field is not None for field in (body.rule, body.enabled, body.place)) != 1:
        raise parameter_problem("rule", UsageError("Send one of rule, enabled and place."))

    def do(session: Session, found: RuleBook, by: Author) -> None:
        if body.rule is not None:
            change_rule(session, found, body.version, rule_id, _known(body.rule), by)
        elif body.enabled is not None:
            switch_rule(session, found, body.version, rule_id, body.enabled, by)
        else:
            move_rule(session, found, body.version, rule_id, body.place or 1, by)

    return _edit(do)


@blueprint.delete("/<rule_id>")
def remove(rule_id: str) -> Response:
    """Take a rule out; the address names the version that was seen."""
    version = request.args.get("version", type=int)
    if version is None:
        raise parameter_problem("version", UsageError("The version that was seen is missing.", "Add ?version=…."))
    return _edit(lambda session, found, by: remove_rule(session, found, version, rule_id, by))


@blueprint.put("")
def replace() -> Response:
    """All rules anew."""
    body = read_body(AllRules)
    rules = [_known(rule) for rule in body.rules]
    return _edit(lambda session, _, by: replace_rules(session, body.version, rules, Change(ChangeKind.SENT), by))


@blueprint.post("/preview")
def preview() -> Response:
    """What rules would do to searches."""
    body = read_body(PreviewQuestion)
    if body.rules is None:
        with current_database().reading() as session:
            rules = [stored.rule for stored in read_book(session, SOURCES).rules]
    else:
        rules = [_known(rule) for rule in body.rules]
    found = rule_previews(rules, body.queries, body.most_searched)
    return send_model(PreviewReply(data=PreviewData(previews=[_preview(each) for each in found])))


@blueprint.post("/live")
def live() -> Response:
    """Put the version that was seen in force."""
    body = read_body(SeenVersion)
    from_file = current_service().rules.from_file
    return _edit(lambda session, _, by: put_rules_live(session, SOURCES, from_file, body.version, by))


@blueprint.post("/undo")
def undo() -> Response:
    """Take back the last change."""
    body = read_body(SeenVersion)
    return _edit(lambda session, _, by: undo_version(session, Control.RULES, body.version, by))


@blueprint.post("/restore")
def restore_version() -> Response:
    """Take an earlier version up again."""
    body = read_body(RestoredVersion)
    from_file = current_service().rules.from_file

    def do(session: Session, _: RuleBook, by: Author) -> None:
        made = restore(session, Control.RULES, body.version, body.number, by)
        if body.live:
            put_rules_live(session, SOURCES, from_file, made.number, by)

    return _edit(do)


@blueprint.get("/versions")
def versions() -> Response:
    """The latest versions."""
    with current_database().reading() as session:
        rows = [version_model(row) for row in history(session, Control.RULES)]
    return send_model(VersionsReply(data=VersionsData(versions=rows)))


def _edit(do: Callable[[Session, RuleBook, Author], object], status: int = 200) -> Response:
    with current_database().writing() as session:
        do(session, read_book(session, SOURCES), author(session))
        session.flush()
        reply = _reply(session)
    return send_model(reply, status)


def _known(rule: Rule) -> Rule:
    """A rule whose source there is."""
    if rule.source is not None and rule.source not in SOURCES:
        raise parameter_problem(
            "rule/source",
            UsageError(
                "There is no source {source}.", "Sources: {choices}.", source=rule.source, choices=", ".join(SOURCES)
            ),
        )
    return rule


def _reply(session: Session) -> RuleBookReply:
    found = read_book(session, SOURCES)
    return RuleBookReply(
        data=RuleBookModel(
            version=found.version,
            rules=[
                StoredRuleModel(id=each.id, state=found.state(each), rule=_written(each.rule)) for each in found.rules
            ],
            live_version=found.live_version,
            live_rules=[_written(stored.rule) for stored in found.live_rules],
            file_rules=[_written(rule) for rule in current_service().rules.from_file],
        )
    )


def _written(rule: Rule) -> dict[str, object]:
    return rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _preview(found: RulePreview) -> PreviewModel:
    return PreviewModel(
        query=found.query,
        total_before=found.total_before,
        total_after=found.total_after,
        before=[_row(row) for row in found.before],
        after=[_row(row) for row in found.after],
    )


def _row(row: PreviewRow) -> PreviewRowModel:
    fields = {**row.__dict__, "rules": list(row.rules), "rules_before": list(row.rules_before)}
    return PreviewRowModel(**fields, change=row.change)
