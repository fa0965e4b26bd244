"""The wiring of related searches (SPEC §2.7): few, right, different, and none rather than a wrong one."""

from collections.abc import Callable
from datetime import datetime

from indexes.opened import Indexes
from kr.audit.stage import UnsafeKeywordAudit
from kr.marketing.apply import MarketingRules
from kr.marketing.rules import load_rules
from kr.pipeline import Pipeline
from kr.pipelines.keyword_search import SOURCES, fused_strength, keyword_sources, relevance_stage
from kr.rank.diversity import Diversity
from kr.rank.order import CutToLimit, Order
from kr.rank.value import QualityAndValue
from kr.relevance.admission import RelevanceAdmission, bar_for
from kr.relevance.thresholds import Use
from kr.retrieval.anchors import AnchorFinder
from kr.retrieval.close_variants import CloseVariantGrouping
from kr.retrieval.corrections import Corrections
from kr.retrieval.enough_users import EnoughUsers
from kr.retrieval.filters import FilterCompiler
from kr.retrieval.misspelt import Misspelt
from kr.retrieval.neighbors import NeighborFinder
from kr.retrieval.seed_variants import SeedVariants
from kr.settings import Settings


def related_searches_pipeline(
    indexes: Indexes,
    settings: Settings,
    audit: UnsafeKeywordAudit,
    corrections: Corrections,
    now: Callable[[], datetime],
) -> Pipeline:
    """Retrieval → relevance, high bar → audit → enough users → nothing of the query's own → value → diversity → rules →
    no misspelling → cut.

    Related searches have no filters: those of a request are not asked.
    """
    anchors = AnchorFinder(indexes, settings.anchors_per_seed)
    neighbors = NeighborFinder(indexes, anchors, settings.candidates_per_source)
    order = Order(indexes)
    relevance = relevance_stage(indexes, settings)
    return Pipeline(
        sources=keyword_sources(indexes, settings, neighbors, FilterCompiler(indexes)),
        stages=(
            *fused_strength(indexes, neighbors),
            relevance,
            RelevanceAdmission(bar_for(Use.RELATED_SEARCHES, settings, relevance.model)),
            audit,
            EnoughUsers(indexes, settings.related_min_users),
            SeedVariants(indexes),
            CloseVariantGrouping(indexes),
            QualityAndValue(indexes, settings.quality_weight),
            order,
            Diversity(indexes),
            MarketingRules(indexes, load_rules(settings.rules, SOURCES), SOURCES, order, now),
            Misspelt(indexes, corrections),
            CutToLimit(),
        ),
    )
