"""Association rules over sessions (Fonseca et al. 2003; SPEC §1.3).

A session is a transaction: the set of its keywords. Of the rule a → b, the support is the share of all sessions that
hold both, the confidence the share of the sessions with a that hold b, and the lift the confidence over the share of
all sessions with b. Sessions of one keyword count among all sessions.
"""

import ibis.expr.types as ir

from mining.cooccurrence import in_both_directions
from mining.settings import MiningSettings


def find_rules(pairs: ir.Table, keyword_sessions: ir.Table, all_sessions: int, settings: MiningSettings) -> ir.Table:
    """The rows of the mined table association_rules, from the session pairs of enough users."""
    counts = keyword_sessions.select("keyword_id", keyword_count=keyword_sessions.sessions)
    neighbor_counts = keyword_sessions.select(neighbor_id="keyword_id", neighbor_count=keyword_sessions.sessions)
    rules = in_both_directions(pairs).join(counts, "keyword_id").join(neighbor_counts, "neighbor_id")
    total = float(all_sessions)
    together = rules.sessions.cast("float64")
    rules = rules.mutate(
        support=together / total,
        confidence=together / rules.keyword_count,
        lift=together * total / (rules.keyword_count.cast("float64") * rules.neighbor_count.cast("float64")),
    )
    return rules.filter(
        rules.sessions >= settings.rule_min_sessions,
        rules.support >= settings.rule_min_support,
        rules.confidence >= settings.rule_min_confidence,
    ).select(
        "keyword_id", "neighbor_id", "support", "confidence", "lift", "sessions", "users", "first_date", "last_date"
    )
