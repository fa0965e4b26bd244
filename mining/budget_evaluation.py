"""What a set chosen under a budget brings in held-out weeks of a simulated market, beside rules of thumb.

Candidates are drawn in proportion to their searches, half of them exact, the others phrase and broad, so that many
share queries. Budgets are shares of what all of them would cost at the usual top-of-page bids. Each peer buys down its
own list, at these bids, until it has spent what KR's set spent in the held-out weeks, so that value for the same money
is compared; one peer instead buys all and lowers every bid in proportion until that is what it spends. Clicks and
orders count by their expectation, so that luck does not decide.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array
from mining.build_tables import numbers
from mining.forecast_experiment import Experiment, Origin
from mining.simulator.probing import OUTCOMES
from mining.typed_texts import Bid

POOLS = 6
"""Sets of candidates an origin."""
CANDIDATES = 400
MATCH_SHARES = {"EXACT": 0.5, "PHRASE": 0.25, "BROAD": 0.25}
BUDGET_SHARES = (0.1, 0.3)
"""Budgets, as shares of what all candidates would cost at the usual bids, by their forecast."""
GOALS = ("clicks", "value_micros")
BY_SEARCHES, BY_VALUE, BY_RATE, GREEDY, SCALED = PEERS = (
    "top N by searches",
    "top N by value",
    "top N by CTR · value",
    "greedy by value per cost, overlap ignored",
    "all, bids lowered in proportion",
)
"""What each list is ordered by. Value is what the goal counts: searches · CTR (· value of a click); cost is that of a
click (its value aside, where the goal is clicks)."""
SCALE_STEPS = 8
"""Steps an octave in which bids are lowered."""
LEAST_BID = 10_000
SEED = 20240701
RESAMPLES = 2000


Found = dict[tuple[str, float, str], list[tuple[float, float, float, float]]]
"""By goal, share of the budget and peer: KR's value and cost, the peer's value, and the budget, of each set."""


def evaluate_budget(logs: Path, truth: Path, origins: int, manage: Sequence[str]) -> list[dict[str, Any]]:
    """A row a goal, budget and peer: sets, KR's and the peer's value for the same money, and their ratio with a 95 %
    bootstrap interval over sets; `spent` is what KR's set cost of its budget."""
    experiment = Experiment(logs, truth, origins, manage)
    found: Found = {}
    for origin in experiment.origins():
        judge_origin(origin, found)
    return rows_of(found)


def judge_origin(origin: Origin, found: Found) -> None:
    """Add the sets chosen at one origin, and what they brought."""
    market = _Market(origin)
    generator = np.random.default_rng(SEED + origin.number)
    for _ in range(POOLS):
        candidates = market.candidates(generator)
        everything = origin.forecast(candidates)["total"]["cost_micros"]["mean"]
        for goal in GOALS:
            for share in BUDGET_SHARES:
                budget = max(round(everything * share), 10_000)
                own = _value(origin, _chosen(origin, candidates, budget, goal), goal)
                for peer in PEERS:
                    if peer == SCALED:
                        other = _scaled_value(origin, candidates, own[1], goal)
                    else:
                        other = _peer_value(origin, market.ranked(candidates, peer, goal), own[1], goal)
                    found.setdefault((goal, share, peer), []).append((*own, other, budget))


def rows_of(found: Found) -> list[dict[str, Any]]:
    """See `evaluate_budget`."""
    return [_row(key, np.array(rows)) for key, rows in found.items()]


def _chosen(origin: Origin, candidates: Sequence[Bid], budget: int, goal: str) -> list[Bid]:
    rows = origin.choose(candidates, budget, goal)["keywords"]
    return [
        Bid(bid.text, bid.match_type, row["bid_micros"])
        for bid, row in zip(candidates, rows, strict=True)
        if row["decision"] == "chosen"
    ]


def _value(origin: Origin, bids: Sequence[Bid], goal: str) -> tuple[float, float]:
    """Value and cost of a set in the held-out weeks."""
    if not bids:
        return 0.0, 0.0
    totals = origin.outcomes(bids, expected=True).sum(axis=0)
    return float(totals[OUTCOMES.index(goal)]), float(totals[OUTCOMES.index("cost_micros")])


def _peer_value(origin: Origin, ranked: Sequence[Bid], cost: float, goal: str) -> float:
    """What the first of a list bring for so much money, the last one in part."""
    low, high = 0, len(ranked)
    while high - low > 1:
        middle = (low + high) // 2
        if _value(origin, ranked[:middle], goal)[1] <= cost:
            low = middle
        else:
            high = middle
    return _between(_value(origin, ranked[:low], goal), _value(origin, ranked[:high], goal), cost)


def _scaled_value(origin: Origin, candidates: Sequence[Bid], cost: float, goal: str) -> float:
    """What all candidates bring for so much money with their bids in one proportion to the usual ones."""

    def at(step: int) -> tuple[float, float]:
        part = 2.0 ** (step / SCALE_STEPS)
        scaled = [replace(bid, bid_micros=max(round(bid.bid_micros * part), LEAST_BID)) for bid in candidates]
        return _value(origin, scaled, goal)

    low, high = -8 * SCALE_STEPS, 3 * SCALE_STEPS
    while high - low > 1:
        middle = (low + high) // 2
        if at(middle)[1] <= cost:
            low = middle
        else:
            high = middle
    return _between(at(low), at(high), cost)


