"""What the steps of the online path are called on a page; a step added later appears under its own name."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext

from kr.keyword_scores import STATUS_TEXTS, ScoreStatus
from kr.planning.grouping import WAY_NAMES
from kr.planning.intents import INTENT_NAMES, Intent
from kr.planning.negatives import NEGATIVE_TEXTS, NegativeReason
from kr.reasons import PLACE_TEXTS, REMOVAL_TEXTS, VARIANT_TEXTS, Removal
from kr.relevance.match import Variant
from webui.languages import page_language


def source_name(name: str) -> str:
    """What a source finds, in the page's language."""
    names = {
        "exact": gettext("The search itself"),
        "token_match": gettext("Keywords with the same words"),
        "cooccurrence": gettext("Searched in the same sessions"),
        "association_rules": gettext("Searched by those who searched this"),
        "click_clusters": gettext("Same pages clicked"),
        "page_terms": gettext("Pages that say the same"),
        "semantic": gettext("Words used alike"),
        "url_topics": gettext("What the page says"),
        "industry": gettext("Bought in the industry"),
    }
    return names.get(name, name)


def known_name(part: str) -> str:
    """What recommendations were made from, in the page's language."""
    return {
        "purchases": gettext("what you buy"),
        "site": gettext("your site"),
        "industry": gettext("your industry"),
        "feedback": gettext("what you saved and judged"),
    }[part]


def stage_name(name: str) -> str:
    """What a stage does, in the page's language."""
    names = {
        "fused_strength": gettext("Strength of each pair from all evidence"),
        "literal_relevance": gettext("Relevance computed"),
        "trained_relevance": gettext("Relevance computed"),
        "page_relevance": gettext("Weighed by what the page says"),
        "industry_relevance": gettext("Weighed by what the industry buys"),
        "relevance_admission": gettext("Too little relevance removed"),
        "unsafe_keyword_audit": gettext("Unsafe keywords removed"),
        "close_variants": gettext("Close variants brought together"),
        "filters": gettext("Your filters"),
        "refinements": gettext("Your choice of intents, match types and groups"),
        "quality_and_demand": gettext("Relevance weighed against demand"),
        "order": gettext("Put in order"),
        "marketing_rules": gettext("The operator’s rules"),
        "cut_to_limit": gettext("Cut to this page"),
    }
    return names.get(name, name)


def place_name(place: str) -> str:
    """Where on a page words stood, in the page's language."""
    english, chinese = PLACE_TEXTS[place]
    return chinese if page_language() == "zh" else english


def removal_name(code: str) -> str:
    """Why keywords were removed, in the page's language; `code` is a `Removal` in lower case."""
    english, chinese = REMOVAL_TEXTS[Removal[code.upper()]]
    return chinese if page_language() == "zh" else english


def device_name(device: str) -> str:
    """What a device is called, in the page's language; one that only this log names as the log names it."""
    names = {
        "desktop": gettext("Desktop"),
        "mobile": gettext("Mobile"),
        "tablet": gettext("Tablet"),
        "tv": gettext("Television"),
    }
    return names.get(device.casefold(), device)


def column_name(column: str) -> str:
    """What a column of the table of keywords is called, in the page's language."""
    return {
        "searches": gettext("Searches a month"),
        "trend": gettext("Trend"),
        "competition": gettext("Competition"),
        "bid": gettext("Top-of-page bid"),
        "relevance": gettext("Relevance"),
        "why": gettext("Why it is here"),
        "intent": gettext("Intent"),
        "group": gettext("Group"),
        "devices": gettext("Devices"),
        "advertisers": gettext("Advertisers"),
        "clicks": gettext("Clicks"),
        "ad_ctr": gettext("Ad click rate"),
    }[column]


def status_name(status: str) -> str:
    """Why a keyword of the caller's has a score or none, in the page's language."""
    english, chinese = STATUS_TEXTS[ScoreStatus(status)]
    return chinese if page_language() == "zh" else english


