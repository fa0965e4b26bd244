"""Snapshots: what each holds and was made from, which is served by whom, and what changed between two."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, make_response, render_template, request
from werkzeug.wrappers import Response

from indexes.errors import KRError
from indexes.opened import Indexes
from indexes.snapshot import StoredSnapshot, list_snapshots, open_snapshot
from kr.jobs.kinds import incoming_snapshots
from kr.snapshots_compared import Comparison, compare
from kr.store.accounts import utc_now
from kr.store.serving_workers import serving_workers
from webui.identity import current_database
from webui.languages import said

blueprint = Blueprint("operator_snapshots", __name__, url_prefix="/operator/snapshots")


@dataclass(frozen=True)
class SnapshotRow:
    """A stored snapshot with what its facts say; None where it cannot be opened, for the reason in `problem`."""

    id: str
    is_current: bool
    published_at: str | None
    bytes: int | None
    keywords: int | None
    searches: int | None
    window: tuple[str, str] | None
    inputs: dict[str, int]
    """Rows of each table of the logs."""
    models: dict[str, str]
    problem: str | None


@dataclass(frozen=True)
class WorkerRow:
    """A worker process and what it used when it last answered."""

    host: str
    process: str
    snapshot: str
    rules: int
    lexicons: int
    seen_at: datetime


@blueprint.get("")
def overview() -> Response:
    """All snapshots and workers; with two of them in the address, what changed from one to the other."""
    before, after = request.args.get("before", ""), request.args.get("after", "")
    comparison: Comparison | None = None
    error = None
    if before and after:
        try:
            comparison = compare_snapshots(before, after)
        except KRError as problem:
            error = str(problem)
    rows = snapshot_rows()
    page = render_template(
        "operator_snapshots.html",
        snapshots=rows,
        workers=worker_rows(),
        incoming=incoming_snapshots(current_app.config["KR"]),
        before=before,
        after=after,
        comparison=comparison,
        error=error,
    )
    return make_response(page, 400 if error else 200)


def snapshot_rows() -> list[SnapshotRow]:
    """The store's snapshots, the current one first; none if nothing was ever published."""
    store = current_app.config["KR"].store
    try:
        stored = list_snapshots(store)
    except KRError:
        return []
    return [_row(store, each) for each in reversed(stored)]


def worker_rows() -> list[WorkerRow]:
    """The workers that live."""
    with current_database().writing() as session:
        return [
            WorkerRow(
                row.host,
                row.process.partition(" ")[0],
                row.snapshot,
                row.rules_sequence,
                row.lexicons_sequence,
                row.seen_at,
            )
            for row in serving_workers(session, utc_now())
        ]


def compare_snapshots(before: str, after: str) -> Comparison:
    """What changed between two snapshots of the store. KRError if one is missing or damaged."""
    store = current_app.config["KR"].store
    return compare(Indexes.open(store, before), Indexes.open(store, after))


def _row(store: Any, stored: StoredSnapshot) -> SnapshotRow:
    facts: dict[str, Any] = {}
    models: dict[str, str] = {}
    problem = stored.problem
    if problem is None:
        try:
            opened = open_snapshot(store, stored.id)
            facts = opened.json("facts.json")
            models = {name: str(value)[:16] for name, value in opened.manifest.models.items()}
        except KRError as error:
            problem = said(error)
    fusion = facts.get("fusion_model_sha256")
    if fusion:
        models["fusion"] = str(fusion)[:16]
    window = facts.get("window")
    return SnapshotRow(
        stored.id,
        stored.is_current,
        stored.published_at,
        stored.bytes,
        facts.get("keywords"),
        facts.get("counts", {}).get("searches"),
        (window[0], window[1]) if window else None,
        {name: table["rows"] for name, table in facts.get("inputs", {}).items()},
        models,
        problem,
    )
