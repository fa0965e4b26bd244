"""What the pages say about the data that they show."""

from dataclasses import dataclass

import structlog

from indexes.errors import KRError, TryAgainError
from indexes.keyword_stats import LANGUAGES
from indexes.opened import Indexes
from kr.audit.stage import UnsafeKeywordAudit
from webui.search_service import current_service


@dataclass(frozen=True)
class About:
    """The snapshot in use: its id, the days of the log (ISO, UTC, both counted), keywords and searches."""

    snapshot: str
    first_day: str
    last_day: str
    keywords: int
    searches: int


def about_snapshot(indexes: Indexes) -> About:
    """What there is to say of a snapshot."""
    return About(
        indexes.snapshot_id,
        indexes.window.first_day.isoformat(),
        indexes.window.last_day.isoformat(),
        int(indexes.facts["keywords"]),
        int(indexes.facts["counts"]["searches"]),
    )


def about_if_open() -> About | None:
    """As `about_snapshot` for the snapshot in use, or None where there is none: text pages are shown all the same."""
    try:
        return about_snapshot(current_service().indexes)
    except KRError as error:
        structlog.get_logger().debug("no snapshot to tell about", error=str(error))
        return None


def most_searched(indexes: Indexes, audit: UnsafeKeywordAudit, count: int, first_language: str) -> list[str]:
    """The most searched keywords, safe by the lists of now, one of each group of variants, English and Chinese in turn.

    None while the lists cannot be read.
    """
    by_language: dict[str, list[str]] = {first_language: [], "en": [], "zh": []}
    groups = set()
    try:
        ids = indexes.popular[audit.is_shown(indexes.popular)]
    except TryAgainError:
        return []
    for keyword_id in ids.tolist():
        group = int(indexes.stats.canonical[keyword_id])
        name = LANGUAGES[indexes.stats.language[keyword_id]]
        if group not in groups and name in by_language:
            groups.add(group)
            by_language[name].append(indexes.keywords[keyword_id])
    in_turn = [keywords[turn] for turn in range(count) for keywords in by_language.values() if turn < len(keywords)]
    return in_turn[:count]