def role_name(role: str) -> str:
    """What a user's role is called, in the page's language."""
    return {
        "advertiser": gettext("Advertiser"),
        "analyst": gettext("Analyst"),
        "operator": gettext("Operator"),
        "admin": gettext("Admin"),
    }[role]


def intent_name(code: str) -> str:
    """What a keyword is searched for, in the page's language."""
    english, chinese = INTENT_NAMES[Intent(code)]
    return chinese if page_language() == "zh" else english


def way_name(by: str) -> str:
    """A way to group keywords, in the page's language."""
    english, chinese = WAY_NAMES[by]  # type: ignore[index]
    return chinese if page_language() == "zh" else english


def match_type_name(code: str | None) -> str:
    """A match type, in the page's language; unknown counts as broad."""
    names = {"EXACT": gettext("Exact"), "PHRASE": gettext("Phrase"), "BROAD": gettext("Broad")}
    return names[code] if code else "–"


def severity_name(code: str) -> str:
    """How much a finding matters, in the page's language."""
    return {"high": gettext("Serious"), "medium": gettext("Costs money"), "low": gettext("Tidying")}[code]


def negative_reason(code: str) -> str:
    """Why a negative keyword is suggested, in the page's language."""
    english, chinese = NEGATIVE_TEXTS[NegativeReason(code)]
    return chinese if page_language() == "zh" else english


def goal_name(code: str) -> str:
    """What a budget is to bring, in the page's language."""
    return {
        "clicks": gettext("clicks"),
        "conversions": gettext("conversions"),
        "value_micros": gettext("value"),
    }[code]


def fix_name(fix: Sequence[Mapping[str, Any]]) -> str:
    """What mending a finding does, in the page's language."""
    first = fix[0]
    if first["op"] == "change_keywords":
        if "bid_micros" in first:
            return gettext("Set bids")
        return gettext("Pause") if first.get("status") == "PAUSED" else gettext("Set match type")
    names = {
        "remove_keywords": gettext("Remove"),
        "split_ad_group": gettext("Split off"),
        "set_budget": gettext("Raise the budget"),
    }
    return names.get(first["op"], gettext("Mend"))


def change_name(action: str) -> str:
    """What a change of a plan did, in the page's language."""
    names = {
        "import": gettext("importing"),
        "regroup": gettext("regrouping"),
        "add_keywords": gettext("adding keywords"),
        "add_negatives": gettext("adding negatives"),
        "remove_keywords": gettext("removing keywords"),
        "move_keywords": gettext("moving keywords"),
        "split_ad_group": gettext("splitting an ad group"),
        "merge_ad_groups": gettext("merging ad groups"),
        "rename_ad_group": gettext("renaming an ad group"),
        "rename_campaign": gettext("renaming a campaign"),
        "set_budget": gettext("setting a budget"),
        "set_ad_group_bid": gettext("setting a bid"),
        "change_keywords": gettext("changing keywords"),
        "use_set": gettext("taking the best set"),
    }
    return names.get(action) or (gettext("mending a finding") if action.startswith("fix") else action)


def variant_name(kind: str) -> str:
    """In what a close variant differs, in the page's language."""
    english, chinese = VARIANT_TEXTS[Variant(kind)]
    return chinese if page_language() == "zh" else english


# An explanation counts what the audit removed, but a page does not spell it out.
HIDDEN_REMOVALS = frozenset(
    code.name.lower() for code in Removal if code.name.startswith("UNSAFE_") or code is Removal.AUDIT_UNAVAILABLE
)

NAMES: dict[str, Any] = {
    "known_name": known_name,
    "source_name": source_name,
    "stage_name": stage_name,
    "place_name": place_name,
    "removal_name": removal_name,
    "role_name": role_name,
    "variant_name": variant_name,
    "intent_name": intent_name,
    "device_name": device_name,
    "column_name": column_name,
    "status_name": status_name,
    "way_name": way_name,
    "match_type_name": match_type_name,
    "severity_name": severity_name,
    "negative_reason": negative_reason,
    "change_name": change_name,
    "goal_name": goal_name,
    "fix_name": fix_name,
    "hidden_removals": HIDDEN_REMOVALS,
}
