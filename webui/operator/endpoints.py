"""Every endpoint of the operator's pages and API: `webui.access` lets only operators in."""

_RULES = ("overview", "new", "one", "add", "change", "switch", "move", "remove", "preview", "live", "undo")
_RULES_FILES = ("restore_version", "export", "upload")
_RULES_API = ("book", "add", "change", "remove", "replace", "preview", "live", "undo", "restore_version", "versions")
_LEXICONS = ("overview", "effect", "term", "upload", "one", "change", "remove", "live", "undo", "restore_version")
_LEXICONS_API = ("book", "put_list", "end_list", "term", "try_text", "effect", "live", "undo", "restore_version")

_LOGS = ("feedback", "decide", "undo", "audit")
_JOBS_API = ("all_jobs", "start", "one_job", "cancel", "snapshots", "comparison")

OPERATOR_UPLOADS = frozenset(
    ("operator_rules.upload", "operator_lexicons.upload", "operator_lexicons.change", "operator_lexicons_api.put_list")
)
"""Endpoints at which operators send whole files."""

OPERATOR_ENDPOINTS = (
    *(f"operator_rules.{name}" for name in (*_RULES, *_RULES_FILES)),
    *(f"operator_rules_api.{name}" for name in _RULES_API),
    *(f"operator_lexicons.{name}" for name in _LEXICONS),
    *(f"operator_lexicons_api.{name}" for name in (*_LEXICONS_API, "versions")),
    "operator_snapshots.overview",
    *(f"operator_jobs.{name}" for name in ("overview", "start", "one", "cancel")),
    *(f"operator_jobs_api.{name}" for name in _JOBS_API),
    *(f"operator_feedback.{name}" for name in ("overview", "decide", "undo")),
    *(f"operator_audit.{name}" for name in ("overview", "export")),
    *(f"operator_logs_api.{name}" for name in _LOGS),
)
