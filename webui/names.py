"""What the steps of the online path are called on a page; a step added later appears under its own name."""

from typing import Any

from flask_babel import gettext

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


def role_name(role: str) -> str:
    """What a user's role is called, in the page's language."""
    return {
        "advertiser": gettext("Advertiser"),
        "analyst": gettext("Analyst"),
        "operator": gettext("Operator"),
        "admin": gettext("Admin"),
    }[role]


def variant_name(kind: str) -> str:
    """In what a close variant differs, in the page's language."""
    english, chinese = VARIANT_TEXTS[Variant(kind)]
    return chinese if page_language() == "zh" else english


# An explanation counts what the audit removed, but a page does not spell it out.
HIDDEN_REMOVALS = frozenset(
    code.name.lower() for code in Removal if code.name.startswith("UNSAFE_") or code is Removal.AUDIT_UNAVAILABLE
)

NAMES: dict[str, Any] = {
    "source_name": source_name,
    "stage_name": stage_name,
    "place_name": place_name,
    "removal_name": removal_name,
    "role_name": role_name,
    "variant_name": variant_name,
    "hidden_removals": HIDDEN_REMOVALS,
}