def _between(under: tuple[float, float], over: tuple[float, float], cost: float) -> float:
    """The value at a cost, on the line between two sets' values and costs."""
    part = (cost - under[1]) / (over[1] - under[1]) if over[1] > under[1] else 0.0
    return under[0] + min(max(part, 0.0), 1.0) * (over[0] - under[0])


class _Market:
    """What the log says of keywords by the usual reports: searches, CTR, value of a click, top-of-page bid."""

    def __init__(self, origin: Origin) -> None:
        known = origin.experiment.row_of
        texts: list[str] = []
        columns: dict[str, list[Array]] = {"searches": [], "ad_impressions": [], "ad_clicks": [], "bid": []}
        for batch in origin.mined.batches(
            "keyword_statistics",
            ["searches", "ad_impressions", "ad_clicks", "high_top_of_page_bid_micros"],
            ["keyword"],
        ):
            texts += batch["keyword"].to_pylist()
            for name in ("searches", "ad_impressions", "ad_clicks"):
                columns[name].append(numbers(batch[name], 0).astype(np.float64))
            columns["bid"].append(numbers(batch["high_top_of_page_bid_micros"], -1).astype(np.float64))
        table = {name: np.concatenate(parts) for name, parts in columns.items()}
        self.row = {text: row for row, text in enumerate(texts)}
        spent = np.zeros((len(texts), 3))
        for batch in origin.mined.batches("keyword_weeks", ["clicks", "value_micros", "cost_micros"], ["keyword"]):
            rows = np.array([self.row[text] for text in batch["keyword"].to_pylist()], np.int64)
            for column, name in enumerate(("clicks", "value_micros", "cost_micros")):
                spent[:, column] += np.bincount(rows, numbers(batch[name], 0), len(texts))
        clicks, worth, cost = spent.T
        market_ctr = table["ad_clicks"].sum() / max(table["ad_impressions"].sum(), 1.0)
        in_all = np.maximum(spent.sum(axis=0), 1.0)
        # Rates of few events are drawn to the market's, as any report reader would.
        self.ctr = (table["ad_clicks"] + 50 * market_ctr) / (table["ad_impressions"] + 50)
        self.click_value = (worth + 20 * in_all[1] / in_all[0]) / (clicks + 20)
        self.click_cost = (cost + 20 * in_all[2] / in_all[0]) / (clicks + 20)
        self.searches = table["searches"]
        self.bid = np.where(table["bid"] > 0, table["bid"], self.click_cost)
        self._texts = [text for text in texts if text in known]

    def candidates(self, generator: np.random.Generator) -> list[Bid]:
        """Candidates of one set."""
        searches = np.array([self.searches[self.row[text]] for text in self._texts])
        count = min(CANDIDATES, int((searches > 0).sum()))
        drawn = np.sort(generator.choice(len(self._texts), count, replace=False, p=searches / searches.sum()))
        types = generator.choice(list(MATCH_SHARES), count, p=list(MATCH_SHARES.values()))
        return [
            Bid(self._texts[place], match_type, round(float(self.bid[self.row[self._texts[place]]])))
            for place, match_type in zip(drawn.tolist(), types.tolist(), strict=True)
        ]

    def ranked(self, candidates: Sequence[Bid], peer: str, goal: str) -> list[Bid]:
        """The candidates as a rule of thumb orders them, at the usual bids."""
        rows = np.array([self.row[bid.text] for bid in candidates], np.int64)
        of_click = self.click_value[rows] if goal == "value_micros" else np.ones(len(rows))
        worth = {
            BY_SEARCHES: self.searches[rows],
            BY_VALUE: self.searches[rows] * self.ctr[rows] * of_click,
            BY_RATE: self.ctr[rows] * self.click_value[rows],
            GREEDY: of_click / self.click_cost[rows],
        }[peer]
        order = sorted(range(len(candidates)), key=lambda place: (-worth[place], candidates[place].text))
        return [candidates[place] for place in order]


def _row(key: tuple[str, float, str], rows: Array) -> dict[str, Any]:
    goal, share, peer = key
    value, cost, other, budget = rows.T
    generator = np.random.default_rng(SEED)
    ratios = []
    for _ in range(RESAMPLES):
        drawn = generator.integers(0, len(rows), len(rows))
        ratios.append(value[drawn].sum() / max(float(other[drawn].sum()), 1e-9))
    return {
        "system": peer,
        "goal": goal.removesuffix("_micros"),
        "budget_share": share,
        "sets": len(rows),
        "value_per_cost": round(float(value.sum() / cost.sum() * (1 if goal == "value_micros" else 1e6)), 4),
        "peer_value_per_cost": round(float(other.sum() / cost.sum() * (1 if goal == "value_micros" else 1e6)), 4),
        "ratio": round(float(value.sum() / max(float(other.sum()), 1e-9)), 4),
        "ratio_interval": [round(float(each), 4) for each in np.quantile(ratios, [0.025, 0.975])],
        "spent": round(float(cost.sum() / budget.sum()), 4),
    }


COLUMNS = ("goal", "budget_share", "sets", "value_per_cost", "peer_value_per_cost", "ratio", "spent")
