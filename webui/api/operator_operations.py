"""The operator's part of the OpenAPI document."""

from webui.api.account_operations import AccountOperation
from webui.api.operator_rule_models import (
    AllRules,
    NewRule,
    PreviewQuestion,
    PreviewReply,
    RestoredVersion,
    RuleBookReply,
    RuleChange,
    SeenVersion,
    VersionsReply,
)

_RULES = "/api/v1/operator/rules"
_BOOK = "The rules as they are now."
RULE_OPERATIONS = (
    AccountOperation(_RULES, "get", "getRules", "The marketing rules", None, RuleBookReply, _BOOK),
    AccountOperation(_RULES, "post", "addRule", "Add a rule", NewRule, RuleBookReply, _BOOK),
    AccountOperation(_RULES, "put", "replaceRules", "Replace all rules", AllRules, RuleBookReply, _BOOK),
    AccountOperation(
        f"{_RULES}/{{rule_id}}",
        "patch",
        "changeRule",
        "Change, switch or move a rule",
        RuleChange,
        RuleBookReply,
        _BOOK,
    ),
    AccountOperation(
        f"{_RULES}/{{rule_id}}", "delete", "removeRule", "Take a rule out", None, RuleBookReply, _BOOK, version=True
    ),
    AccountOperation(
        f"{_RULES}/preview",
        "post",
        "previewRules",
        "What rules would do to searches",
        PreviewQuestion,
        PreviewReply,
        "The lists before and after; nothing goes live.",
        success="200",
    ),
    AccountOperation(
        f"{_RULES}/live",
        "post",
        "putRulesLive",
        "Put a version in force",
        SeenVersion,
        RuleBookReply,
        "In force for every worker from its next request on.",
        success="200",
    ),
    AccountOperation(
        f"{_RULES}/undo",
        "post",
        "undoRules",
        "Take back the last change",
        SeenVersion,
        RuleBookReply,
        _BOOK,
        success="200",
    ),
    AccountOperation(
        f"{_RULES}/restore",
        "post",
        "restoreRules",
        "Take an earlier version up again",
        RestoredVersion,
        RuleBookReply,
        _BOOK,
        success="200",
    ),
    AccountOperation(
        f"{_RULES}/versions", "get", "listRuleVersions", "The latest versions", None, VersionsReply, "The versions."
    ),
)
OPERATOR_OPERATIONS = RULE_OPERATIONS
