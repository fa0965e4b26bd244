"""From industries to a request: what most of their advertisers buy become seeds, so that what is near is found too."""

from collections.abc import Sequence
from dataclasses import replace

from indexes.errors import NotFoundError
from indexes.industries import Industry
from indexes.opened import Indexes
from kr.audit.stage import UnsafeKeywordAudit
from kr.types import Request

MOST_INDUSTRY_SEEDS = 4
"""Seeds of one industry, each another group of close variants."""
MOST_INDUSTRIES = 5
LONGEST_LIST = 1000
"""Rows of an industry's list among which seeds are looked for."""


class UnknownIndustryError(NotFoundError):
    """An industry that the snapshot's tree does not have; `industry_id` names it."""

    def __init__(self, industry_id: str) -> None:
        self.industry_id = industry_id
        super().__init__(
            "There is no industry “{industry_id}”.",
            "See which there are with manage.py industries list, or on the page /industries.",
            industry_id=industry_id,
        )


def industries_of(indexes: Indexes, ids: Sequence[str]) -> list[Industry]:
    """The industries of these ids. Raises UnknownIndustryError."""
    found = []
    for industry_id in ids:
        number = indexes.industries.find(industry_id) if indexes.industries else -1
        if indexes.industries is None or number < 0:
            raise UnknownIndustryError(industry_id)
        found.append(indexes.industries[number])
    return found


def with_industries(request: Request, indexes: Indexes, audit: UnsafeKeywordAudit) -> Request:
    """The request with its industries' first keywords among its seeds, and named in `industry_keywords`."""
    if indexes.industries is None or not request.industry_seed:
        return request
    added: list[str] = []
    for industry in industries_of(indexes, request.industry_seed):
        keywords = indexes.industries.keywords(industry.number)["keyword"][:LONGEST_LIST]
        safe = keywords[audit.is_shown(keywords)]
        groups: set[int] = set()
        for keyword in safe.tolist():
            head = int(indexes.stats.canonical[keyword])
            if head not in groups:
                groups.add(head)
                added.append(indexes.keywords[keyword])
            if len(groups) == MOST_INDUSTRY_SEEDS:
                break
    seeds = tuple(dict.fromkeys((*request.seeds, *added)))
    typed = set(request.seeds)
    return replace(request, seeds=seeds, industry_keywords=tuple(word for word in seeds if word not in typed))
