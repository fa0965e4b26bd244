"""Demand follows seasons, weekdays and planted bursts; identifiers and lookups are what plain Python gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.text import normalise
from mining.simulator import columns
from mining.simulator.catalogue import Catalogue, build_catalogue
from mining.simulator.demand import Demand, build_demand, query_popularity
from mining.simulator.market import Market, load_market
from mining.simulator.sizes import DAYS, SIZES, streams
from mining.simulator.spellings import KINDS, SPELLING, build_spellings

MARKET = load_market()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return build_catalogue(MARKET, SIZES["small"], streams(4, "catalogue")["catalogue"])


@pytest.fixture(scope="module")
def demand(catalogue: Catalogue) -> Demand:
    return build_demand(MARKET, catalogue, SIZES["small"], streams(4, "demand")["demand"])


def _mean(demand: Demand, market: Market, product: str, first: int, last: int) -> float:
    return float(demand.by_product_day[market.product(product).number, first:last].mean())


def test_fans_are_wanted_in_summer_and_heaters_in_winter(demand: Demand) -> None:
    july, january = (61, 92), (245, 276)
    assert _mean(demand, MARKET, "fans", *july) > 2 * _mean(demand, MARKET, "fans", *january)
    assert _mean(demand, MARKET, "heaters", *january) > 2 * _mean(demand, MARKET, "heaters", *july)


def test_software_is_wanted_on_working_days(demand: Demand) -> None:
    weekday = np.arange(DAYS) % 7  # the first of May 2023 is a Monday
    software = demand.by_product_day[MARKET.product("crm").number]
    assert software[weekday == 0].mean() > 1.5 * software[weekday >= 5].mean()


def test_a_planted_product_burst_multiplies_the_demand_of_its_days(demand: Demand) -> None:
    bursts = [burst for burst in demand.bursts if burst.query < 0]
    assert bursts
    for burst in bursts:
        days = demand.by_product_day[burst.product]
        # Seven days before and after have the same weekdays; seasons move little in that time.
        around = np.concatenate((days[burst.first - 7 : burst.first], days[burst.last + 1 : burst.last + 8])).mean()
        inside = days[burst.first : burst.last + 1].mean()
        assert inside / around == pytest.approx(burst.factor, rel=0.45)


def test_every_query_is_its_own_keyword_and_stands_once(catalogue: Catalogue) -> None:
    assert len(set(catalogue.text)) == len(catalogue)
    step = 7
    assert [text for text in catalogue.text[::step] if text != normalise(text)] == []


def test_shares_of_needs_and_queries_are_probabilities(catalogue: Catalogue, demand: Demand) -> None:
    groups = catalogue.groups
    half = groups.product.astype(np.int64) * 2 + groups.language
    totals = np.bincount(half, groups.share)
    assert totals[totals > 0] == pytest.approx(1.0)
    assert np.add.reduceat(catalogue.weight, groups.start[:-1]) == pytest.approx(1.0)
    assert query_popularity(catalogue, demand).sum() == pytest.approx(1.0)


def test_drawing_from_a_need_gives_its_queries_by_their_weight(catalogue: Catalogue) -> None:
    group = int(np.argmax(np.diff(catalogue.groups.start)))
    rng = np.random.default_rng(2)
    drawn = catalogue.draw(np.full(200_000, group), rng.random(200_000))
    start, stop = catalogue.groups.start[group : group + 2]
    assert drawn.min() >= start and drawn.max() < stop
    shares = np.bincount(drawn - start, minlength=stop - start) / len(drawn)
    assert shares == pytest.approx(catalogue.weight[start:stop], abs=0.005)


def test_every_form_of_a_query_has_one_meaning(catalogue: Catalogue, demand: Demand) -> None:
    forms = build_spellings(catalogue, query_popularity(catalogue, demand), 3000, np.random.default_rng(1))
    canonical = set(catalogue.text)
    assert len(forms) > 3000
    assert not canonical & set(forms.text) and len(set(forms.text)) == len(forms)
    for text, base, kind in zip(forms.text, forms.base, forms.kind, strict=True):
        keyword = normalise(text)
        assert (keyword == catalogue.text[base]) == (kind == SPELLING), KINDS[kind]
        assert kind == SPELLING or keyword not in canonical


@given(st.lists(st.integers(min_value=0, max_value=10**9 - 1), max_size=50))
def test_numbered_identifiers_are_what_formatting_gives(numbers: list[int]) -> None:
    made = columns.numbered("u", np.array(numbers, dtype=np.int64), 9).to_pylist()
    assert made == [f"u{number:09d}" for number in numbers]


@given(st.lists(st.integers(min_value=0, max_value=30), min_size=1, max_size=60))
def test_looked_up_words_are_those_at_the_positions(codes: list[int]) -> None:
    import pyarrow as pa

    words = [f"word {number}" for number in range(31)]
    made = columns.looked_up(np.array(codes), pa.array(words))
    assert made.to_pylist() == [words[code] for code in codes]


@given(st.lists(st.integers(min_value=0, max_value=5 * 10**6), min_size=1, max_size=60))
def test_addresses_are_equal_exactly_for_equal_numbers(numbers: list[int]) -> None:
    made = columns.addresses(np.array(numbers)).to_pylist()
    assert len(set(made)) == len(set(numbers))
    assert all(address.startswith("10.") and address.count(".") == 3 for address in made)
