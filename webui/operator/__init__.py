"""The operator's pages: marketing rules, lexicons, snapshots, jobs, feedback, audit log."""

from flask import Flask
from flask_babel import gettext

from webui.api import operator_jobs, operator_lexicons, operator_logs, operator_rules
from webui.operator import (
    audit_pages,
    feedback_pages,
    job_pages,
    lexicon_pages,
    rules_pages,
    snapshot_pages,
    worker_reports,
)

BLUEPRINTS = (
    rules_pages.blueprint,
    lexicon_pages.blueprint,
    snapshot_pages.blueprint,
    job_pages.blueprint,
    feedback_pages.blueprint,
    audit_pages.blueprint,
    operator_rules.blueprint,
    operator_lexicons.blueprint,
    operator_jobs.blueprint,
    operator_logs.blueprint,
)


def sections() -> list[tuple[str, str]]:
    """The parts of the operator's pages and their names, in the order of their navigation."""
    return [
        ("operator_rules.overview", gettext("Rules")),
        ("operator_lexicons.overview", gettext("Unsafe terms")),
        ("operator_snapshots.overview", gettext("Snapshots")),
        ("operator_jobs.overview", gettext("Jobs")),
        ("operator_feedback.overview", gettext("Feedback")),
        ("operator_audit.overview", gettext("Audit log")),
    ]


def register(app: Flask) -> None:
    """Serve the pages and the API."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    worker_reports.register(app)
    app.jinja_env.globals["operator_sections"] = sections
