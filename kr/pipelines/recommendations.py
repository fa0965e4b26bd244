"""The wiring of recommendations without a query (SPEC §2.8): for an account, an industry, a site."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from indexes.account_recall import ORIGINS, AccountRecall
from indexes.blend_model import BlendModel
from indexes.errors import NotFoundError
from indexes.opened import Indexes
from kr.account_reasons import AccountReasonWriter
from kr.audit.stage import UnsafeKeywordAudit
from kr.explain import explanation
from kr.marketing.apply import MarketingRules, with_rules
from kr.marketing.rules import Rule
from kr.pipeline import Pipeline
from kr.pipelines.keyword_search import SOURCES
from kr.rank.account_blend import AccountBlend, FeedbackRefresh
from kr.rank.diversity import Diversity
from kr.rank.order import CutToLimit, Order
from kr.reasons import Notice
from kr.reply import NoticeText, notice
from kr.retrieval.close_variants import CloseVariantGrouping
from kr.retrieval.filters import FilterCompiler, RequestFilters
from kr.retrieval.recommended import NothingOwned, OriginSource, RecommendationFinder, RecommendationRequest
from kr.rows import RowWriter
from kr.settings import Settings

__all__ = ["RecommendationOffer", "RecommendationReply", "RecommendationRequest"]

SCORE_SHARE = 0.9
"""λ of the diversity: an account wants many keywords of one product, but not the same one in other words."""


@dataclass(frozen=True)
class RecommendationReply:
    """The rows, best first, and from what they were made: `known` says which of purchases, site, industry and feedback
    there are."""

    snapshot: str
    rows: tuple[dict[str, Any], ...] = ()
    total: int = 0
    known: tuple[str, ...] = ()
    model: str | None = None
    notices: tuple[NoticeText, ...] = ()
    explain: dict[str, Any] | None = None


def recommendations_pipeline(
    indexes: Indexes,
    settings: Settings,
    audit: UnsafeKeywordAudit,
    finder: RecommendationFinder,
    model: BlendModel | None,
    rules: tuple[Rule, ...],
    now: Callable[[], datetime],
) -> Pipeline:
    """Origins → blend → audit → close variants → nothing owned → filters → feedback → order → diversity → rules → cut.

    Quotas of marketing rules are for the sources of a search and leave these alone.
    """
    order = Order(indexes)
    return Pipeline(
        sources=tuple(OriginSource(origin, finder) for origin in ORIGINS),
        stages=(
            AccountBlend(finder, model),
            audit,
            NothingOwned(finder),
            RequestFilters(FilterCompiler(indexes)),
            CloseVariantGrouping(indexes),
            FeedbackRefresh(),
            order,
            Diversity(indexes, SCORE_SHARE),
            MarketingRules(indexes, rules, (*ORIGINS, *SOURCES), order, now),
            CutToLimit(),
        ),
    )


class RecommendationOffer:
    """Recommends from one snapshot."""

    def __init__(
        self,
        indexes: Indexes,
        settings: Settings,
        audit: UnsafeKeywordAudit,
        rows: RowWriter,
        rules: tuple[Rule, ...],
        now: Callable[[], datetime],
    ) -> None:
        self._indexes, self._rows = indexes, rows
        self._model = indexes.blend
        self.finder: RecommendationFinder | None = None
        if indexes.accounts is not None:
            recall = AccountRecall(indexes, indexes.accounts, settings.related_min_users)
            self.finder = RecommendationFinder(indexes, recall)
            self._pipeline = recommendations_pipeline(indexes, settings, audit, self.finder, self._model, rules, now)
            self._reasons = AccountReasonWriter(indexes, recall, rules)

    def with_rules(self, rules: tuple[Rule, ...]) -> "RecommendationOffer":
        """The same recommendations under other rules; nothing is opened again."""
        if self.finder is None:
            return self
        other = copy(self)
        other._pipeline = with_rules(self._pipeline, rules)
        other._reasons = self._reasons.with_rules(rules)
        return other

    def site_of(self, account: str | None) -> str | None:
        """The address of an account's site, if the snapshot knows it."""
        accounts = self._indexes.accounts
        place = accounts.ids.find(account) if accounts is not None and account else -1
        return (accounts.sites[place] or None) if accounts is not None and place >= 0 else None

    def offer(self, request: RecommendationRequest) -> RecommendationReply:
        """At most `limit` keywords. NotFoundError for an account or industry that the snapshot does not know.

        An account may be unknown if an industry, a site or liked keywords are given; a notice says so. Raises
        TryAgainError while the lexicons cannot be read.
        """
        snapshot, accounts = self._indexes.snapshot_id, self._indexes.accounts
        if self.finder is None or accounts is None:
            return RecommendationReply(snapshot, notices=(notice(Notice.NO_ACCOUNTS),))
        notices = self._check(request)
        found = self.finder.find(request)
        known = _known(found.profile.liked, found.profile.disliked, found.owned, found.profile)
        if not len(found.owned):
            notices.append(notice(Notice.COLD_START))
        result = self._pipeline.run(request)
        if not len(result.candidates):
            notices.append(notice(Notice.NOTHING_TO_RECOMMEND))
        rows = self._rows.without_seeds(result.candidates)
        reasons = self._reasons.of_page(found, result.candidates)
        return RecommendationReply(
            snapshot,
            tuple({**row, "reasons": its} for row, its in zip(rows, reasons, strict=True)),
            result.trace.stages[-1].rows_in,
            known,
            None if self._model is None else self._model.sha256,
            tuple(notices),
            explanation(self._indexes, result) if request.explain else None,
        )

    def _check(self, request: RecommendationRequest) -> list[NoticeText]:
        accounts = self._indexes.accounts
        assert accounts is not None
        if request.industry and accounts.industry_ids.find(request.industry) < 0:
            raise NotFoundError(
                "The snapshot knows no industry {industry!r}.",
                "Known are {choices}.",
                industry=request.industry[:100],
                choices=", ".join(list(accounts.industry_ids)[:40]),
            )
        if request.account is None or accounts.ids.find(request.account) >= 0:
            return []
        if not (request.industry or request.page_topics or request.liked):
            raise NotFoundError(
                "The snapshot knows no account {account!r}.",
                "Name one of the log's advertisers, or give an industry or a site beside it.",
                account=request.account[:100],
            )
        return [notice(Notice.ACCOUNT_UNKNOWN, account=request.account[:100])]


def _known(liked: Any, disliked: Any, owned: Any, profile: Any) -> tuple[str, ...]:
    parts = {
        "purchases": len(owned) > 0,
        "site": len(profile.site_terms) > 0,
        "industry": profile.industry >= 0,
        "feedback": len(liked) + len(disliked) > 0,
    }
    return tuple(name for name, there in parts.items() if there)


def with_feedback(
    request: RecommendationRequest, liked: set[str], dismissed: set[str], listed: set[str]
) -> RecommendationRequest:
    """The request with what its organisation said of keywords, and what it has on its lists."""
    filters = replace(request.filters, dismissed=tuple(sorted(dismissed)), owned=tuple(sorted(listed)))
    return replace(request, liked=tuple(sorted(liked)), filters=filters)
