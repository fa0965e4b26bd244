"""What a whole result is made of, its groups, the finer filters, and which filter to relax."""

from collections import Counter
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.text import tokens
from kr.facets import Facets
from kr.grouping import LEAST_IN_GROUP, group_names, known_terms, shared_terms
from kr.planning.intents import Intent, IntentReader
from kr.relaxations import ALL, RELAXABLE, Relaxation, relaxations
from kr.reply import Reply
from kr.seeds import parse_seeds
from kr.service import KeywordService
from kr.settings import Settings
from kr.types import Filters, Request


@pytest.fixture(scope="module")
def service(small_store: Path) -> KeywordService:
    return KeywordService.open(Settings(store=small_store))


def ask(service: KeywordService, *seeds: str, filters: Filters | None = None, **more: object) -> Reply:
    request = Request(parse_seeds(seeds, service.settings), filters or Filters(), **more)  # type: ignore[arg-type]
    return service.keyword_ideas(request, facets=True)


def intent_of(service: KeywordService, text: str) -> Intent:
    return IntentReader(service.indexes).intent(text)


def counted(reply: Reply) -> Facets:
    assert reply.facets is not None
    return reply.facets


def whole(service: KeywordService, *seeds: str, filters: Filters | None = None) -> Reply:
    return ask(service, *seeds, filters=filters, limit=service.settings.max_rows)


def test_facets_count_all_rows_whichever_page_is_shown(service: KeywordService) -> None:
    everything = whole(service, "鲜花")
    second = ask(service, "鲜花", limit=10, offset=10)
    assert counted(everything) == counted(second) and counted(second).rows == second.total > 20
    assert [row["text"] for row in second.rows] == [row["text"] for row in everything.rows[10:20]]


def test_facets_change_nothing_of_the_rows_or_the_explanation(service: KeywordService) -> None:
    request = Request(("flower delivery",), limit=20, offset=5, explain=True)
    plain, faceted = service.keyword_ideas(request), service.keyword_ideas(request, facets=True)
    told = [{name: value for name, value in row.items() if name not in ("group", "intent")} for row in faceted.rows]
    assert told == list(plain.rows)
    assert faceted.explain == plain.explain and faceted.total == plain.total


def test_intents_languages_and_competition_are_counted_row_by_row(service: KeywordService) -> None:
    reply = whole(service, "鲜花", "flower delivery")
    facets = counted(reply)
    assert {each.value: each.count for each in facets.intents} == Counter(
        intent_of(service, row["text"]).value for row in reply.rows
    )
    assert {each.value: each.count for each in facets.languages} == Counter(row["language"] for row in reply.rows)
    levels = Counter(row["competition"] or "UNKNOWN" for row in reply.rows)
    assert {each.value: each.count for each in facets.competition} == levels


def test_a_words_count_is_what_choosing_or_excluding_it_leaves(service: KeywordService) -> None:
    reply = whole(service, "鲜花")
    for word in counted(reply).words[:5]:
        holding = {row["text"] for row in reply.rows if word.value in row["text"]}
        assert len(holding) == word.count
        chosen = whole(service, "鲜花", filters=Filters(must_contain=(word.value,)))
        assert holding <= {row["text"] for row in chosen.rows}
        without = whole(service, "鲜花", filters=Filters(must_not_contain=(word.value,)))
        assert not holding & {row["text"] for row in without.rows}


def test_the_words_of_the_search_are_no_facet(service: KeywordService) -> None:
    facets = counted(whole(service, "flower delivery"))
    assert not {"flower", "delivery"} & {each.value for each in (*facets.words, *facets.groups)}
    assert all(len(each.value) > 1 and each.count < facets.rows for each in facets.words)


def test_each_row_has_the_group_under_which_it_is_counted(service: KeywordService) -> None:
    reply = whole(service, "鲜花")
    groups = Counter(row["group"] for row in reply.rows if row["group"])
    for each in counted(reply).groups:
        assert groups[each.value] == each.count
    only = whole(service, "鲜花", filters=Filters(groups=(counted(reply).groups[0].value,)))
    assert {row["text"] for row in only.rows} == {
        row["text"] for row in reply.rows if row["group"] == counted(reply).groups[0].value
    }


