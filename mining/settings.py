"""Settings of the miners: each with its default, its range and a sentence."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from indexes.errors import UsageError


class MiningSettings(BaseModel):
    """What decides the mined tables, and (last) what only decides how fast they come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Sessions (SPEC §1.1).
    session_gap_minutes: int = Field(30, ge=1, le=1440, description="A longer silence of a user ends the session.")
    session_max_queries: int = Field(
        100, ge=2, le=10_000, description="Sessions with more queries, repeats merged, are set aside."
    )

    # Robots.
    robot_daily_searches: int = Field(
        300, ge=10, description="A user with more searches on one day is taken for a robot."
    )
    robot_regular_gaps: int = Field(
        20, ge=5, description="So many gaps inside sessions must be known before their regularity is judged."
    )
    robot_gap_variation: float = Field(
        0.3, ge=0, le=1, description="Standard deviation / mean of the gaps below which a user is taken for a robot."
    )
    robot_clickless_daily_searches: int = Field(
        60, ge=5, description="A user with more searches an active day who hardly clicks is taken for a robot."
    )
    robot_click_rate: float = Field(0.01, ge=0, le=1, description="Clicks a search below which a user hardly clicks.")

    # Co-occurrence (SPEC §1.2) and association rules (SPEC §1.3).
    min_users: int = Field(2, ge=1, description="Pairs from sessions of fewer distinct users are not kept.")
    cooccurrence_decay: float = Field(
        0.8, gt=0, lt=1, description="d: a pair that stands g steps apart in a session gains a weight made of d and g."
    )
    cooccurrence_form: Literal["power", "cumulative"] = Field(
        "power", description="The weight of g steps: power is d^g, cumulative is d + d² + … + d^g."
    )
    rule_min_sessions: int = Field(3, ge=1, description="Rules seen in fewer sessions are not kept.")
    rule_min_support: float = Field(0.0, ge=0, le=1, description="Least share of all sessions that hold both keywords.")
    rule_min_confidence: float = Field(
        0.01, ge=0, le=1, description="Least share of the sessions with the first keyword that hold the second too."
    )
    rule_min_significance: float = Field(
        10.83,
        ge=-1e9,
        le=1e9,
        description="Least log-likelihood ratio G² of a rule; negative ones are of pairs rarer than by chance.",
    )

    # Click-graph clusters (SPEC §1.4).
    edge_min_clicks: int = Field(1, ge=1, description="A URL clicked less often for a keyword is no edge of the graph.")
    edge_min_users: int = Field(1, ge=1, description="A URL clicked by fewer users for a keyword is no edge either.")
    url_max_keywords: int = Field(
        10_000, ge=2, description="URLs clicked for more keywords say little (portals, log-in pages) and are left out."
    )
    cluster_similarity: float = Field(
        0.3, ge=0.05, le=1, description="Keywords, and URLs, are merged while the Jaccard overlap reaches this."
    )
    click_neighbors: int = Field(50, ge=1, le=1000, description="Most neighbours kept of a keyword in its cluster.")
    click_paths: int = Field(
        5, ge=0, le=100, description="Most neighbours kept of a keyword that share no URL with it, linked by a path."
    )

    # Content and click similarity (SPEC §1.5).
    content_weight: float = Field(
        0.3, ge=0, le=1, description="α: how much shared words weigh beside shared clicked pages in a similarity."
    )
    content_click_similarity: float = Field(
        0.3, gt=0, le=1, description="Keywords of at least this content and click similarity are neighbours."
    )
    content_click_min_points: int = Field(
        8, ge=1, le=1000, description="A keyword with so many neighbours is the core of a cluster."
    )
    content_click_max_keywords: int = Field(
        1000, ge=2, description="Terms and URLs of more keywords alone bring no two keywords together for comparison."
    )
    content_click_neighbors: int = Field(30, ge=1, le=1000, description="Most neighbours kept of a keyword.")

    # Clicked-page term vectors (SPEC §1.6).
    page_text_characters: int = Field(
        0, ge=0, le=100_000, description="Characters of a page's text that are read beside its title."
    )
    page_term_max_share: float = Field(
        0.05, gt=0, le=1, description="Words of a greater share of the clicked pages are left out as common."
    )
    page_keywords: int = Field(
        100_000, ge=2, description="So many keywords, those that the most users clicked for, get vectors of page words."
    )
    page_vector_terms: int = Field(30, ge=1, le=1000, description="Most terms kept of a keyword, the heaviest ones.")
    page_term_similarity: float = Field(
        0.5, gt=0, le=1, description="Least cosine of keywords that are neighbours by their pages' words."
    )
    crawled_text_characters: int = Field(
        600, ge=0, le=10_000, description="Characters of a crawled page's text that the snapshot keeps."
    )
    page_neighbors: int = Field(50, ge=1, le=1000, description="Most neighbours kept of a keyword by its pages' words.")
    page_cluster_similarity: float = Field(
        0.7, gt=0, le=1, description="Least cosine to the leader of a cluster for a keyword to join it."
    )
    page_rank_popularity: float = Field(
        0.3, ge=0, le=1, description="How much users weigh beside the cosine in the rank inside a cluster."
    )

    # Buyers (SPEC §1.8) and recall tables (SPEC §1.9).
    min_advertisers: int = Field(2, ge=1, description="Keywords and pairs bought by fewer advertisers are in no list.")
    account_max_keywords: int = Field(
        5000,
        ge=2,
        description="An advertiser of more keywords sells everything and is no evidence of what belongs together.",
    )
    copurchase_shrinkage: float = Field(
        2.0, ge=0, le=1000, description="With so many advertisers in common a pair's cosine counts half."
    )
    buyer_neighbors: int = Field(
        50, ge=1, le=1000, description="Most neighbours kept of a keyword by factors, and by walks."
    )
    buyer_factors: int = Field(256, ge=1, le=512, description="Factors of the matrix of accounts and keywords.")
    factor_similarity: float = Field(
        0.6, gt=0, le=1, description="Least cosine of keywords that are neighbours by their factors."
    )
    walk_damping: float = Field(
        0.5, gt=0, lt=1, description="d: the probability that a walk between accounts and keywords goes on."
    )
    walk_precision: float = Field(
        1e-4, ge=0, le=0.1, description="Probability at a node, or still on its way, below which a walk is cut off."
    )
    walk_share: float = Field(
        0.002,
        ge=0,
        le=1,
        description="Least share of time at a keyword for it to be a neighbour of where a walk starts.",
    )
    account_factors: int = Field(
        64, ge=1, le=512, description="Factors of who buys what that a snapshot keeps, for recommendations to accounts."
    )
    recall_keywords: int = Field(200, ge=1, le=10_000, description="Most keywords kept of an account or an industry.")

    # Pages to start from (SPEC §1.12).
    seed_url_min_users: int = Field(5, ge=1, description="A page that fewer users clicked is no page to start from.")
    seed_url_min_keywords: int = Field(3, ge=1, description="So is one that was clicked for fewer keywords.")
    seed_url_pages: int = Field(50_000, ge=1, description="Most pages kept to start from: those of the most users.")

    # Bursts (SPEC §1.11).
    burst_min_users: int = Field(10, ge=1, description="A burst has at least so many distinct users.")
    burst_min_factor: float = Field(2.0, ge=1, le=1000, description="A burst has so many times the users expected.")
    burst_min_score: float = Field(
        15.0, gt=0, le=1e6, description="A burst is less likely by chance than about e to the minus this."
    )
    burst_max_days: int = Field(28, ge=1, le=92, description="Longer rises are a season or a new level.")
    burst_level_weeks: int = Field(
        6, ge=2, le=52, description="Weeks before and after that say what is usual for a keyword."
    )

    # Keyword statistics (SPEC §1.10).
    top_slots: int = Field(4, ge=1, le=20, description="Ad positions up to this one count as top of page.")
    slots_per_page: int = Field(8, ge=1, le=50, description="Ad slots that a result page offers.")
    low_bid_percentile: int = Field(20, ge=1, le=99, description="Percentile of click prices called the low bid.")
    high_bid_percentile: int = Field(80, ge=1, le=99, description="Percentile of click prices called the high bid.")
    medium_competition: int = Field(34, ge=1, le=100, description="Competition index from which it is MEDIUM.")
    high_competition: int = Field(67, ge=1, le=100, description="Competition index from which it is HIGH.")

    # Forecasts (SPEC §2.10).
    landscape_pages: int = Field(
        24, ge=4, le=200, description="Result pages of a keyword whose bids are kept, evenly spread over the latest."
    )
    landscape_pages_read: int = Field(
        300, ge=4, le=100_000, description="Latest result pages of a keyword from which they are taken."
    )
    most_ad_clicks_a_week: int = Field(
        2, ge=1, le=10_000, description="Who clicks one advertiser's ads more often in a week is not counted for them."
    )
    quality_shrinkage_clicks: int = Field(
        30, ge=1, le=10_000, description="With so many expected clicks an advertiser's quality counts half."
    )
    match_share_searches: int = Field(
        30, ge=1, le=1_000_000, description="Searches from which a query says how often bids of a match type show."
    )

    # Term vectors (SPEC §1.7).
    embedding_dims: int = Field(48, ge=2, le=512, description="Components of a term's vector.")
    embedding_words: int = Field(
        2_500_000, ge=1, description="Words that embeddings are trained on: a smaller log is read several times."
    )
    embedding_page_queries: int = Field(
        300_000, ge=1, description="Pairs of a page and a query that embeddings learn from; beyond it pages are drawn."
    )
    embedding_session_queries: int = Field(
        300_000, ge=1, description="Searches in sessions that embeddings learn from; beyond it users are drawn."
    )

    # Topics (SPEC §1.7).
    topics: int = Field(100, ge=0, le=1000, description="Topics of clicked titles and searches; 0 for none.")
    topic_terms: int = Field(50_000, ge=100, description="So many terms, the most frequent ones, have topics.")

    # Window: which days are mined, and how much older ones weigh.
    window_days: int | None = Field(
        None, ge=1, le=100_000, description="Only so many days up to the last search are mined; without it, all."
    )
    missing_day_searches: int = Field(
        100,
        ge=1,
        description="A day without searches is missing if days have so many in the median; its month is incomplete.",
    )
    half_life_days: float | None = Field(
        None,
        gt=0,
        le=1e6,
        description="Days after which a session or a click weighs half; counts stay whole. Without it, nothing fades.",
    )

    # Fusion: the mining report names the model by its hash.
    fusion_model: str = Field("", description="Folder of a model made by train fusion; empty: pairs are not fused.")

    # Resources: no table depends on them.
    threads: int = Field(2, ge=1, le=256, description="Threads of the engine.")
    memory_mb: int = Field(4096, ge=256, description="Memory of the engine; beyond it, it spills to disk.")

    def first_day(self, last: date) -> date:
        """The first day of the window that ends on the day of the last search."""
        days_before = (self.window_days or last.toordinal()) - 1
        return date.fromordinal(max(last.toordinal() - days_before, 1))

    def deciding(self) -> dict[str, Any]:
        """The settings that decide the tables: all but the resources, and where a model lies."""
        return self.model_dump(exclude={"threads", "memory_mb", "fusion_model"})


def mining_settings(assignments: Iterable[str]) -> MiningSettings:
    """Settings from texts `name=value`, as after `--set`; raises UsageError naming the setting and the remedy."""
    fields = MiningSettings.model_fields
    values: dict[str, str] = {}
    for assignment in assignments:
        name, separator, value = (part.strip() for part in assignment.partition("="))
        if not separator:
            raise UsageError(f"--set {assignment}: no '=' found.", "Write --set name=value.")
        if name not in fields:
            raise UsageError(f"--set {name}: there is no such setting.", f"Known are {', '.join(fields)}.")
        values[name] = value
    try:
        return MiningSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        meaning = fields[name].description
        raise UsageError(f"--set {name}={values[name]}: {first['msg']}.", f"It means: {meaning}") from None
