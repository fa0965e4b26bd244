"""Previews of marketing rules, for the page and the API."""

from collections.abc import Sequence

from flask import current_app

from indexes.errors import UsageError
from kr.marketing.preview import RulePreview
from kr.marketing.rules import Rule
from kr.seeds import parse_seeds
from kr.types import Request
from webui.search_service import current_service

MOST_QUERIES = 10


def rule_previews(rules: Sequence[Rule], queries: Sequence[str], most_searched: int) -> list[RulePreview]:
    """What these rules would do to the queries, and to so many of the most searched of the last whole month.

    UsageError if the queries are too many or too long.
    """
    if len(queries) > MOST_QUERIES:
        raise UsageError(
            "{count} searches are too many.", "Preview up to {most} at once.", count=len(queries), most=MOST_QUERIES
        )
    service, settings = current_service(), current_app.config["KR"]
    popular = service.most_searched_of_last_month(most_searched) if most_searched else []
    asked = dict.fromkeys([*queries, *popular])
    seeds = [seed for query in asked if (seed := parse_seeds([query], settings))]
    return [service.rule_preview(Request(seed), rules) for seed in seeds]
