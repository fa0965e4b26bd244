"""The caller's filters: asked inside retrieval, so that what passes is found however far down it stands."""

from pathlib import Path

import pytest

from indexes.errors import UsageError
from indexes.opened import Indexes
from kr.reasons import Removal
from kr.retrieval.filters import FilterCompiler, RequestFilters
from kr.retrieval.token_match import TokenMatchSource
from kr.types import Filters, Request


@pytest.fixture(scope="module")
def indexes(tiny_store: Path) -> Indexes:
    return Indexes.open(tiny_store)


def found(indexes: Indexes, filters: Filters, most: int) -> list[str]:
    source = TokenMatchSource(indexes, most, FilterCompiler(indexes))
    return indexes.keywords.take(source.retrieve(Request(("鲜花",), filters)).keyword_id)


def test_what_passes_is_found_beyond_the_best_of_all(indexes: Indexes) -> None:
    best = found(indexes, Filters(), 1)
    passing = found(indexes, Filters(must_not_contain=tuple(best)), 1000)
    assert len(best) == 1
    beyond = next(text for text in passing if not any(text in other for other in passing if other != text))
    assert beyond not in best
    assert beyond in found(indexes, Filters(must_contain=(beyond,)), 1)


def test_the_best_that_a_filter_removes_are_still_told_by_its_stage(indexes: Indexes) -> None:
    filters = Filters(min_searches=10**9)
    request = Request(("鲜花",), filters)
    compiler = FilterCompiler(indexes)
    candidates = TokenMatchSource(indexes, 1000, compiler).retrieve(request)
    result = RequestFilters(compiler).run(request, candidates)
    assert len(candidates) == len(result.removed) > 0
    assert set(result.removal_codes.tolist()) == {Removal.FILTER_SEARCHES}


def test_devices_and_regions_keep_what_was_searched_there(indexes: Indexes) -> None:
    for kind, names, column in (
        ("devices", indexes.devices, indexes.stats.searches_by_device),
        ("regions", indexes.regions, indexes.stats.searches_by_region),
    ):
        for place, name in enumerate(names):
            keyword_filter = FilterCompiler(indexes).compiled(Filters(**{kind: (name,)}))
            assert keyword_filter is not None
            everyone = list(range(len(indexes.keywords)))
            expected = [row for row in everyone if column[row][place] > 0]
            ids = indexes.postings.most_searched(len(everyone), keyword_filter)[0]
            assert sorted(ids.tolist()) == expected


def test_a_device_or_region_that_the_log_does_not_have_is_refused_by_name(indexes: Indexes) -> None:
    for filters in (Filters(devices=("toaster",)), Filters(regions=("Atlantis",))):
        with pytest.raises(UsageError, match=r"“(toaster|Atlantis)”\. Name one of: "):
            FilterCompiler(indexes).compiled(filters)


def test_the_same_filters_are_compiled_once(indexes: Indexes) -> None:
    compiler = FilterCompiler(indexes)
    assert compiler.compiled(Filters(min_searches=5)) is compiler.compiled(Filters(min_searches=5))
    assert compiler.compiled(Filters()) is None


def test_what_one_has_and_what_one_dismissed_is_left_out_with_its_close_variants(indexes: Indexes) -> None:
    filters = Filters(owned=("鲜花速递", "nobody searched this"), dismissed=("鲜花店",))
    request = Request(("鲜花",), filters)
    compiler = FilterCompiler(indexes)
    everything = TokenMatchSource(indexes, 1000, compiler).retrieve(Request(("鲜花",)))
    result = RequestFilters(compiler).run(request, everything)
    gone = dict(zip(indexes.keywords.take(result.removed.keyword_id), result.removal_codes.tolist(), strict=True))
    assert gone["鲜花店"] == Removal.DISMISSED
    assert gone["鲜花速递"] == gone["速递鲜花"] == gone["鮮花速遞"] == Removal.OWNED
    assert len(gone) == 4
