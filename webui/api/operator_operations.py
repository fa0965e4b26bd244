"""The operator's part of the OpenAPI document."""

from webui.api.account_operations import AccountOperation
from webui.api.operator_job_models import (
    ComparisonQuestion,
    ComparisonReply,
    JobReply,
    JobsReply,
    NewJob,
    SnapshotsReply,
)
from webui.api.operator_lexicon_models import (
    EffectReply,
    LexiconBookReply,
    ListText,
    NewTerm,
    TriedReply,
    TriedText,
)
from webui.api.operator_log_models import AuditQuestion, AuditReply, NewDecision, PageQuestion, QueueReply
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
        changes=True,
    ),
    AccountOperation(
        f"{_RULES}/live",
        "post",
        "putRulesLive",
        "Put a version in force",
        SeenVersion,
        RuleBookReply,
        "In force for every worker from its next request on.",
        changes=True,
    ),
    AccountOperation(
        f"{_RULES}/undo",
        "post",
        "undoRules",
        "Take back the last change",
        SeenVersion,
        RuleBookReply,
        _BOOK,
        changes=True,
    ),
    AccountOperation(
        f"{_RULES}/restore",
        "post",
        "restoreRules",
        "Take an earlier version up again",
        RestoredVersion,
        RuleBookReply,
        _BOOK,
        changes=True,
    ),
    AccountOperation(
        f"{_RULES}/versions", "get", "listRuleVersions", "The latest versions", None, VersionsReply, "The versions."
    ),
)
_LEXICONS = "/api/v1/operator/lexicons"
_LISTS = "The lists as they are now."
LEXICON_OPERATIONS = (
    AccountOperation(_LEXICONS, "get", "getLexicons", "The lists of unsafe terms", None, LexiconBookReply, _LISTS),
    AccountOperation(
        f"{_LEXICONS}/lists/{{list_name}}",
        "put",
        "putLexicon",
        "Put a list",
        ListText,
        LexiconBookReply,
        _LISTS,
    ),
    AccountOperation(
        f"{_LEXICONS}/lists/{{list_name}}",
        "delete",
        "removeLexicon",
        "Take a list out",
        None,
        LexiconBookReply,
        _LISTS,
        version=True,
    ),
    AccountOperation(
        f"{_LEXICONS}/terms",
        "post",
        "addUnsafeTerm",
        "Add a term or an exception",
        NewTerm,
        LexiconBookReply,
        _LISTS,
        changes=True,
    ),
    AccountOperation(
        f"{_LEXICONS}/try",
        "post",
        "tryText",
        "What would be caught in a text",
        TriedText,
        TriedReply,
        "The unsafe terms, and through which disguises they were seen.",
        changes=True,
    ),
    AccountOperation(
        f"{_LEXICONS}/effect",
        "get",
        "getLexiconEffect",
        "What the latest version would do to the keywords",
        None,
        EffectReply,
        "Counts and samples.",
    ),
    AccountOperation(
        f"{_LEXICONS}/live",
        "post",
        "putLexiconsLive",
        "Put a version in force",
        SeenVersion,
        LexiconBookReply,
        "In force for every worker from its next request on.",
        changes=True,
    ),
    AccountOperation(
        f"{_LEXICONS}/undo",
        "post",
        "undoLexicons",
        "Take back the last change",
        SeenVersion,
        LexiconBookReply,
        _LISTS,
        changes=True,
    ),
    AccountOperation(
        f"{_LEXICONS}/restore",
        "post",
        "restoreLexicons",
        "Take an earlier version up again",
        RestoredVersion,
        LexiconBookReply,
        _LISTS,
        changes=True,
    ),
    AccountOperation(
        f"{_LEXICONS}/versions",
        "get",
        "listLexiconVersions",
        "The latest versions",
        None,
        VersionsReply,
        "The versions.",
    ),
)
_JOBS, _FEEDBACK = "/api/v1/operator/jobs", "/api/v1/operator/feedback"
JOB_OPERATIONS = (
    AccountOperation(_JOBS, "get", "listJobs", "The latest jobs", None, JobsReply, "The jobs, the newest first."),
    AccountOperation(_JOBS, "post", "startJob", "Start a job", NewJob, JobReply, "The job that was started."),
    AccountOperation(f"{_JOBS}/{{job_id}}", "get", "getJob", "One job", None, JobReply, "The job and its log's end."),
    AccountOperation(
        f"{_JOBS}/{{job_id}}/cancel", "post", "cancelJob", "Ask a job to end", None, JobReply, "Asked.", changes=True
    ),
    AccountOperation(
        "/api/v1/operator/snapshots",
        "get",
        "listSnapshots",
        "Snapshots, and who serves what",
        None,
        SnapshotsReply,
        "Snapshots, workers, and snapshots that wait to be published.",
    ),
    AccountOperation(
        "/api/v1/operator/snapshots/comparison",
        "get",
        "compareSnapshots",
        "What changed between two snapshots",
        None,
        ComparisonReply,
        "Keywords gained and lost, and the biggest changes.",
        question=ComparisonQuestion,
    ),
)
LOG_OPERATIONS = (
    AccountOperation(
        _FEEDBACK,
        "get",
        "listFeedback",
        "Verdicts that wait for a decision",
        None,
        QueueReply,
        "The queue.",
        question=PageQuestion,
    ),
    AccountOperation(_FEEDBACK, "post", "decideFeedback", "Decide on a pair", NewDecision, QueueReply, "The queue."),
    AccountOperation(
        f"{_FEEDBACK}/{{decision_id}}",
        "delete",
        "undoDecision",
        "Take a decision back",
        None,
        QueueReply,
        "The queue.",
    ),
    AccountOperation(
        "/api/v1/operator/audit",
        "get",
        "listAuditEntries",
        "The audit log",
        None,
        AuditReply,
        "The entries.",
        question=AuditQuestion,
    ),
)
OPERATOR_OPERATIONS = (*RULE_OPERATIONS, *LEXICON_OPERATIONS, *JOB_OPERATIONS, *LOG_OPERATIONS)
