"""Keywords that are searched in the same sessions (Zhang & Nasraoui 2006; SPEC §1.2).

Two different keywords that stand g steps apart in a session, in either order, gain a weight each time: d^g ("power"),
or d + d² + … + d^g ("cumulative"). Weights are added up as whole multiples of 2⁻³², so that the sum is the same in
whatever order an engine adds. A pair is dated by the later search of the two.
"""

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from mining import time_decay
from mining.engines import Engine
from mining.settings import MiningSettings

WEIGHT_SCALE = 2**32


def decay_weights(settings: MiningSettings) -> list[int]:
    """The weight of 1, 2, … steps, in multiples of 1 / WEIGHT_SCALE."""
    weights = []
    decay, total = settings.cooccurrence_decay, 0.0
    for steps in range(1, settings.session_max_queries + 1):
        total += decay**steps
        weight = decay**steps if settings.cooccurrence_form == "power" else total
        weights.append(round(weight * WEIGHT_SCALE))
    return weights


def register_decay(engine: Engine, settings: MiningSettings) -> ir.Table:
    """The engine's table of weights: (steps int32, step_weight int64)."""
    weights = decay_weights(settings)
    steps = pa.array(range(1, len(weights) + 1), pa.int32())
    return engine.register("decay", pa.table({"steps": steps, "step_weight": pa.array(weights, pa.int64())}))


def count_keyword_sessions(engine: Engine, session_keywords: ir.Table) -> ir.Table:
    """In how many sessions of how many users each keyword stands: keyword_id, sessions, users."""
    return engine.materialise(
        "keyword_sessions",
        session_keywords.group_by("keyword_id").agg(
            sessions=session_keywords.count(), users=session_keywords.user_no.nunique()
        ),
    )


def find_session_pairs(
    engine: Engine,
    events: ir.Table,
    session_keywords: ir.Table,
    keyword_sessions: ir.Table,
    decay: ir.Table,
    settings: MiningSettings,
    session_weights: ir.Table | None = None,
    log_recency: float = 1.0,
) -> ir.Table:
    """Pairs of enough users: low_id < high_id, weight (scaled), sessions, users, first_date, last_date, recency.

    `session_weights` and `log_recency` are those of mining.time_decay; without them nothing fades.
    """
    # A pair cannot have more users than either keyword, so rare keywords need not be paired at all.
    frequent = keyword_sessions.filter(keyword_sessions.users >= settings.min_users)
    events = events.semi_join(frequent, "keyword_id").join(session_keywords, ["session", "keyword_id"])
    # A session counts once for a pair: where both stand for the first time.
    events = engine.materialise(
        "pairing_events",
        events.select(
            "session", "user_no", "keyword_id", "position", "day", first=events.position == events.first_position
        ),
    )
    earlier, later = events, events.view()
    meeting = earlier.join(
        later,
        [
            earlier.session == later.session,
            earlier.position < later.position,
            earlier.keyword_id != later.keyword_id,
        ],
    ).select(
        low_id=ibis.least(earlier.keyword_id, later.keyword_id),
        high_id=ibis.greatest(earlier.keyword_id, later.keyword_id),
        steps=later.position - earlier.position,
        user_no=earlier.user_no,
        both_first=(earlier.first & later.first).cast("int64"),
        day=later.day,
        **({} if session_weights is None else {"session": earlier.session}),
    )
    meeting = decay.join(meeting, "steps")
    recent = None
    if session_weights is not None:
        meeting = meeting.join(session_weights, "session")
        step_weight = (meeting.step_weight.cast("float64") * meeting.day_share).floor().cast("int64")
        meeting = meeting.mutate(step_weight=step_weight, recent=meeting.both_first * meeting.day_weight)
        recent = meeting.recent.sum()
    pairs = meeting.group_by("low_id", "high_id").agg(
        weight=meeting.step_weight.sum(),
        sessions=meeting.both_first.sum(),
        users=meeting.user_no.nunique(),
        first_date=meeting.day.min(),
        last_date=meeting.day.max(),
        recency=time_decay.recency(recent, meeting.both_first.sum(), log_recency),
    )
    return engine.materialise("session_pairs", pairs.filter(pairs.users >= settings.min_users))


def in_both_directions(pairs: ir.Table) -> ir.Table:
    """Pairs low_id, high_id as rows keyword_id → neighbor_id and back."""
    rest = [name for name in pairs.columns if name not in ("low_id", "high_id")]
    return ibis.union(
        pairs.select(*rest, keyword_id=pairs.low_id, neighbor_id=pairs.high_id),
        pairs.select(*rest, keyword_id=pairs.high_id, neighbor_id=pairs.low_id),
    )


def cooccurrence_to_write(pairs: ir.Table) -> ir.Table:
    """The rows of the mined table cooccurrence."""
    rows = in_both_directions(pairs)
    return rows.mutate(weight=rows.weight.cast("float64") / WEIGHT_SCALE)
