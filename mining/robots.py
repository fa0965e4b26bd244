"""Users that behave like robots (SPEC §1.1), who are set aside from every statistic.

Three signs, each enough: more searches on one day than people make; gaps between searches as regular as a clock's
(standard deviation / mean; people's gaps vary about as much as their mean); many searches a day and hardly a click.
The last is not judged where the log has no clicks.
"""

import ibis
import ibis.expr.types as ir

from mining.engines import Engine
from mining.settings import MiningSettings


def find_robots(
    engine: Engine, session_searches: ir.Table, users: ir.Table, clicks: ir.Table | None, settings: MiningSettings
) -> ir.Table:
    """The robots, with the columns of the mined table robot_users and user_no; `clicks` is None if the log has none."""
    searches = session_searches
    gap = searches.gap.cast("int64")
    days = engine.materialise(
        "user_days",
        searches.group_by("user_no", day=searches.ts.date()).agg(
            searches=searches.count(), gaps=gap.count(), gap_sum=gap.sum(), gap_square_sum=(gap * gap).sum()
        ),
    )
    behaviour = days.group_by("user_no").agg(
        searches=days.searches.sum(),
        active_days=days.count(),
        busiest_day_searches=days.searches.max(),
        gaps=days.gaps.sum(),
        gap_sum=days.gap_sum.sum(),
        gap_square_sum=days.gap_square_sum.sum(),
    )
    behaviour = behaviour.join(users, "user_no")
    if clicks is None:
        behaviour = behaviour.mutate(clicks=ibis.null("int64"))
    else:
        clicked = clicks.group_by("user_id").agg(clicks=clicks.count())
        behaviour = behaviour.left_join(clicked, "user_id").drop("user_id_right")
        behaviour = behaviour.mutate(clicks=behaviour.clicks.fill_null(0))
    # The sums are integers, so the variation is the same however the rows were added.
    mean = behaviour.gap_sum.cast("float64") / behaviour.gaps
    variance = behaviour.gap_square_sum.cast("float64") / behaviour.gaps - mean * mean
    behaviour = behaviour.mutate(
        gap_variation=(behaviour.gap_sum > 0).ifelse(
            ibis.greatest(variance, 0.0).sqrt() / mean, (behaviour.gaps > 0).ifelse(0.0, ibis.null("float64"))
        )
    )
    behaviour = behaviour.mutate(
        too_many_searches=behaviour.busiest_day_searches > settings.robot_daily_searches,
        regular_gaps=(
            (behaviour.gaps >= settings.robot_regular_gaps) & (behaviour.gap_variation < settings.robot_gap_variation)
        ).fill_null(False),
        no_clicks=(
            (behaviour.searches > settings.robot_clickless_daily_searches * behaviour.active_days)
            & (behaviour.clicks < settings.robot_click_rate * behaviour.searches.cast("float64"))
        ).fill_null(False),
    )
    robots = behaviour.filter(behaviour.too_many_searches | behaviour.regular_gaps | behaviour.no_clicks)
    return engine.materialise(
        "robot_users",
        robots.select(
            "user_no", "user_id", "searches", "active_days", "busiest_day_searches", "gap_variation", "clicks",
            "too_many_searches", "regular_gaps", "no_clicks",
        ),
    )  # fmt: skip
