"""The audit log: who changed what and when, filtered, and as a file that no spreadsheet runs."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from kr.planning.formula_safety import guard_with_apostrophe
from kr.store import Database
from kr.store.audit_log import MOST_ON_A_PAGE, AuditFilter, actions, entries, iter_entries
from webui.identity import current_database

blueprint = Blueprint("operator_audit", __name__, url_prefix="/operator/audit")
HEADINGS = ("id", "time (UTC)", "person", "organisation", "action", "subject", "before", "after")
CHUNK_ROWS = 500


@blueprint.get("")
def overview() -> tuple[str, int]:
    """One page of the log."""
    wanted, errors = read_filter(request.args)
    before = request.args.get("before", type=int)
    with current_database().reading() as session:
        found = entries(session, wanted, before, MOST_ON_A_PAGE + 1) if not errors else []
        kinds = actions(session)
    groups = sorted({kind.partition(".")[0] for kind in kinds})
    page = render_template(
        "operator_audit.html",
        entries=found[:MOST_ON_A_PAGE],
        older=found[MOST_ON_A_PAGE - 1].id if len(found) > MOST_ON_A_PAGE else None,
        kinds=sorted({*groups, *kinds}),
        values=request.args,
        errors=errors,
    )
    return page, 400 if errors else 200


@blueprint.get("/audit.csv")
def export() -> Response:
    """Everything that the filter lets through, the latest first."""
    wanted, errors = read_filter(request.args)
    if errors:
        return Response("\n".join(errors.values()) + "\n", 400, mimetype="text/plain")
    response = Response(_rows(current_database(), wanted), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def read_filter(arguments: MultiDict[str, str]) -> tuple[AuditFilter, dict[str, str]]:
    """The filter of an address; days are UTC and both counted. What is wrong with which field."""
    errors: dict[str, str] = {}
    since, until = (_day(arguments, name, errors) for name in ("from", "until"))
    if since and until and until < since:
        errors["until"] = gettext("The last day is before the first; change one of them.")
    if until is not None and until < date.max:
        until += timedelta(days=1)
    return (
        AuditFilter(arguments.get("person", ""), arguments.get("action", ""), _midnight(since), _midnight(until)),
        errors,
    )


def _day(arguments: MultiDict[str, str], name: str, errors: dict[str, str]) -> date | None:
    text = arguments.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        errors[name] = gettext("This is no day; write it like 2026-12-31.")
        return None


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None


def _rows(database: Database, wanted: AuditFilter) -> Iterator[bytes]:
    """The file in pieces, while it is read."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    # The mark at the beginning lets Excel read Chinese.
    buffer.write("\ufeff")
    writer.writerow(HEADINGS)
    with database.reading() as session:
        for number, entry in enumerate(iter_entries(session, wanted), start=1):
            texts = (entry.person, entry.organisation, entry.action, entry.subject, entry.before, entry.after)
            cells = (guard_with_apostrophe(text or "") for text in texts)
            writer.writerow([entry.id, entry.ts.isoformat(timespec="seconds"), *cells])
            if number % CHUNK_ROWS == 0:
                yield buffer.getvalue().encode("utf-8", "replace")
                buffer.seek(0)
                buffer.truncate()
    yield buffer.getvalue().encode("utf-8", "replace")