def test_a_group_that_does_not_exist_holds_nothing(service: KeywordService) -> None:
    assert ask(service, "鲜花", filters=Filters(groups=("no such word",))).total == 0


def test_groups_equal_a_plain_reading_of_the_keywords(service: KeywordService) -> None:
    indexes = service.indexes
    ids = np.arange(0, min(len(indexes.keywords), 400), dtype=np.int32)
    request = Request(("flower delivery", "鲜花"))
    known = set(known_terms(indexes, request).tolist())
    held = [
        {term for term in indexes.token_ids(tokens(text)) if term not in known and len(indexes.terms[term]) > 1}
        for text in indexes.keywords.take(ids)
    ]
    counts = Counter(term for terms in held for term in terms)
    expected = []
    for terms in held:
        enough = [term for term in terms if counts[term] >= LEAST_IN_GROUP]
        best = min(enough, key=lambda term: (-counts[term], term), default=None)
        expected.append(None if best is None else indexes.terms[best])
    assert group_names(indexes, shared_terms(indexes, request, ids)) == expected


@pytest.mark.parametrize(
    ("filters", "column", "wanted"),
    [(Filters(match_types=("EXACT",)), "suggested_match_type", "EXACT")],
)
def test_a_match_type_leaves_the_rows_that_suggest_it(
    service: KeywordService, filters: Filters, column: str, wanted: str
) -> None:
    everything, left = whole(service, "鲜花"), whole(service, "鲜花", filters=filters)
    assert {row["text"] for row in left.rows} == {row["text"] for row in everything.rows if row[column] == wanted}


def test_an_intent_leaves_the_rows_of_that_intent(service: KeywordService) -> None:
    everything = whole(service, "鲜花")
    left = whole(service, "鲜花", filters=Filters(intents=("informational", "commercial")))
    wanted = {
        row["text"] for row in everything.rows if intent_of(service, row["text"]) in ("informational", "commercial")
    }
    assert {row["text"] for row in left.rows} == wanted and wanted


def test_filters_that_leave_nothing_say_what_each_relaxation_brings(service: KeywordService) -> None:
    strict = Filters(min_searches=10**9, must_contain=("鲜花",), intents=("general",))
    reply = ask(service, "鲜花", filters=strict)
    assert reply.total == 0
    single = next(each for each in reply.relaxations if each.filter == "min_searches")
    relaxed = ask(service, "鲜花", filters=Filters(must_contain=("鲜花",), intents=("general",)))
    assert single.total == relaxed.total > 0
    assert reply.relaxations[-1] == Relaxation(ALL, ask(service, "鲜花").total)


def test_a_search_with_rows_names_nothing_to_relax(service: KeywordService) -> None:
    assert not ask(service, "鲜花", filters=Filters(min_searches=1)).relaxations


@given(st.sets(st.sampled_from(RELAXABLE), min_size=1, max_size=4), st.sets(st.sampled_from(RELAXABLE)))
def test_only_what_brings_rows_is_offered_to_be_relaxed(active: set[str], blocking: set[str]) -> None:
    """`total_of` here: a search has rows as soon as no blocking filter is left."""
    values = {"min_searches": 1, "max_searches": 1, "min_bid_micros": 1, "max_bid_micros": 1}
    filters = Filters(**{name: values.get(name, ("x",)) for name in active})
    none = Filters()

    def total_of(request: Request) -> int:
        left = {
            field.name for field in fields(Filters) if getattr(request.filters, field.name) != getattr(none, field.name)
        }
        return 0 if left & blocking else 7

    offered = {each.filter for each in relaxations(Request(("q",), filters), total_of)}
    assert offered - {ALL} == {name for name in active if not (active - {name}) & blocking}
    assert (ALL in offered) == (len(active) > 1)
