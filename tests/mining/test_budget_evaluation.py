"""What the peers of a budget's evaluation get for as much money, in a market simple enough to count by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from indexes.arrays import Array
from mining.budget_evaluation import _peer_value, _row, _scaled_value
from mining.simulator.probing import OUTCOMES
from mining.typed_texts import Bid


class CountedMarket:
    """Each bid gets one click for each 2,000,000 micros that it bids, and pays its bid for each."""

    def outcomes(self, bids: Sequence[Bid], expected: bool = False) -> Array:
        """As an origin's."""
        found = np.zeros((len(bids), len(OUTCOMES)))
        bid = np.array([each.bid_micros for each in bids], np.float64)
        found[:, OUTCOMES.index("clicks")] = bid / 2e6
        found[:, OUTCOMES.index("cost_micros")] = bid / 2e6 * bid
        return found


BIDS = [Bid("a", "EXACT", 4_000_000), Bid("b", "EXACT", 4_000_000), Bid("c", "EXACT", 2_000_000)]
"""They cost 8, 8 and 2 in all, for 2, 2 and 1 clicks."""


@pytest.mark.parametrize(
    ("cost", "clicks"), [(8e6, 2.0), (12e6, 3.0), (17e6, 4.5), (18e6, 5.0), (40e6, 5.0), (0.0, 0.0)]
)
def test_a_list_is_bought_down_until_the_money_is_spent_the_last_in_part(cost: float, clicks: float) -> None:
    assert _peer_value(CountedMarket(), BIDS, cost, "clicks") == pytest.approx(clicks)  # type: ignore[arg-type]


def test_bids_lowered_in_proportion_cost_what_is_asked() -> None:
    # At half the bids all cost a quarter, 4.5, for half the clicks.
    assert _scaled_value(CountedMarket(), BIDS, 4.5e6, "clicks") == pytest.approx(2.5)  # type: ignore[arg-type]


def test_the_ratio_is_of_sums_and_its_interval_holds_it() -> None:
    rows = np.array([[30.0, 10e6, 20.0, 20e6], [10.0, 10e6, 12.0, 10e6]])
    row = _row(("clicks", 0.1, "peer"), rows)
    assert row["ratio"] == 1.25
    assert row["ratio_interval"] == [0.8333, 1.5]
    assert row["spent"] == 0.6667
    assert row["value_per_cost"] == 2.0
