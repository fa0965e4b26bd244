"""A day's searches in their sessions, mined of that day alone, and the days joined at midnight.

What is kept of a day is what `mining.sessions` makes of its searches as if the day were the whole log, and which of
them could belong to a session of the day before or after: a user's first search, if it comes no later after midnight
than a session may be silent, and the last, if it is no further from the next midnight. So a day depends on no other.

When days are put together, the last session of a user's day goes on in the first one of a later day under the rule by
which sessions are split at all; a session may go on like that over any number of days. Everything else that is mined
reads the searches placed like this, and cannot tell them from those of `mining.sessions.place_in_sessions`.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from indexes.errors import UsageError
from indexes.text import normalise
from mining.engines import Engine
from mining.schema import Column, Table
from mining.sessions import GAP_UNIT_MICROSECONDS, MICROSECONDS_A_MINUTE
from mining.settings import MiningSettings

IntArray = npt.NDArray[np.int64]

EPOCH = date(1970, 1, 1)
DAY_MICROSECONDS = 86_400_000_000
LOCAL_BITS, DAY_BITS = 23, 12
"""A session is numbered by its user, then its day from the first one on, then its place in the user's day."""
END_COLUMNS = (
    "user_no", "day_no", "ts", "search_id", "session_id", "keyword_id", "session", "position", "early_first",
    "late_last",
)  # fmt: skip
MOST_USERS = 2 ** (63 - DAY_BITS - LOCAL_BITS)

DAY_SEARCHES = Table(
    "day_searches",
    "Searches with a keyword in the sessions of one day, by user, time and search_id.",
    ("user_id", "ts", "search_id"),
    (
        Column("day_no", "int32", doc="days since 1970-01-01"),
        Column("user_id", "string"),
        Column("ts", "timestamp"),
        Column("search_id", "string"),
        Column("session_id", "string", nullable=True),
        Column("query", "string"),
        Column("device", "string", nullable=True),
        Column("region", "string", nullable=True),
        Column("ads_shown", "int32", nullable=True),
        Column("session", "int32", doc="place among the user's sessions of the day, from 1"),
        Column("position", "int32", doc="number of the user's searches of the day up to here that are no repeats"),
        Column("repeats", "bool"),
        Column("gap", "int32", nullable=True, doc="tenths of a second since the search before in the session"),
        Column("early_first", "bool", doc="the user's first of the day, and near enough to midnight"),
        Column("late_last", "bool", doc="the user's last of the day, and near enough to midnight"),
    ),
)


