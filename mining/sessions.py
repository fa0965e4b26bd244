"""Sessions (SPEC §1.1): a user's searches between two silences.

Searches of a user are ordered by time, those of the same moment by search_id. A session ends where the user is silent
for longer than the gap, and where two searches in a row name different sessions of the platform's own. A search of
the same keyword as the one before in its session is a repeat: it counts in statistics, and takes no place in the
session.
"""

import ibis
import ibis.expr.types as ir

from mining.engines import Engine
from mining.settings import MiningSettings

SESSIONS_A_USER = 2**32
"""Sessions are numbered user_no · 2³² + the session's place among the user's."""
MICROSECONDS_A_MINUTE = 60_000_000
GAP_UNIT_MICROSECONDS = 100_000
"""Gaps inside sessions are kept in tenths of a second: fine enough for robots, and their squares add up in 64 bits."""


def number_users(engine: Engine, searches: ir.Table, clicks: ir.Table) -> ir.Table:
    """Every user who searched or clicked: (user_id, user_no), numbered in the order of their ids."""
    users = ibis.union(searches.select("user_id").distinct(), clicks.select("user_id").distinct(), distinct=True)
    return engine.materialise("users", users.mutate(user_no=ibis.row_number().over(order_by=users.user_id)))


def place_in_sessions(
    engine: Engine, searches: ir.Table, users: ir.Table, queries: ir.Table, settings: MiningSettings
) -> ir.Table:
    """Every search with a keyword, in its session.

    Columns: user_no, query_id, keyword_id, ts, device, region, ads_shown as logged; session; `repeats`; `position`,
    the number of the user's searches up to here that are no repeats, so that differences of positions are steps in
    the session; `gap`, tenths of a second since the search before in the same session, null for the first;
    `first_search_id` only on the first.
    """
    placed = searches.join(users, "user_id").join(queries, "query")
    in_order = ibis.window(group_by=placed.user_no, order_by=[placed.ts, placed.search_id])
    placed = placed.select(
        "user_no", "query_id", "keyword_id", "ts", "search_id", "device", "region", "ads_shown",
        silence=placed.ts.delta(placed.ts.lag().over(in_order), unit="microsecond"),
        session_changes=(placed.session_id != placed.session_id.lag().over(in_order)).fill_null(False),
        same_keyword=placed.keyword_id == placed.keyword_id.lag().over(in_order),
    )  # fmt: skip
    limit = settings.session_gap_minutes * MICROSECONDS_A_MINUTE
    starts = placed.silence.isnull() | (placed.silence > limit) | placed.session_changes
    placed = placed.mutate(starts=starts, repeats=~starts & placed.same_keyword)
    so_far = ibis.cumulative_window(group_by=placed.user_no, order_by=[placed.ts, placed.search_id])
    session_no = placed.starts.cast("int64").sum().over(so_far)
    position = (~placed.repeats).cast("int64").sum().over(so_far)
    return engine.materialise(
        "session_searches",
        placed.select(
            "user_no", "query_id", "keyword_id", "ts", "device", "region", "ads_shown", "repeats",
            first_search_id=placed.starts.ifelse(placed.search_id, ibis.null("string")),
            session=placed.user_no * SESSIONS_A_USER + session_no,
            position=position.cast("int32"),
            gap=placed.starts.ifelse(ibis.null("int64"), placed.silence // GAP_UNIT_MICROSECONDS).cast("int32"),
        ),
    )  # fmt: skip


def summarise_sessions(engine: Engine, counted: ir.Table) -> ir.Table:
    """A row a session: session, user_no, start_ts, last_ts, first_search_id, searches, queries (without repeats)."""
    return engine.materialise(
        "all_sessions",
        counted.group_by("session").agg(
            user_no=counted.user_no.min(),
            start_ts=counted.ts.min(),
            last_ts=counted.ts.max(),
            first_search_id=counted.first_search_id.min(),
            searches=counted.count(),
            queries=(~counted.repeats).cast("int64").sum(),
        ),
    )


def list_session_events(
    engine: Engine, counted: ir.Table, sessions: ir.Table, settings: MiningSettings
) -> tuple[ir.Table, ir.Table]:
    """What the miners of sessions read, sessions that are too long left out.

    First the events, a row a search that is no repeat: session, user_no, keyword_id, position, day. Then the distinct
    keywords of each session: session, user_no, keyword_id, first_position, day (of the keyword's first event).
    """
    too_long = sessions.filter(sessions.queries > settings.session_max_queries)
    kept = counted.filter(~counted.repeats).anti_join(too_long, "session")
    events = engine.materialise(
        "session_events", kept.select("session", "user_no", "keyword_id", "position", day=kept.ts.date())
    )
    keywords = engine.materialise(
        "session_keywords",
        events.group_by("session", "keyword_id").agg(
            user_no=events.user_no.min(), first_position=events.position.min(), day=events.day.min()
        ),
    )
    return events, keywords


def sessions_to_write(sessions: ir.Table, users: ir.Table, settings: MiningSettings) -> ir.Table:
    """The rows of the mined table of sessions."""
    kept = sessions.filter(sessions.queries <= settings.session_max_queries)
    return kept.join(users, "user_no").select(
        "user_id", "start_ts", "first_search_id", "last_ts", "searches", "queries"
    )
