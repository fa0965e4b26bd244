"""Jobs and snapshots over the API."""

from dataclasses import asdict

from flask import Blueprint, Response, current_app

from indexes.errors import NotFoundError
from kr.jobs.kinds import incoming_snapshots
from kr.jobs.runs import cancel_job, log_tail, start_job
from webui.api.exchange import parameter_problem, read_body, read_parameters, send_model
from webui.api.operator_job_models import (
    ComparisonModel,
    ComparisonQuestion,
    ComparisonReply,
    JobData,
    JobModel,
    JobReply,
    JobsData,
    JobsReply,
    NewJob,
    SnapshotModel,
    SnapshotsData,
    SnapshotsReply,
    WorkerModel,
)
from webui.identity import current_database
from webui.operator.acting import author
from webui.operator.job_pages import job_rows
from webui.operator.snapshot_pages import compare_snapshots, snapshot_rows, worker_rows

blueprint = Blueprint("operator_jobs_api", __name__, url_prefix="/api/v1/operator")


@blueprint.get("/jobs")
def all_jobs() -> Response:
    """The latest jobs."""
    return send_model(JobsReply(data=JobsData(jobs=[JobModel.model_validate(asdict(row)) for row in job_rows()])))


@blueprint.post("/jobs")
def start() -> Response:
    """Start a job."""
    body = read_body(NewJob)
    with current_database().reading() as session:
        by = author(session)
    return _job(start_job(current_database(), current_app.config["KR"], body.kind, body.parameters, by), 201)


@blueprint.get("/jobs/<job_id>")
def one_job(job_id: str) -> Response:
    """One job."""
    return _job(job_id)


@blueprint.post("/jobs/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    """Ask a job to end."""
    with current_database().writing() as session:
        cancel_job(session, current_app.config["KR"], job_id, author(session))
    return _job(job_id)


@blueprint.get("/snapshots")
def snapshots() -> Response:
    """The snapshots, and who serves what."""
    data = SnapshotsData(
        snapshots=[SnapshotModel.model_validate(asdict(row)) for row in snapshot_rows()],
        workers=[WorkerModel.model_validate(asdict(row)) for row in worker_rows()],
        incoming=incoming_snapshots(current_app.config["KR"]),
    )
    return send_model(SnapshotsReply(data=data))


@blueprint.get("/snapshots/comparison")
def comparison() -> Response:
    """What changed from one snapshot to another."""
    question = read_parameters(ComparisonQuestion)
    try:
        found = compare_snapshots(question.before, question.after)
    except NotFoundError as error:
        raise parameter_problem("before", error) from error
    return send_model(ComparisonReply(data=ComparisonModel.model_validate(asdict(found))))


def _job(job_id: str, status: int = 200) -> Response:
    (row,) = job_rows(job_id)
    data = JobData(job=JobModel.model_validate(asdict(row)), log=log_tail(current_app.config["KR"], job_id))
    return send_model(JobReply(data=data), status)
