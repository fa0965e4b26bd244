"""The wiring of keyword search."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from indexes.neighbors import FUSION
from indexes.opened import Indexes
from kr.audit.stage import UnsafeKeywordAudit
from kr.keyword_intents import KeywordIntents
from kr.marketing.apply import MarketingRules
from kr.marketing.rules import load_rules
from kr.pipeline import Pipeline
from kr.rank.order import CutToLimit, Order
from kr.rank.score import QualityAndDemand
from kr.relevance.admission import RelevanceAdmission, bar_for
from kr.relevance.literal import LiteralRelevance
from kr.relevance.page import PageRelevance
from kr.relevance.thresholds import Use
from kr.retrieval.anchors import AnchorFinder
from kr.retrieval.close_variants import CloseVariantGrouping
from kr.retrieval.exact import ExactSource
from kr.retrieval.filters import FilterCompiler, RequestFilters
from kr.retrieval.industry import IndustryRelevance, IndustrySource
from kr.retrieval.listed import KeepListed, ListedSource
from kr.retrieval.neighbors import FusedStrength, NeighborFinder, NeighborSource
from kr.retrieval.refinements import Refinements
from kr.retrieval.semantic import SemanticSource
from kr.retrieval.token_match import TokenMatchSource
from kr.retrieval.url_topics import UrlTopicsSource
from kr.settings import Settings
from kr.types import Source, Stage

if TYPE_CHECKING:
    from kr.relevance.trained import TrainedRelevance

MINERS = ("cooccurrence", "association_rules", "click_clusters", "page_terms")
SOURCES = (
    ExactSource.name,
    TokenMatchSource.name,
    *MINERS,
    SemanticSource.name,
    UrlTopicsSource.name,
    IndustrySource.name,
)


def relevance_stage(indexes: Indexes, settings: Settings) -> "LiteralRelevance | TrainedRelevance":
    """The trained model's stage if the settings name a model, else the literal one; `.model` is what `bar_for` asks."""
    if settings.relevance_model is None:
        return LiteralRelevance(indexes, MINERS)
    from kr.relevance.model import RelevanceModel
    from kr.relevance.trained import TrainedRelevance

    return TrainedRelevance(indexes, MINERS, RelevanceModel.read(settings.relevance_model))


def keyword_sources(
    indexes: Indexes, settings: Settings, neighbors: NeighborFinder, filters: FilterCompiler
) -> tuple[Source, ...]:
    """Everything that finds keywords for seeds; in the order of SOURCES."""
    return (
        ExactSource(indexes),
        TokenMatchSource(indexes, settings.candidates_per_source, filters),
        *(NeighborSource(miner, neighbors) for miner in MINERS),
        SemanticSource(indexes, settings.semantic_neighbors),
        UrlTopicsSource(indexes, settings.candidates_per_source),
        IndustrySource(indexes),
    )


def fused_strength(indexes: Indexes, neighbors: NeighborFinder) -> Sequence[Stage]:
    """The stage before relevance that looks up learned strengths, if the snapshot has them."""
    return (FusedStrength(neighbors),) if FUSION in indexes.neighbors.miners else ()


def keyword_search_pipeline(
    indexes: Indexes,
    settings: Settings,
    audit: UnsafeKeywordAudit,
    now: Callable[[], datetime],
    intents: KeywordIntents | None = None,
) -> Pipeline:
    """Retrieval → strength of pairs → relevance → audit → close variants → filters → rank → marketing rules → cut."""
    anchors = AnchorFinder(indexes, settings.anchors_per_seed)
    neighbors = NeighborFinder(indexes, anchors, settings.candidates_per_source)
    rules = load_rules(settings.rules, SOURCES)
    order = Order(indexes)
    filters = FilterCompiler(indexes)
    relevance = relevance_stage(indexes, settings)
    return Pipeline(
        sources=keyword_sources(indexes, settings, neighbors, filters),
        stages=(
            *fused_strength(indexes, neighbors),
            relevance,
            PageRelevance(indexes, anchors, MINERS),
            IndustryRelevance(),
            RelevanceAdmission(bar_for(Use.KEYWORD_SEARCH, settings, relevance.model)),
            audit,
            CloseVariantGrouping(indexes),
            RequestFilters(filters),
            Refinements(indexes, MINERS, intents or KeywordIntents(indexes)),
            QualityAndDemand(indexes, settings.quality_weight),
            order,
            MarketingRules(indexes, rules, SOURCES, order, now),
            CutToLimit(),
        ),
    )


def keyword_scoring_pipeline(indexes: Indexes, settings: Settings, audit: UnsafeKeywordAudit) -> Pipeline:
    """Scoring of keywords that the caller names: the same sources for evidence, but nothing is added or admitted."""
    anchors = AnchorFinder(indexes, settings.anchors_per_seed)
    neighbors = NeighborFinder(indexes, anchors, settings.candidates_per_source)
    filters = FilterCompiler(indexes)
    return Pipeline(
        sources=(*keyword_sources(indexes, settings, neighbors, filters), ListedSource(indexes)),
        stages=(
            KeepListed(),
            *fused_strength(indexes, neighbors),
            relevance_stage(indexes, settings),
            PageRelevance(indexes, anchors, MINERS),
            audit,
        ),
    )
