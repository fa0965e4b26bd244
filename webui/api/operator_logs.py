"""Feedback and the audit log over the API."""

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta

from flask import Blueprint, Response

from kr.store.audit_log import MOST_ON_A_PAGE, AuditFilter, entries
from kr.store.feedback_queue import decisions, queue, undo_decision
from webui.api.exchange import read_body, read_parameters, send_model
from webui.api.operator_log_models import (
    AuditData,
    AuditEntryModel,
    AuditQuestion,
    AuditReply,
    DecisionModel,
    NewDecision,
    PageQuestion,
    QueueData,
    QueuedModel,
    QueueReply,
)
from webui.identity import current_database
from webui.operator.acting import author
from webui.operator.feedback_pages import ON_A_PAGE, apply_decision

blueprint = Blueprint("operator_logs_api", __name__, url_prefix="/api/v1/operator")


@blueprint.get("/feedback")
def feedback() -> Response:
    """What waits for a decision."""
    return send_model(_queue(read_parameters(PageQuestion).page))


@blueprint.post("/feedback")
def decide() -> Response:
    """Decide on a pair."""
    body = read_body(NewDecision)
    with current_database().writing() as session:
        apply_decision(session, body.query, body.keyword, body.decision, author(session), body.category)
    return send_model(_queue(1), 201)


@blueprint.delete("/feedback/<decision_id>")
def undo(decision_id: str) -> Response:
    """Put a pair back into the queue."""
    with current_database().writing() as session:
        undo_decision(session, int(decision_id) if decision_id.isdecimal() else 0, author(session))
    return send_model(_queue(1))


@blueprint.get("/audit")
def audit() -> Response:
    """The audit log."""
    asked = read_parameters(AuditQuestion)
    after_last = asked.until + timedelta(days=1) if asked.until and asked.until < date.max else None
    wanted = AuditFilter(asked.person, asked.action, _midnight(asked.since), _midnight(after_last))
    with current_database().reading() as session:
        found = entries(session, wanted, asked.before, MOST_ON_A_PAGE)
    return send_model(AuditReply(data=AuditData(entries=[AuditEntryModel(**asdict(entry)) for entry in found])))


def _queue(page: int) -> QueueReply:
    with current_database().reading() as session:
        waiting, total = queue(session, ON_A_PAGE, (page - 1) * ON_A_PAGE)
        decided = decisions(session, ON_A_PAGE)
    rows = [
        QueuedModel(
            query=each.query,
            keyword=each.keyword,
            organisations=each.by_verdict,
            agreement=each.agreement,
            last_ts=each.last_ts,
        )
        for each in waiting
    ]
    made = [DecisionModel(**asdict(each)) for each in decided]
    return QueueReply(data=QueueData(total=total, queue=rows, decisions=made))


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None
