"""Association rules over sessions (Fonseca et al. 2003; SPEC §1.3).

A session is a transaction: the set of its keywords. Of the rule a → b, the support is the share of all sessions that
hold both, the confidence the share of the sessions with a that hold b, and the lift the confidence over the share of
all sessions with b. Sessions of one keyword count among all sessions.

The significance is Dunning's log-likelihood ratio (1993), G² = 2 · Σ observed · ln(observed / expected) over the four
cells of the table "holds a or not × holds b or not", with the sign of ln(lift): negative for keywords that meet less
often than by chance. By chance alone, |G²| exceeds 3.84, 6.63 and 10.83 in 5 %, 1 % and 0.1 % of pairs. Unlike the
lift it grows with the evidence, so it says whether a lift can be believed and not how great it is. It is rounded to a
multiple of 2⁻¹⁰, since the last bit of a logarithm is not the same on every engine.
"""

import ibis
import ibis.expr.types as ir

from mining.cooccurrence import in_both_directions
from mining.settings import MiningSettings

SIGNIFICANCE_UNIT = 2**10


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
        significance=_signed_likelihood_ratio(rules.sessions, rules.keyword_count, rules.neighbor_count, all_sessions),
    )
    return rules.filter(
        rules.sessions >= settings.rule_min_sessions,
        rules.support >= settings.rule_min_support,
        rules.confidence >= settings.rule_min_confidence,
        rules.significance >= settings.rule_min_significance,
    ).select(
        "keyword_id", "neighbor_id", "support", "confidence", "lift", "significance", "sessions", "users",
        "first_date", "last_date", "recency",
    )  # fmt: skip


def _signed_likelihood_ratio(
    both: ir.IntegerColumn, first: ir.IntegerColumn, second: ir.IntegerColumn, total: int
) -> ir.FloatingColumn:
    """G² of the sessions with both keywords, with the first, with the second and of all, signed by ln(lift)."""

    def cell(observed: ir.IntegerColumn, row: ir.IntegerColumn, column: ir.IntegerColumn) -> ir.FloatingColumn:
        expected = row.cast("float64") * column.cast("float64") / float(total)
        # A cell of nothing adds nothing; its logarithm is never taken.
        ratio = (observed > 0).ifelse(observed.cast("float64") / expected, ibis.literal(1.0))
        return observed.cast("float64") * ratio.ln()

    rest = total - first - second + both
    # The middle cells are added first: a → b and b → a then give the same bits.
    middle = cell(first - both, first, total - second) + cell(second - both, total - first, second)
    ratio = 2.0 * (cell(both, first, second) + middle + cell(rest, total - first, total - second))
    expected = first.cast("float64") * second.cast("float64")
    signed = (both.cast("float64") * float(total) >= expected).ifelse(ratio, -ratio)
    return (signed * float(SIGNIFICANCE_UNIT)).round().cast("float64") / float(SIGNIFICANCE_UNIT)
