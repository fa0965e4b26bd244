"""Keyword search as the faces call it: one mapped snapshot, swapped whole when a new one is published."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from indexes.errors import KRError
from indexes.opened import Indexes
from indexes.snapshot import current
from indexes.text import normalise
from kr.audit.lexicons import LexiconsInForce
from kr.audit.stage import shows_adult
from kr.explain import explanation
from kr.keyword_ideas import EXPORT_BATCH_ROWS, KeywordIdeas, usable_seeds
from kr.keyword_scores import KeywordScore, ScoreStatus, scores_in_order
from kr.marketing.in_force import RuleSet, RulesInForce, together
from kr.marketing.preview import RulePreview, preview
from kr.marketing.rules import Rule
from kr.opened import Opened
from kr.page_seeds import pooled_topics, with_page
from kr.pages.reader import PageRead, PageReader
from kr.pages.site import SiteRead, SiteReader
from kr.pipelines.keyword_search import (
    SOURCES,
)
from kr.pipelines.recommendations import RecommendationReply, RecommendationRequest
from kr.pipelines.seed_queries import SeedReply, SeedRequest
from kr.planning.budget_types import BudgetChoice
from kr.planning.diagnosis import in_order
from kr.planning.findings import Finding
from kr.planning.forecast_types import PlanForecast, PlannedKeyword
from kr.planning.plan import Plan
from kr.planning.plan_forecast import budget_findings
from kr.planning.planner import Planner
from kr.reasons import Notice
from kr.reply import Reply, notice
from kr.settings import Settings
from kr.store.live_controls import LiveControls
from kr.suggest.suggester import Suggestion, SuggestRequest
from kr.types import Filters, Request

RELOAD_CHECK_SECONDS = 1.0
"""How often CURRENT is looked at."""


def utc_now() -> datetime:
    """The instant by which marketing rules are dated."""
    return datetime.now(UTC)


class KeywordService:
    """Answers keyword search. Safe to call from any thread."""

    def __init__(
        self, settings: Settings, now: Callable[[], datetime] = utc_now, snapshot_id: str | None = None
    ) -> None:
        """Open the store's current snapshot and follow it, or open the one named and stay on it."""
        self.settings = settings
        self._now = now
        self._follows_current = snapshot_id is None
        self._lock = threading.Lock()
        self._checked = 0.0
        self._pages = PageReader(settings)
        self._sites = SiteReader()
        self.controls = LiveControls(settings.database)
        self.lexicons = LexiconsInForce(settings.lexicons, operators=self.controls)
        self.rules = RulesInForce(settings.rules, SOURCES, self.controls)
        self._opened = self._ruled = self._open(snapshot_id)

    @staticmethod
    def open(settings: Settings) -> "KeywordService":
        """Open the store's current snapshot. NotFoundError if there is none, UsageError for bad rules or lists."""
        return KeywordService(settings)

    def _open(self, snapshot_id: str | None) -> Opened:
        indexes = Indexes.open(self.settings.store, snapshot_id)
        self.rules.read_file_again()
        rules = RuleSet(self.rules.from_file, len(self.rules.from_file), 0)
        return Opened.of(indexes, self.settings, self.lexicons, rules, self._now)

    def opened(self) -> Opened:
        """The snapshot in use under the rules in force.

        Looks once a second at most whether a new snapshot was published, and at each call whether rules went live. A
        snapshot that cannot be opened leaves the old one in use.
        """
        opened, rules = self._newest(), self.rules.now()
        ruled = self._ruled
        if ruled.indexes is not opened.indexes or ruled.rules is not rules:
            ruled = self._ruled = opened.with_rules(rules)
        return ruled

    def in_use(self) -> tuple[str, int, int]:
        """What the last answer was made with: the snapshot, and how often rules and lists had gone live."""
        return self._ruled.indexes.snapshot_id, self._ruled.rules.sequence, self.lexicons.sequence

    def _newest(self) -> Opened:
        now = time.monotonic()
        if not self._follows_current:
            return self._opened
        if now - self._checked >= RELOAD_CHECK_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._checked = now
                published = current(self.settings.store)
                if published != self._opened.indexes.snapshot_id:
                    self._opened = self._open(published)
            except KRError:
                pass  # /readyz and `index verify` report it; requests go on with what is open.
            finally:
                self._lock.release()
        return self._opened

    @property
    def indexes(self) -> Indexes:
        """The snapshot in use."""
        return self.opened().indexes

    def keyword_ideas(self, request: Request, facets: bool = False) -> Reply:
        """Answer one request; seeds must be normalised (`kr.seeds.parse_seeds`).

        With facets the whole result is counted, and each row has its `group` and its `intent`.
        """
        return KeywordIdeas(self.opened(), self.settings.max_rows).reply(request, facets)

    def keyword_idea_batches(
        self, request: Request, batch_rows: int = EXPORT_BATCH_ROWS
    ) -> tuple[Reply, Iterator[Sequence[dict[str, Any]]]]:
        """The reply without its rows, and the rows in batches, all from one snapshot: see `KeywordIdeas.batches`."""
        return KeywordIdeas(self.opened(), self.settings.max_rows).batches(request, batch_rows)

    def attributes(self, keywords: Sequence[str]) -> list[dict[str, Any] | None]:
        """What is known of each of these normalised keywords; None for one that nobody searched."""
        opened = self.opened()
        ids = np.array([opened.indexes.keywords.find(keyword) for keyword in keywords], np.int32)
        known = iter(opened.rows.attributes(ids[ids >= 0]))
        return [next(known) if found else None for found in (ids >= 0).tolist()]

    def scores(self, request: Request, keywords: Sequence[str]) -> tuple[KeywordScore, ...]:
        """Score the caller's own keywords against a request's seeds and page, in their order; none is added or lost.

        Filters, sort, limit and offset of the request do not apply. Without seeds there are numbers but no relevance.
        """
        opened = self.opened()
        adult = shows_adult(request)
        distinct = tuple(dict.fromkeys(text for keyword in keywords if (text := normalise(keyword))))
        unsafe = frozenset(text for text in distinct if opened.audit.unsafe_categories_of(text, adult))
        safe = tuple(text for text in distinct if text not in unsafe)
        seeds, _ = usable_seeds(opened, request)
        if not seeds:
            ids = np.array([found for text in safe if (found := opened.indexes.keywords.find(text)) >= 0], np.int32)
            rows = {row["text"]: row for row in opened.rows.complete_attributes(ids)}
            return scores_in_order(keywords, rows, unsafe, ScoreStatus.KNOWN)
        asked = replace(request, seeds=seeds, listed=safe, filters=Filters(), offset=0, explain=False)
        scored = opened.rows.rows(asked, opened.scoring.run(asked).candidates)
        return scores_in_order(keywords, {row["text"]: row for row in scored}, unsafe, ScoreStatus.SCORED)

    def unsafe_categories(self, text: str) -> tuple[str, ...]:
        """The categories for which a text is not advertised; none for a safe one."""
        return self.opened().audit.unsafe_categories_of(text)

    def profile(self, text: str, adult: bool = False) -> dict[str, Any] | None:
        """Everything that is known of one keyword (`kr.keyword_profile`); None if it is unknown or unsafe."""
        opened = self.opened()
        keyword = normalise(text)
        found = opened.indexes.keywords.find(keyword)
        if found < 0 or opened.audit.unsafe_categories_of(keyword, adult):
            return None
        return {"snapshot": opened.indexes.snapshot_id, **opened.profiles.of(found)}

    def rule_preview(self, request: Request, rules: Sequence[Rule]) -> RulePreview:
        """What keyword search would answer if these were the operators' rules, beside what it answers now.

        Nothing goes live. Seeds that are unsafe or say nothing are left out, as in `keyword_ideas`.
        """
        opened = self.opened()
        other = opened.with_rules(together(self.rules.from_file, rules, 0))
        seeds, _ = usable_seeds(opened, request)
        return preview(
            opened.indexes,
            replace(request, seeds=seeds),
            (opened.pipeline, other.pipeline),
            (opened.rules.rules, other.rules.rules),
        )

    def most_searched_of_last_month(self, count: int) -> list[str]:
        """The safe keywords that were searched most in the log's last whole month, one a group of variants."""
        opened = self.opened()
        indexes = opened.indexes
        ids = indexes.popular
        whole = [place for place, complete in enumerate(indexes.complete_months) if complete]
        month = whole[-1] if whole else len(indexes.months) - 1
        ids = ids[np.argsort(-indexes.stats.monthly_searches[ids][:, month], kind="stable")]
        ids = ids[opened.audit.is_shown(ids)]
        _, first = np.unique(indexes.stats.canonical[ids], return_index=True)
        return indexes.keywords.take(ids[np.sort(first)[:count]])

    def related(self, request: Request) -> Reply:
        """Related searches of one query, or of several at once; filters, sort and offset of the request do not apply.

        None rather than a wrong one: a query that is unlike all keywords has no row, and a notice that says so.
        """
        opened = self.opened()
        empty = Reply(opened.indexes.snapshot_id, request.seeds)
        if not request.seeds:
            return replace(empty, notices=(notice(Notice.QUERY_EMPTY),))
        seeds, notices = usable_seeds(opened, request)
        if not seeds:
            return replace(empty, notices=tuple(notices))
        request = replace(request, seeds=seeds, filters=Filters(), sort="rank", offset=0)
        result = opened.related.run(request)
        if not len(result.candidates):
            notices += [notice(Notice.NOTHING_RELATED, query=seed) for seed in seeds]
        return Reply(
            snapshot=opened.indexes.snapshot_id,
            seeds=seeds,
            rows=opened.rows.rows(request, result.candidates),
            total=len(result.candidates),
            notices=tuple(notices),
            explain=explanation(opened.indexes, result) if request.explain else None,
        )

    @property
    def can_forecast(self) -> bool:
        """Whether the snapshot in use has auctions to forecast from."""
        return self.indexes.landscape is not None

    def forecast(self, keywords: Sequence[PlannedKeyword], start: date | None = None, weeks: int = 4) -> PlanForecast:
        """What a set of keywords will bring: see `kr.planning.forecast.Forecaster`, which says what is raised."""
        from kr.planning.forecast import Forecaster

        return Forecaster(self.indexes).forecast(keywords, start, weeks)

    def budget(
        self,
        candidates: Sequence[PlannedKeyword],
        budget_micros: int,
        goal: str = "clicks",
        start: date | None = None,
        weeks: int = 4,
    ) -> BudgetChoice:
        """The set that brings the most within a budget: see `kr.planning.budget.choose_set`."""
        # The kernels of the search are loaded by the first who asks.
        from kr.planning.budget import choose_set
        from kr.planning.forecast import Forecaster

        return choose_set(Forecaster(self.indexes), candidates, budget_micros, goal, start, weeks)

    def diagnose(self, plan: Plan) -> list[Finding]:
        """What is wrong with a plan, the gravest first; budgets are judged where the snapshot can forecast."""
        found = self.planner.diagnose(plan)
        if self.can_forecast:
            found = in_order([*found, *budget_findings(plan, self.forecast)])
        return found

    def by_url(self, request: Request, *read: "PageRead | SiteRead", facets: bool = False) -> Reply:
        """Answer a request with what pages or sites say beside its seeds; what there is to say of these comes first."""
        told = tuple(note for each in read for note in each.notices())
        if not request.seeds and not any(each.topics for each in read):
            reply = Reply(self.opened().indexes.snapshot_id, (), notices=told)
        else:
            reply = self.keyword_ideas(self.with_page(request, *read), facets)
            reply = replace(reply, notices=(*told, *reply.notices))
        page = next((each.as_data() for each in read if isinstance(each, PageRead)), None)
        site = next((each.as_data() for each in read if isinstance(each, SiteRead)), None)
        return replace(reply, page=page, site=site)

    def read_page(self, address: str, anew: bool = False) -> PageRead:
        """Read a page for `by_url`; see `PageReader.read`."""
        return self._pages.read(address, self.opened().indexes, anew)

    def read_site(self, site: str) -> SiteRead:
        """Read what the platform's crawl has of a site. PageError if the name is none, or nothing was crawled."""
        return self._sites.read(site, self.opened().indexes)

    def read_page_file(self, body: bytes, address: str) -> PageRead:
        """The same for a page that the caller has already."""
        return self._pages.read_file(body, address, self.opened().indexes)

    def with_page(self, request: Request, *read: "PageRead | SiteRead") -> Request:
        """The request that `by_url` answers: its seeds, its page tokens and its hash are those of the topics read."""
        return with_page(request, pooled_topics([each.topics for each in read]), self.opened().indexes)

    def seeds(self, request: SeedRequest) -> SeedReply:
        """Searches, or pages to start from, to offer before a word is typed."""
        opened = self.opened()
        return (opened.seed_urls if request.kind == "urls" else opened.seeds).offer(request)

    @property
    def planner(self) -> Planner:
        """What the snapshot in use can tell for plans."""
        return self.opened().planner

    def recommendations(self, request: RecommendationRequest, site: PageRead | None = None) -> RecommendationReply:
        """Keywords for an account, an industry or a site, without a query; see `RecommendationOffer.offer`."""
        opened = self.opened()
        if site is None:
            return opened.recommendations.offer(request)
        reply = opened.recommendations.offer(replace(request, page_topics=site.topics))
        return replace(reply, notices=(*site.notices(), *reply.notices))

    def suggest(self, request: SuggestRequest) -> tuple[str, list[Suggestion]]:
        """The snapshot that answers, and its suggestions."""
        opened = self.opened()
        return opened.indexes.snapshot_id, opened.suggester.suggest(request)
