"""Which filter to relax when all of them together leave nothing, and what each relaxation would bring."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from kr.types import Filters, Request

RELAXABLE = (
    "min_searches",
    "max_searches",
    "competition",
    "min_bid_micros",
    "max_bid_micros",
    "languages",
    "devices",
    "regions",
    "must_contain",
    "must_not_contain",
    "owned",
    "intents",
    "match_types",
    "groups",
)
"""Filters that a caller may drop; what was dismissed stays away."""
ALL = "all"


@dataclass(frozen=True)
class Relaxation:
    """Without this filter (a field of `Filters`, or `all`) the search would have so many rows."""

    filter: str
    total: int


def relaxations(request: Request, total_of: Callable[[Request], int]) -> tuple[Relaxation, ...]:
    """What dropping one filter would bring, the most first, and then what dropping all would; nothing that brings none.

    `total_of` answers how many rows a request has.
    """
    filters, none = request.filters, Filters()
    active = [name for name in RELAXABLE if getattr(filters, name) != getattr(none, name)]
    single = [Relaxation(name, total_of(_without(request, (name,)))) for name in active]
    found = sorted((each for each in single if each.total), key=lambda each: -each.total)
    if len(active) > 1 and (total := total_of(_without(request, tuple(active)))):
        found.append(Relaxation(ALL, total))
    return tuple(found)


def _without(request: Request, names: tuple[str, ...]) -> Request:
    none = Filters()
    filters = replace(request.filters, **{name: getattr(none, name) for name in names})
    return replace(request, filters=filters, offset=0, limit=1, explain=False)
