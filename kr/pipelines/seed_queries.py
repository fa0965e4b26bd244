"""Seed queries: searches to offer an account, an industry or everyone before a word is typed (SPEC §1.12).

Mined at build; here they are audited by the lists in force, kept to those that enough people search, put in order by
the caller's t, and made different from each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from indexes.keyword_stats import LANGUAGES
from indexes.opened import Indexes
from indexes.seed_queries import EVERYONE, Origin, SeedRows, account_context, industry_context
from kr.audit.stage import UnsafeKeywordAudit
from kr.rank.diversity import NEAR_DUPLICATE, SCORE_SHARE, Diversity, marginal_order
from kr.reasons import Notice, Reason
from kr.reply import NoticeText, notice
from kr.row_reasons import reason, span_en, span_zh

_REASONS = {
    Origin.POPULAR: Reason.SEED_POPULAR,
    Origin.INDUSTRY: Reason.SEED_INDUSTRY,
    Origin.ACCOUNT: Reason.SEED_ACCOUNT,
    Origin.OWNED: Reason.SEED_OWNED,
    Origin.BURST: Reason.SEED_BURST,
}


@dataclass(frozen=True)
class SeedRequest:
    """For whom: an account, else its industry, else everyone; `t` None is the operator's. `kind` is queries or urls."""

    account: str | None = None
    industry: str | None = None
    limit: int = 8
    t: float | None = None
    kind: str = "queries"


@dataclass(frozen=True)
class SeedReply:
    """The rows, best first, and whose they are: kind account, industry or everyone, and its id."""

    snapshot: str
    kind: str
    id: str | None
    rows: tuple[dict[str, Any], ...] = ()
    notices: tuple[NoticeText, ...] = ()


class SeedOffer:
    """Offers seeds from one snapshot."""

    def __init__(self, indexes: Indexes, audit: UnsafeKeywordAudit, min_users: int, quality_weight: float) -> None:
        self._indexes = indexes
        self._audit = audit
        self._min_users = min_users
        self._quality_weight = quality_weight
        self._diversity = Diversity(indexes)

    def offer(self, request: SeedRequest) -> SeedReply:
        """At most `limit` seeds. A context of which nothing is known, or nothing that may be shown, is answered by the
        next wider one, with a notice. Raises TryAgainError while the lexicons cannot be read.
        """
        snapshot, seeds = self._indexes.snapshot_id, self._indexes.seeds
        nothing = SeedReply(snapshot, EVERYONE, None, notices=(notice(Notice.NO_SEEDS),))
        if seeds is None:
            return nothing
        for kind, name, context in contexts_of(request):
            rows = seeds.of(context)
            if rows is None or not len(rows := self._shown(rows)):
                continue
            t = self._quality_weight if request.t is None else request.t
            score = rows["quality"].astype(np.float64) ** t * rows["utility"].astype(np.float64) ** (1 - t)
            rows = rows.take(order := np.lexsort((rows["keyword"], -score)))
            alike = self._diversity.likeness((), rows["keyword"])
            best = marginal_order(score[order], alike, SCORE_SHARE, NEAR_DUPLICATE)[0][: request.limit]
            notices = known_notices(request, kind, Notice.SEEDS_OF_EVERYONE)
            return SeedReply(snapshot, kind, name, tuple(self._rows(rows.take(best))), notices)
        return nothing

    def _shown(self, rows: SeedRows) -> SeedRows:
        ids = rows["keyword"]
        return rows.take(self._audit.is_shown(ids) & (self._indexes.stats.users[ids] >= self._min_users))

    def _rows(self, rows: SeedRows) -> Iterator[dict[str, Any]]:
        stats, ids = self._indexes.stats, rows["keyword"]
        texts = self._indexes.keywords.take(ids)
        averages = stats.avg_monthly_searches[ids].tolist()
        languages = stats.language[ids].tolist()
        for row, text in enumerate(texts):
            found = {name: column[row].item() for name, column in rows.columns.items()}
            yield {
                "text": text,
                "language": LANGUAGES[languages[row]],
                "quality": round(found["quality"], 4),
                "utility": round(found["utility"], 4),
                "results": found["results"],
                "avg_monthly_searches": None if averages[row] != averages[row] else round(averages[row], 1),
                "reasons": [self._reason(found), _results(found["results"])],
            }

    def _reason(self, found: dict[str, Any]) -> dict[str, Any]:
        window = self._indexes.window
        first, last = window.first_day, window.last_day
        if found["first_day"] >= 0:
            first, last = (
                date.fromordinal(date(1970, 1, 1).toordinal() + found[f"{end}_day"]) for end in ("first", "last")
            )
        evidence = {name: found[name] for name in ("count", "of") if found[name] >= 0}
        shown = {name: f"{value:,}" for name, value in evidence.items()}
        evidence |= {"first_date": first.isoformat(), "last_date": last.isoformat()}
        english, chinese = {**shown, "dates": span_en(first, last)}, {**shown, "dates": span_zh(first, last)}
        if found["origin"] == Origin.ACCOUNT:
            english["count"] = f"{found['count']:,} account{'' if found['count'] == 1 else 's'}"
        return reason(_REASONS[Origin(found["origin"])], "seed_queries", None, evidence, english, chinese)


def _results(count: int) -> dict[str, Any]:
    words = {"results": f"{count:,}"}
    return reason(Reason.SEED_RESULTS, "seed_queries", None, {"results": count}, words, words)


def known_notices(request: SeedRequest, kind: str, code: Notice) -> tuple[NoticeText, ...]:
    """What there is to say if the context asked for is not known, so that the answer is everyone's."""
    asked = request.account or request.industry
    return (notice(code, context=asked),) if asked and kind == EVERYONE else ()


def contexts_of(request: SeedRequest) -> Sequence[tuple[str, str | None, str]]:
    """Kind, id and context, the narrowest first."""
    contexts: list[tuple[str, str | None, str]] = []
    if request.account:
        contexts.append(("account", request.account, account_context(request.account)))
    if request.industry:
        contexts.append(("industry", request.industry, industry_context(request.industry)))
    return [*contexts, (EVERYONE, None, EVERYONE)]
