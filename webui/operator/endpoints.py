"""Every endpoint of the operator's pages and API: `webui.access` lets only operators in."""

_RULES = ("overview", "new", "one", "add", "change", "switch", "move", "remove", "preview", "live", "undo")
_RULES_FILES = ("restore_version", "export", "upload")
_RULES_API = ("book", "add", "change", "remove", "replace", "preview", "live", "undo", "restore_version", "versions")

OPERATOR_ENDPOINTS = (
    *(f"operator_rules.{name}" for name in (*_RULES, *_RULES_FILES)),
    *(f"operator_rules_api.{name}" for name in _RULES_API),
)