def place_days(engine: Engine, searches: ir.Table, days: Sequence[date], settings: MiningSettings) -> ir.Table:
    """The searches of the days in sessions, each day by itself: the columns of DAY_SEARCHES with `date` for day_no."""
    wanted = engine.register("wanted_days", pa.table({"date": pa.array(days, pa.date32())}))
    begin, end = (ibis.timestamp(f"{day.isoformat()} 00:00:00") for day in (min(days), max(days) + timedelta(days=1)))
    dated = searches.filter(searches.ts >= begin, searches.ts < end)
    dated = dated.mutate(date=dated.ts.date()).semi_join(wanted, "date")
    texts = engine.collect(dated.select("query").distinct().order_by("query"))["query"]
    normalised = pa.array([normalise(query) for query in texts.to_pylist()], pa.string())
    queries = engine.register("normalised", pa.table({"query": texts, "keyword": normalised}))

    placed = dated.join(queries, "query")
    placed = placed.filter(placed.keyword != "")
    in_order = ibis.window(group_by=[placed.user_id, placed.date], order_by=[placed.ts, placed.search_id])
    limit = settings.session_gap_minutes * MICROSECONDS_A_MINUTE
    placed = placed.select(
        "date", "user_id", "ts", "search_id", "session_id", "query", "device", "region", "ads_shown",
        silence=placed.ts.delta(placed.ts.lag().over(in_order), unit="microsecond"),
        session_changes=(placed.session_id != placed.session_id.lag().over(in_order)).fill_null(False),
        same_keyword=placed.keyword == placed.keyword.lag().over(in_order),
        is_last=placed.ts.lead().over(in_order).isnull(),
    )  # fmt: skip
    midnight = placed.date.cast("timestamp")
    since = placed.ts.delta(midnight, unit="microsecond")
    starts = placed.silence.isnull() | (placed.silence > limit) | placed.session_changes
    placed = placed.mutate(
        starts=starts,
        repeats=~starts & placed.same_keyword,
        early_first=placed.silence.isnull() & (since < limit),
        late_last=placed.is_last & (since >= DAY_MICROSECONDS - limit),
    )
    so_far = ibis.cumulative_window(group_by=[placed.user_id, placed.date], order_by=[placed.ts, placed.search_id])
    return placed.select(
        "date", "user_id", "ts", "search_id", "session_id", "query", "device", "region", "ads_shown", "repeats",
        "early_first", "late_last",
        session=placed.starts.cast("int64").sum().over(so_far).cast("int32"),
        position=(~placed.repeats).cast("int64").sum().over(so_far).cast("int32"),
        gap=placed.starts.ifelse(ibis.null("int64"), placed.silence // GAP_UNIT_MICROSECONDS).cast("int32"),
    )  # fmt: skip


def days_in_order(engine: Engine, placed: ir.Table) -> Iterator[tuple[date, pa.Table]]:
    """What `place_days` gave as rows of DAY_SEARCHES with their day, in order; then its tables are freed."""
    for batch in engine.stream(placed.order_by("date", *DAY_SEARCHES.key)):
        dates = batch["date"].cast(pa.int32())
        whole = pa.table(batch).append_column("day_no", dates)
        for day in pc.unique(dates).to_pylist():
            part = whole.filter(pc.equal(dates, day)).select(DAY_SEARCHES.column_names)
            yield EPOCH + timedelta(days=day), part.cast(DAY_SEARCHES.arrow_schema)
    engine.drop("wanted_days", "normalised")


def join_days(
    engine: Engine, files: Sequence[Path], users: ir.Table, queries: ir.Table, settings: MiningSettings
) -> ir.Table:
    """The searches of all days in their sessions, as `mining.sessions.place_in_sessions` gives them.

    `files` hold rows of DAY_SEARCHES, `users` and `queries` number users and queries as for that function.
    """
    stored = engine.read(DAY_SEARCHES, files)
    first_day = _check_numbers(engine, stored, users)
    rows = stored.join(users, "user_id").join(queries, "query")
    at_midnight = rows.filter(rows.early_first | rows.late_last)
    ends = engine.collect(at_midnight.select(*END_COLUMNS).order_by("user_no", "ts", "search_id"))
    continued = engine.register("continued_days", continued_days(ends, first_day, settings))
    return join_rows(engine, rows, continued, first_day)


def join_rows(engine: Engine, rows: ir.Table, continued: ir.Table, first_day: int) -> ir.Table:
    """Days put together: rows of DAY_SEARCHES with numbered users and queries, and what `continued_days` found."""
    rows = rows.left_join(continued, [rows.user_no == continued.of_user, rows.day_no == continued.of_day])
    goes_on = (rows.session == 1) & rows.root.notnull()
    # The first search of a day begins a session of that day: only if it goes on from the day before is there a gap.
    begins = rows.gap.isnull()
    first = goes_on & begins & rows.early_first
    number = _session_number(rows.user_no, rows.day_no.cast("int64") - first_day, rows.session.cast("int64"))
    position = rows.position.cast("int64")
    first_id = begins & ~first
    return engine.materialise(
        "session_searches",
        rows.select(
            "user_no", "query_id", "keyword_id", "ts", "device", "region", "ads_shown",
            repeats=first.ifelse(rows.first_repeats, rows.repeats),
            first_search_id=first_id.ifelse(rows.search_id, ibis.null("string")),
            session=goes_on.ifelse(rows.root, number),
            position=goes_on.ifelse(position + rows.offset, position).cast("int32"),
            gap=first.ifelse(rows.first_gap, rows.gap).cast("int32"),
        ),
    )  # fmt: skip


def _session_number(user: ir.IntegerValue, day: ir.IntegerValue, place: ir.IntegerValue) -> ir.IntegerValue:
    return (user * 2**DAY_BITS + day) * 2**LOCAL_BITS + place


def _check_numbers(engine: Engine, stored: ir.Table, users: ir.Table) -> int:
    """The first day; raises UsageError where users, days or a user's sessions of a day are more than numbers allow."""
    summary = stored.agg(first=stored.day_no.min(), last=stored.day_no.max(), sessions=stored.session.max())
    row = engine.collect(summary).to_pylist()[0]
    count = engine.collect(users.agg(users=users.count()))["users"][0].as_py()
    if row["first"] is None:
        return 0
    days = row["last"] - row["first"] + 1
    for number, most, what, remedy in (
        (days, 2**DAY_BITS, "days", "Mine fewer with --set window_days=N."),
        (row["sessions"], 2**LOCAL_BITS - 1, "sessions of one user on one day", "Leave that user out of the log."),
        (count, MOST_USERS, "users", "Mine fewer days with --set window_days=N."),
    ):
        if number > most:
            raise UsageError(f"The log has {number:,} {what}; mining by days can number {most:,}.", remedy)
    return int(row["first"])


def continued_days(ends: pa.Table, first_day: int, settings: MiningSettings) -> pa.Table:
    """The days of users whose first session goes on from an earlier day.

    `ends` has the first and last searches of users' days that are near midnight, by user and time. Columns: of_user,
    of_day; root, the number of the session that goes on; offset, which is added to the positions of its searches on
    that day; first_repeats and first_gap of the day's first search.
    """
    user, day, keyword, session, position = (
        ends[name].to_numpy().astype(np.int64) for name in ("user_no", "day_no", "keyword_id", "session", "position")
    )
    ts = ends["ts"].cast(pa.int64()).to_numpy()
    early, late = (ends[name].to_numpy(zero_copy_only=False) for name in ("early_first", "late_last"))
    own_session = ends["session_id"].to_pylist()
    limit = settings.session_gap_minutes * MICROSECONDS_A_MINUTE
    meets = (user[1:] == user[:-1]) & late[:-1] & early[1:] & (day[1:] > day[:-1]) & (ts[1:] - ts[:-1] <= limit)
    found: dict[tuple[int, int], tuple[int, int, bool, int]] = {}
    for before in np.flatnonzero(meets).tolist():
        after = before + 1
        if own_session[before] != own_session[after] and None not in (own_session[before], own_session[after]):
            continue
        place = (int(user[before]), int(day[before]))
        # A first session that itself goes on, and lasts all day, hands its own beginning on.
        if session[before] == 1 and place in found:
            root, offset = found[place][:2]
        else:
            days = int(day[before]) - first_day
            root, offset = ((place[0] << DAY_BITS) + days << LOCAL_BITS) + int(session[before]), 0
        repeats = bool(keyword[before] == keyword[after])
        gap = int(ts[after] - ts[before]) // GAP_UNIT_MICROSECONDS
        found[place[0], int(day[after])] = (root, offset + int(position[before]) - repeats, repeats, gap)
    keys = np.array(list(found), np.int64).reshape(-1, 2)
    roots, offsets, repeated, gaps = zip(*found.values(), strict=True) if found else ((), (), (), ())
    return pa.table(
        {
            "of_user": keys[:, 0],
            "of_day": pa.array(keys[:, 1], pa.int32()),
            "root": pa.array(roots, pa.int64()),
            "offset": pa.array(offsets, pa.int64()),
            "first_repeats": pa.array(repeated, pa.bool_()),
            "first_gap": pa.array(gaps, pa.int32()),
        }
    )
