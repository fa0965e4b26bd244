"""The form reads any address without failing, and writes addresses that read back as the same search."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from kr.settings import Settings
from kr.types import Filters
from webui.limits import COMPETITIONS, LANGUAGES, ROWS_PER_PAGE, SORT_COLUMNS
from webui.search_form import SearchForm, read_search_form

SETTINGS = Settings()
NAMES = (
    "q", "min_searches", "max_searches", "min_bid", "max_bid", "competition", "languages", "contain", "not_contain",
    "sort", "rows", "page", "t", "explain", "lang",
)  # fmt: skip
anything = st.lists(st.tuples(st.sampled_from(NAMES), st.text(max_size=300) | st.from_regex(r"-?[0-9.e]{1,12}")))


def read(pairs: list[tuple[str, str]]) -> SearchForm:
    application = Flask("empty")
    from flask_babel import Babel

    Babel(application)
    with application.test_request_context():
        return read_search_form(MultiDict(pairs), 25, SETTINGS)


@given(anything)
def test_any_address_is_read_and_either_has_a_message_or_makes_a_request(pairs: list[tuple[str, str]]) -> None:
    form = read(pairs)
    if not form.errors:
        request = form.request()
        assert 0 <= request.offset <= request.offset + request.limit <= SETTINGS.max_rows
        assert len(request.seeds) <= SETTINGS.max_seeds
        assert request.sort.removeprefix("-") in (*SORT_COLUMNS, "rank")
        assert all(request.filters.must_not_contain)


numbers = st.none() | st.integers(0, 10**9)
searches = st.fixed_dictionaries(
    {
        "q": st.sampled_from(["鲜花", "鲜花, flowers", "a、b;c"]),
        "sort": st.sampled_from(["rank", "-searches", "keyword"]),
        "rows": st.sampled_from(ROWS_PER_PAGE),
        "page": st.integers(1, 50),
        "competition": st.lists(st.sampled_from(COMPETITIONS)),
        "languages": st.lists(st.sampled_from(LANGUAGES)),
        "min_searches": numbers,
        "min_bid": numbers,
        "contain": st.sampled_from(["", "北京", "北京 上海"]),
        "t": st.sampled_from(["", "0", "0.25", "1", str(SETTINGS.quality_weight)]),
        "explain": st.sampled_from(["", "1"]),
    }
)


@given(searches)
def test_an_address_reads_back_as_the_same_search(fields: dict) -> None:
    pairs = []
    for name, value in fields.items():
        values = value if isinstance(value, list) else [value]
        pairs += [(name, str(item)) for item in values if item is not None]
    form = read(pairs)
    assert not form.errors
    address = form.address()
    again = read([(n, str(v)) for n, vs in address.items() for v in (vs if isinstance(vs, list) else [vs])])
    assert again.request() == form.request()
    assert again.address() == address


@pytest.mark.parametrize(
    ("query", "seeds"),
    [
        ("鲜花", ("鲜花",)),
        ("ＦＬＯＷＥＲＳ，鲜花、roses;roses\nTulips", ("flowers", "鲜花", "roses", "tulips")),
        (" , ，", ()),
        ("flower   delivery", ("flower delivery",)),
    ],
)
def test_commas_of_both_languages_separate_seeds_and_repeats_count_once(query: str, seeds: tuple[str, ...]) -> None:
    assert read([("q", query)]).seeds == seeds


def test_bids_are_typed_in_units_of_the_currency_and_asked_in_micros() -> None:
    form = read([("q", "x"), ("min_bid", "0.8"), ("max_bid", "１２．５")])
    assert form.filters == Filters(min_bid_micros=800_000, max_bid_micros=12_500_000)


def test_a_change_of_the_search_starts_again_at_the_first_page() -> None:
    form = read([("q", "x"), ("page", "3")])
    assert form.address()["page"] == 3
    assert "page" not in form.address(sort="-searches")
    assert form.address(page=4)["page"] == 4 and "page" not in form.address(page=1)


def test_the_dial_at_its_default_is_no_wish() -> None:
    assert read([("q", "x"), ("t", str(SETTINGS.quality_weight))]).request().parameters == {}
    assert read([("q", "x"), ("t", "0.5")]).request().parameters == {"t": 0.5}
