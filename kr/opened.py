"""Everything that belongs to one snapshot while it is served: indexes, pipelines and writers, made once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from indexes.opened import Indexes
from kr.audit.lexicons import LexiconsInForce
from kr.audit.stage import UnsafeKeywordAudit
from kr.industries import IndustryBrowser
from kr.keyword_intents import KeywordIntents
from kr.keyword_profile import KeywordProfiles
from kr.marketing.apply import with_rules
from kr.marketing.in_force import RuleSet
from kr.pipeline import Pipeline
from kr.pipelines.keyword_search import MINERS, keyword_scoring_pipeline, keyword_search_pipeline
from kr.pipelines.recommendations import RecommendationOffer
from kr.pipelines.related_searches import related_searches_pipeline
from kr.pipelines.seed_queries import SeedOffer
from kr.pipelines.seed_urls import SeedUrlOffer
from kr.planning.planner import Planner
from kr.retrieval.anchors import AnchorFinder
from kr.retrieval.corrections import Corrections
from kr.rows import RowWriter
from kr.settings import Settings
from kr.suggest.suggester import Suggester


@dataclass(frozen=True)
class Opened:
    """Everything that belongs to one snapshot; requests that hold it finish on it."""

    indexes: Indexes
    audit: UnsafeKeywordAudit
    pipeline: Pipeline
    related: Pipeline
    scoring: Pipeline
    profiles: KeywordProfiles
    intents: KeywordIntents
    anchors: AnchorFinder
    corrections: Corrections
    rows: RowWriter
    suggester: Suggester
    seeds: SeedOffer
    seed_urls: SeedUrlOffer
    industries: IndustryBrowser
    planner: Planner
    recommendations: RecommendationOffer
    rules: RuleSet

    def with_rules(self, rules: RuleSet) -> "Opened":
        """The same snapshot under other rules; nothing is opened again."""
        return replace(
            self,
            pipeline=with_rules(self.pipeline, rules.rules),
            related=with_rules(self.related, rules.rules),
            rows=self.rows.with_rules(rules.rules),
            recommendations=self.recommendations.with_rules(rules.rules),
            rules=rules,
        )

    @staticmethod
    def of(
        indexes: Indexes, settings: Settings, lexicons: LexiconsInForce, rules: RuleSet, now: Callable[[], datetime]
    ) -> "Opened":
        """Wire everything to one snapshot, under these rules; `now` dates them."""
        audit = UnsafeKeywordAudit(indexes, lexicons, settings.unsafe_severity)
        intents = KeywordIntents(indexes)
        pipeline = keyword_search_pipeline(indexes, settings, audit, now, intents)
        anchors = AnchorFinder(indexes, settings.anchors_per_seed)
        corrections = Corrections(indexes, anchors, audit)
        rows = RowWriter(indexes, MINERS, rules.rules)
        return Opened(
            indexes,
            audit,
            pipeline,
            related_searches_pipeline(indexes, settings, audit, corrections, now),
            keyword_scoring_pipeline(indexes, settings, audit),
            KeywordProfiles(indexes, MINERS, rows, rows.reasons, audit, intents),
            intents,
            anchors,
            corrections,
            rows,
            Suggester(indexes, audit),
            SeedOffer(indexes, audit, settings.related_min_users, settings.quality_weight),
            SeedUrlOffer(indexes, audit, settings.related_min_users, settings.quality_weight),
            IndustryBrowser(indexes, audit, rows, settings.related_min_users),
            Planner(indexes, audit),
            RecommendationOffer(indexes, settings, audit, rows, rules.rules, now),
            rules,
        )
