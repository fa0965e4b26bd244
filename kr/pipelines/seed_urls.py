"""Seed URLs: pages that an account, an industry or everyone may start a search by address from (SPEC §1.12).

Chosen at build; here they are audited by the lists in force, kept to those that can be told by keywords which enough
people search, and put in order by the caller's t.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np

from indexes.opened import Indexes
from indexes.seed_urls import PAGE_COLUMNS, SeedUrlRows, SeedUrls
from kr.audit.stage import UnsafeKeywordAudit
from kr.pipelines.seed_queries import SeedReply, SeedRequest, contexts_of, known_notices
from kr.reasons import Notice, Reason
from kr.reply import notice
from kr.row_reasons import EPOCH, counted_en, reason, span_en, span_zh


class SeedUrlOffer:
    """Offers pages from one snapshot."""

    def __init__(self, indexes: Indexes, audit: UnsafeKeywordAudit, min_users: int, quality_weight: float) -> None:
        self._indexes = indexes
        self._audit = audit
        self._min_users = min_users
        self._quality_weight = quality_weight

    def offer(self, request: SeedRequest) -> SeedReply:
        """At most `limit` pages, of the narrowest context that has any, as `SeedOffer.offer` answers seed queries."""
        snapshot, found = self._indexes.snapshot_id, self._indexes.seed_urls
        for kind, name, context in contexts_of(request) if found else ():
            assert found is not None
            rows = found.of(context)
            if rows is None or not (shown := list(self._shown(found, self._ordered(rows, request), request.limit))):
                continue
            return SeedReply(snapshot, kind, name, tuple(shown), known_notices(request, kind, Notice.PAGES_OF_EVERYONE))
        return SeedReply(snapshot, "everyone", None, notices=(notice(Notice.NO_SEED_URLS),))

    def _ordered(self, rows: SeedUrlRows, request: SeedRequest) -> SeedUrlRows:
        t = self._quality_weight if request.t is None else request.t
        score = rows["quality"].astype(np.float64) ** t * rows["utility"].astype(np.float64) ** (1 - t)
        return rows.take(np.lexsort((rows["page"], -score)))

    def _shown(self, found: SeedUrls, rows: SeedUrlRows, most: int) -> Iterator[dict[str, Any]]:
        users = self._indexes.stats.users
        for row in range(len(rows)):
            if not most:
                return
            page = int(rows["page"][row])
            leads = found.leads[page][found.leads[page] >= 0]
            safe = self._audit.is_shown(leads)
            leads = leads[users[leads] >= self._min_users]
            url, title = found.urls[page], found.titles[page]
            if not safe.all() or not len(leads) or any(map(self._audit.unsafe_categories_of, (title, url))):
                continue
            most -= 1
            texts = self._indexes.keywords.take(leads)
            counts = {name: int(found.pages[name][page]) for name in PAGE_COLUMNS}
            yield {
                "url": url,
                "title": title or None,
                "quality": round(float(rows["quality"][row]), 4),
                "utility": round(float(rows["utility"][row]), 4),
                "keywords": counts["keywords"],
                "lead_keywords": texts,
                "reasons": [_clicked(texts, counts)],
            }


def _clicked(keywords: list[str], counts: dict[str, int]) -> dict[str, Any]:
    first, last = (date.fromordinal(EPOCH.toordinal() + counts[f"{end}_day"]) for end in ("first", "last"))
    numbers = {name: counts[name] for name in ("users", "clicks", "keywords")}
    evidence = {**numbers, "first_date": first.isoformat(), "last_date": last.isoformat(), "words": keywords}
    shown = {name: f"{value:,}" for name, value in numbers.items()}
    english = {
        **shown,
        **counted_en(numbers),
        "words": ", ".join(f"“{keyword}”" for keyword in keywords),
        "dates": span_en(first, last),
    }
    chinese = {**shown, "words": "、".join(f"“{keyword}”" for keyword in keywords), "dates": span_zh(first, last)}
    return reason(Reason.SEED_URL, "seed_urls", None, evidence, english, chinese)
