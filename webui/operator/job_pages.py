"""Jobs: what runs and ran, what each printed, starting and cancelling."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, current_app, make_response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from indexes.errors import KRError, UsageError
from indexes.snapshot import list_snapshots
from kr.jobs.kinds import PARAMETERS, folders_of, incoming_snapshots, work_folder
from kr.jobs.runs import cancel_job, find_job, jobs, log_tail, needs_refresh, refresh, start_job
from kr.settings import Settings
from kr.store.accounts import utc_now
from kr.store.operator_schema import Job, JobKind, JobState
from kr.store.schema import User
from webui.identity import current_database
from webui.languages import said
from webui.operator.acting import author
from webui.pages import page_url

blueprint = Blueprint("operator_jobs", __name__, url_prefix="/operator/jobs")


@dataclass(frozen=True)
class JobRow:
    """A job as pages and the API show it. `usual_seconds` is how long the last good one of its kind took."""

    id: str
    kind: str
    state: str
    parameters: dict[str, str]
    person: str | None
    host: str
    created_at: datetime
    ended_at: datetime | None
    exit_code: int | None
    cancel_asked: bool
    seconds: float
    usual_seconds: float | None
    last_line: str


@blueprint.get("")
def overview() -> str:
    """All jobs, and forms to start one."""
    return _overview()


@blueprint.post("/<kind>/start")
def start(kind: str) -> Response:
    """Start a job."""
    given = {name: text for name in _parameters(kind) if (text := request.form.get(name, "").strip())}
    try:
        with current_database().reading() as session:
            by = author(session)
        job_id = start_job(current_database(), _settings(), kind, given, by)
    except UsageError as error:
        return make_response(_overview(said(error)), error.http_status)
    return redirect(page_url("operator_jobs.one", job_id=job_id), 303)


@blueprint.get("/<job_id>")
def one(job_id: str) -> str:
    """One job and the end of what it printed."""
    (row,) = job_rows(job_id)
    return render_template(
        "operator_job.html", job=row, log=log_tail(_settings(), job_id), kind_name=kind_name, state_name=state_name
    )


@blueprint.post("/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    """Ask a job to end."""
    try:
        with current_database().writing() as session:
            cancel_job(session, _settings(), job_id, author(session))
    except UsageError as error:
        return make_response(_overview(said(error)), error.http_status)
    return redirect(page_url("operator_jobs.one", job_id=job_id), 303)


def job_rows(job_id: str | None = None) -> list[JobRow]:
    """The latest jobs, or the one named, after looking what became of those that ran. NoSuchRecord."""
    settings, now = _settings(), utc_now()
    with current_database().reading() as session:
        due = needs_refresh(session)
    if due:
        with current_database().writing() as session:
            refresh(session, settings, now)
    with current_database().reading() as session:
        latest = jobs(session)
        found = latest if job_id is None else [find_job(session, job_id)]
        people = {job.id: user.email for job in found if job.user_id and (user := session.get(User, job.user_id))}
    usual: dict[str, float] = {}
    for job in reversed(latest):
        if job.state == JobState.SUCCEEDED and job.ended_at:
            usual[job.kind] = (job.ended_at - job.created_at).total_seconds()
    return [_row(job, people.get(job.id), usual.get(job.kind), settings, now) for job in found]


def kind_name(kind: str) -> str:
    """What a kind of job is called, in the page's language."""
    return {
        "mine": gettext("Mine logs"),
        "build": gettext("Build a snapshot and publish it"),
        "verify": gettext("Verify snapshots"),
        "publish": gettext("Publish a snapshot that was built elsewhere"),
        "rollback": gettext("Serve another snapshot"),
    }[kind]


def state_name(state: str) -> str:
    """What a state is called, in the page's language."""
    return {
        "running": gettext("running"),
        "succeeded": gettext("done"),
        "failed": gettext("failed"),
        "cancelled": gettext("cancelled"),
        "lost": gettext("lost: its process is gone"),
    }[state]


def _row(job: Job, person: str | None, usual: float | None, settings: Settings, now: datetime) -> JobRow:
    tail = log_tail(settings, job.id, 2_000).rstrip("\n") if job.host == socket.gethostname() else ""
    return JobRow(
        job.id,
        job.kind,
        job.state,
        json.loads(job.parameters),
        person,
        job.host,
        job.created_at,
        job.ended_at,
        job.exit_code,
        job.cancelled_at is not None,
        ((job.ended_at or now) - job.created_at).total_seconds(),
        usual,
        tail.rpartition("\n")[2],
    )


def _parameters(kind: str) -> tuple[str, ...]:
    return PARAMETERS[JobKind(kind)] if kind in set(JobKind) else ()


def _settings() -> Settings:
    settings: Settings = current_app.config["KR"]
    return settings


def choices(settings: Settings) -> Mapping[str, list[str]]:
    """What each parameter may be: folders of logs and of mined tables, snapshots, snapshots that wait."""
    try:
        stored = [row.id for row in list_snapshots(settings.store)]
    except KRError:
        stored = []
    return {
        "logs": folders_of(settings, "ingest.json"),
        "mined": folders_of(settings, "mining_report.json"),
        "snapshots": stored,
        "incoming": incoming_snapshots(settings),
    }


def _overview(error: str | None = None) -> str:
    settings = _settings()
    return render_template(
        "operator_jobs.html",
        jobs=job_rows(),
        choices=choices(settings),
        work=work_folder(settings),
        kind_name=kind_name,
        state_name=state_name,
        error=error,
    )
