"""What a bid gets on result pages, against one auction after the other in plain Python, and drawn least prices."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexes.arrays import Array
from indexes.auction_landscape import SLOTS, least_price_up_to, page_curves

SLOT_RATES = np.array([0.06, 0.04, 0.03, 0.02, 0.01, 0.008, 0.005, 0.003])
BIDS = st.floats(1e4, 1e7)
PAGES = st.lists(BIDS, max_size=SLOTS).map(lambda bids: sorted(bids, reverse=True) + [0.0] * (SLOTS - len(bids)))
FLOORS = st.floats(5e4, 2e6)
SPREADS = st.floats(0.05, 0.8)


def curves(page: list[float], floor: float, spread: float, bid: float) -> Array:
    floors, spreads, bids = (np.array([value]) for value in (floor, spread, bid))
    found: Array = page_curves(np.array([page]), np.zeros(1, np.int64), floors, spreads, bids, SLOT_RATES)[0]
    return found


def one_auction(page: list[float], floor: float, bid: float) -> list[float]:
    above = [other for other in page if other > bid]
    if bid < floor or len(above) == SLOTS:
        return [0.0, 0.0, 0.0, 0.0]
    slot = len(above)
    price = max(page[slot], floor)
    return [1.0, SLOT_RATES[slot], SLOT_RATES[slot] * price, slot + 1.0]


@given(PAGES, FLOORS, BIDS)
def test_where_the_least_price_is_known_a_bid_gets_what_one_auction_gives(
    page: list[float], floor: float, bid: float
) -> None:
    assert np.allclose(curves(page, floor, 0.0, bid), one_auction(page, floor, bid))


@given(PAGES, FLOORS, SPREADS, BIDS)
def test_where_it_is_not_known_a_bid_gets_the_average_over_what_it_may_be(
    page: list[float], floor: float, spread: float, bid: float
) -> None:
    # Least prices of equal probability stand for draws: the same average without luck.
    drawn = np.random.default_rng(3).permutation(np.random.default_rng(4).normal(size=4000))
    drawn = (drawn - drawn.mean()) / drawn.std()
    floors = floor * np.exp(spread * drawn - spread**2 / 2)
    average = np.mean([one_auction(page, each, bid) for each in floors.tolist()], axis=0)
    found = curves(page, floor, spread, bid)
    assert np.allclose(found[[0, 1, 3]], average[[0, 1, 3]], atol=0.04 * SLOTS)
    assert abs(found[0] - average[0]) < 0.03 and abs(found[2] - average[2]) < 0.04 * 0.06 * max(floor, bid)


@given(PAGES, FLOORS, st.floats(0.0, 0.8), BIDS, st.floats(1.0, 3.0))
def test_a_higher_bid_never_gets_less_nor_pays_more_than_itself(
    page: list[float], floor: float, spread: float, bid: float, factor: float
) -> None:
    low, high = (curves(page, floor, spread, each) for each in (bid, bid * factor))
    assert (high[:3] >= low[:3] - 1e-9 * (1 + np.abs(low[:3]))).all()
    assert low[2] <= low[1] * bid * (1 + 1e-9)


@given(FLOORS, SPREADS)
def test_the_mean_of_the_least_price_is_the_one_given(floor: float, spread: float) -> None:
    chance, mean = least_price_up_to(np.array([0.0, 1e15]), np.full(2, floor), np.full(2, spread))
    assert np.allclose(chance, [0.0, 1.0]) and np.allclose(mean, [0.0, floor])


@given(FLOORS, SPREADS, st.floats(1.01, 1.5))
def test_the_less_a_least_price_is_known_the_nearer_to_even_is_the_chance_beside_it(
    floor: float, spread: float, ratio: float
) -> None:
    median = floor * np.exp(-np.square([spread, spread / 2]) / 2)
    chances, _ = least_price_up_to(median * ratio, np.full(2, floor), np.array([spread, spread / 2]))
    assert 0.5 < chances[0] <= chances[1]
