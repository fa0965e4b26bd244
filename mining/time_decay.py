"""Time decay: how much of what a pair rests on is recent, so that relations of today stand above those of last year.

With a half-life of h days, a session or a click that is a days older than the last day of the log weighs 0.5^(a / h).
A session is as old as the day on which it starts. Weights are whole multiples of 2⁻²⁴, so that sums are exact in any
order and the same whether days were mined alone or together.

What fades are weights and strengths: the weight of a co-occurrence, and the recency of every pair of keywords that
rests on sessions or clicks, by which its strength is multiplied. A pair's recency is the average weight of its own
sessions or clicks over that of all of the log: 1 for a pair that is searched as evenly as the log is, less for one that
fades, more for one that rises; as a factor of a strength it is at most 1. What never fades is what is counted:
sessions, users, clicks and dates stay those of the log, and so do lift and confidence, clusters and vectors.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from indexes.arrays import Array
from mining.engines import Engine

UNIT = 2**24
"""A weight of one, as it is counted."""


def day_weights(first: date, last: date, half_life: float) -> list[int]:
    """The weight of each day from the first to the last, in multiples of 1 / UNIT."""
    oldest = (last - first).days
    return [round(UNIT * 0.5 ** (age / half_life)) for age in range(oldest, -1, -1)]


@dataclass(frozen=True)
class Decay:
    """The engine's table of days (date, day_weight int64, day_share float64: the same as a number up to 1)."""

    days: ir.Table
    last: date

    def of_sessions(self, engine: Engine, sessions: ir.Table) -> ir.Table:
        """Sessions with the weight of the day on which they start: session, day_weight, day_share."""
        dated = sessions.select("session", date=sessions.start_ts.date())
        return engine.materialise(
            "session_weights", dated.join(self.days, "date").select("session", "day_weight", "day_share")
        )


def register_decay(engine: Engine, first: date, last: date, half_life: float | None) -> Decay | None:
    """The decay of a log's days; None if nothing fades."""
    if half_life is None:
        return None
    weights = day_weights(first, last, half_life)
    days = [first + timedelta(days=place) for place in range(len(weights))]
    columns = {
        "date": pa.array(days, pa.date32()),
        "day_weight": pa.array(weights, pa.int64()),
        "day_share": pa.array([weight / UNIT for weight in weights], pa.float64()),
    }
    return Decay(engine.register("day_weights", pa.table(columns)), last)


def average(engine: Engine, rows: ir.Table, weight: str, count: ir.IntegerScalar) -> float:
    """The average weight of all that is counted, as a number up to 1; 1 if there is nothing."""
    row = engine.collect(rows.agg(weight=rows[weight].sum(), number=count)).to_pylist()[0]
    return row["weight"] / row["number"] / UNIT if row["number"] else 1.0


def recency(weight: ir.IntegerColumn | None, count: ir.IntegerColumn, of_log: float) -> ir.FloatingValue:
    """The average weight of what a pair rests on over the log's; null if nothing fades or the log has faded wholly."""
    if weight is None or of_log == 0.0:
        return ibis.null("float64")
    return weight.cast("float64") / UNIT / count.cast("float64") / of_log


def faded(strength: Array, recency_column: pa.ChunkedArray) -> Array:
    """Strengths (float32) of pairs times their recency, which counts as 1 at most and where it is null."""
    factor = recency_column.cast(pa.float64()).fill_null(1.0).to_numpy()
    return (strength * np.minimum(factor, 1.0)).astype(np.float32)
