"""Texts of what a forecast notes and of why a candidate is bought or not, en and zh. Money is shown in whole units."""

from kr.planning.budget_types import CandidateDecision, Decision
from kr.planning.forecast_types import Basis

BASIS_TEXTS: dict[Basis, tuple[str, str]] = {
    Basis.OWN_HISTORY: ("From its own searches and ads", "依据自身的搜索与广告记录"),
    Basis.POOLED: (
        "Seldom searched: mostly from keywords with the same words, so the ranges are wide",
        "搜索较少:主要依据含相同词语的关键词,区间较宽",
    ),
    Basis.NO_HISTORY: ("Never searched in the log: its demand is unknown", "日志中从未被搜索:需求未知"),
}

FORECAST_NOTES: dict[str, tuple[str, str]] = {
    "usual_bid": ("No bid was given: the usual top-of-page bid is taken", "未给出价:按通常的页首出价计算"),
    "no_history": ("Never searched in the log, so nothing is promised", "日志中从未被搜索,无法预测"),
    "few_searches": (
        "Seldom searched: leans on keywords with the same words",
        "搜索较少:参考了含相同词语的关键词",
    ),
    "served_by_others": (
        "Other keywords of the plan serve all its searches",
        "其全部搜索已由计划中的其他关键词承接",
    ),
    "bid_too_low": ("The bid is below the least price of a click", "出价低于最低点击价格"),
}
"""Codes of `KeywordForecast.notes`."""

GOAL_TEXTS: dict[str, tuple[str, str]] = {
    "clicks": ("click", "次点击"),
    "conversions": ("conversion", "次转化"),
    "value_micros": ("unit of value", "单位价值"),
}

_MICROS = 1_000_000


def decision_text(row: CandidateDecision, goal: str, marginal_cost: float | None, language: str = "en") -> str:
    """Why a candidate was bought, or not, with the figures that decide."""
    zh = language == "zh"
    unit = GOAL_TEXTS[goal][1 if zh else 0]
    # One unit of value is a whole one of the currency; its cost is a ratio.
    scale = 1.0 if goal == "value_micros" else _MICROS
    own = None if row.marginal_cost is None else row.marginal_cost / scale
    limit = None if marginal_cost is None else marginal_cost / scale
    if row.decision is Decision.CHOSEN and own is not None:
        if limit is None:
            return f"最后{unit}成本 {own:.2f}" if zh else f"The last {unit} costs {own:.2f}"
        if own > limit * 1.005:
            return (
                f"最后{unit}成本 {own:.2f},用于填满剩余预算"
                if zh
                else f"The last {unit} costs {own:.2f}: it fills the rest of the budget"
            )
        if zh:
            return f"最后{unit}成本 {own:.2f},预算用尽时的价格为 {limit:.2f}"
        return f"The last {unit} costs {own:.2f}; at this budget up to {limit:.2f} is worth paying"
    if row.decision is Decision.TOO_COSTLY and own is not None and limit is not None:
        if zh:
            return f"每{unit}边际成本 {own:.2f},高于 {limit:.2f}"
        return f"Marginal cost per {unit} {own:.2f}, above {limit:.2f}"
    if row.decision is Decision.OVER_BUDGET and own is not None and row.cost_micros is not None:
        cost = row.cost_micros / _MICROS
        if zh:
            return f"每{unit}边际成本 {own:.2f} 可取,但需 {cost:.2f},超出剩余预算"
        return f"Worth it at {own:.2f} per {unit}, but its {cost:.2f} is more than what is left"
    return _PLAIN[row.decision][1 if zh else 0]


_PLAIN: dict[Decision, tuple[str, str]] = {
    Decision.CHOSEN: ("Chosen", "已选"),
    Decision.TOO_COSTLY: ("Costs more than what is chosen", "成本高于已选关键词"),
    Decision.SERVED_BY_OTHERS: ("Chosen keywords serve its searches", "其搜索已由已选关键词承接"),
    Decision.OVER_BUDGET: ("More than what is left of the budget", "超出剩余预算"),
    Decision.NOTHING_EXPECTED: ("Nothing is expected at any bid", "任何出价下都没有预期收益"),
    Decision.NO_HISTORY: ("Never searched in the log: its demand is unknown", "日志中从未被搜索:需求未知"),
}
