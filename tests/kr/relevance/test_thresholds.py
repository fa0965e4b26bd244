"""Thresholds of admission: chosen on out-of-fold scores, kept with the model, and which one is in force."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kr.relevance.admission import bar_for
from kr.relevance.card import card_text
from kr.relevance.commands import evaluate_relevance
from kr.relevance.model import RelevanceModel
from kr.relevance.thresholds import BARS, LEAST_SUPPORT, Threshold, Use, admission_at, choose_thresholds
from kr.service import KeywordService
from kr.settings import MIN_RELEVANCE, MIN_RELEVANCE_RELATED, Settings
from kr.types import Request

scored = st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.integers(0, 4)), min_size=1, max_size=200).filter(
    lambda rows: any(positive for _, positive, _ in rows)
)


def chosen_for(scores: np.ndarray, positive: np.ndarray) -> dict[Use, Threshold]:
    return choose_thresholds(scores, positive, np.arange(len(scores)))


@given(scored)
def test_what_a_threshold_says_of_itself_is_what_a_count_gives(rows: list[tuple[float, bool, int]]) -> None:
    relevance, positive, groups = (np.array(column) for column in zip(*rows, strict=True))
    for threshold in choose_thresholds(relevance, positive, groups).values():
        admitted = [good for score, good, _ in rows if score >= threshold.bar]
        assert threshold.admitted == len(admitted)
        assert threshold.precision == (pytest.approx(np.mean(admitted)) if admitted else None)
        assert threshold.recall == pytest.approx(sum(admitted) / positive.sum())


@given(scored)
def test_related_searches_never_admit_what_keyword_search_does_not(rows: list[tuple[float, bool, int]]) -> None:
    chosen = choose_thresholds(*(np.array(column) for column in zip(*rows, strict=True)))
    assert chosen[Use.RELATED_SEARCHES].bar >= chosen[Use.KEYWORD_SEARCH].bar


def test_keyword_search_takes_the_highest_bar_that_keeps_95_percent_of_the_positives() -> None:
    generator = np.random.default_rng(1)
    positive = np.arange(2000) % 2 == 0
    scores = np.clip(generator.normal(np.where(positive, 0.7, 0.3), 0.15), 0, 1)
    threshold = chosen_for(scores, positive)[Use.KEYWORD_SEARCH]
    kept = [float(np.mean(scores[positive] >= bar)) for bar in BARS]
    assert threshold.bar == BARS[max(place for place, share in enumerate(kept) if share >= 0.95)]
    assert threshold.reached and threshold.precision > 0.5
    low, high = threshold.recall_interval
    assert low <= threshold.recall <= high and high - low < 0.05


def test_keyword_search_gives_up_recall_before_it_shows_more_wrong_than_right() -> None:
    # 5 positives of 100 score low among as many negatives as there are: keeping them would cost all precision.
    scores = np.concatenate([np.full(90, 0.8), np.full(10, 0.1), np.full(900, 0.1), np.full(20, 0.8)])
    positive = np.arange(len(scores)) < 100
    threshold = chosen_for(scores, positive)[Use.KEYWORD_SEARCH]
    assert threshold.recall == pytest.approx(0.9) and threshold.precision == pytest.approx(90 / 110)
    assert not threshold.reached and threshold.rule == "lowest bar with precision of 0.5"


def test_keyword_search_keeps_80_percent_of_the_positives_even_where_precision_stays_low() -> None:
    scores = np.tile(np.linspace(0.05, 0.95, 100), 10)
    positive = np.arange(1000) < 100  # one in ten, whatever the score
    threshold = chosen_for(scores, positive)[Use.KEYWORD_SEARCH]
    assert 0.8 <= threshold.recall < 0.82 and not threshold.reached


def test_related_searches_take_the_lowest_bar_with_90_percent_precision() -> None:
    scores = np.random.default_rng(2).random(5000)
    positive = np.random.default_rng(3).random(5000) < scores  # precision from b on is (1 + b) / 2
    threshold = chosen_for(scores, positive)[Use.RELATED_SEARCHES]
    assert threshold.reached and 0.9 <= threshold.precision < 0.905
    assert threshold.bar == pytest.approx(0.8, abs=0.03)


def test_related_searches_take_the_best_precision_that_enough_pairs_support() -> None:
    # The three best scores are right, but three are too few to believe; of the next, three in four are.
    scores = np.concatenate([np.full(3, 0.95), np.full(80, 0.7), np.full(200, 0.2)])
    positive = np.concatenate([np.full(3, True), np.arange(80) % 4 > 0, np.full(200, False)])
    threshold = chosen_for(scores, positive)[Use.RELATED_SEARCHES]
    assert threshold.admitted == 83 and not threshold.reached
    assert threshold.rule == "best precision with enough support"


def test_of_fewer_pairs_than_are_believed_the_middle_is_taken() -> None:
    few = LEAST_SUPPORT - 1
    threshold = chosen_for(np.full(few, 0.9), np.full(few, True))[Use.RELATED_SEARCHES]
    assert threshold.bar == pytest.approx(0.9) or not threshold.reached


def test_a_bar_on_pairs_without_positives_has_no_recall() -> None:
    threshold = admission_at(0.5, np.array([0.2, 0.7]), np.array([False, False]), np.array([0, 1]))
    assert threshold.recall is None and threshold.recall_interval is None and threshold.precision == 0
    nothing = admission_at(0.9, np.array([0.2, 0.7]), np.array([True, False]), np.array([0, 1]))
    assert nothing.precision is None and nothing.recall == 0


def test_thresholds_travel_with_the_model_and_its_card(model: RelevanceModel, model_folder: Path) -> None:
    read = RelevanceModel.read(model_folder)
    assert read.thresholds == model.thresholds and set(read.thresholds) == set(Use)
    for use, bar in read.thresholds.items():
        assert read.card["thresholds"][use]["bar"] == bar
        assert f"| {use} | {bar:g} |" in card_text({**read.card, "data": [], "corpora": []})


def test_evaluate_says_what_the_models_thresholds_admit(model_folder: Path, held_out_file: Path) -> None:
    arguments = ["--model", str(model_folder), "--pairs", str(held_out_file), "--json"]
    result = json.loads(CliRunner().invoke(evaluate_relevance, arguments, catch_exceptions=False).stdout)
    for use, bar in RelevanceModel.read(model_folder).thresholds.items():
        assert result["thresholds"][use]["bar"] == bar
        assert result["thresholds"][use]["precision"] > 0.7


def test_the_operators_bar_is_before_the_models_and_that_before_the_literal_one(model: RelevanceModel) -> None:
    other = dataclasses.replace(model, thresholds={Use.KEYWORD_SEARCH: 0.11, Use.RELATED_SEARCHES: 0.77})
    unset, settings = Settings(), Settings(min_relevance=0.0, min_relevance_related=0.9)
    assert (bar_for(Use.KEYWORD_SEARCH, unset, None), bar_for(Use.RELATED_SEARCHES, unset, None)) == (
        MIN_RELEVANCE,
        MIN_RELEVANCE_RELATED,
    )
    assert (bar_for(Use.KEYWORD_SEARCH, unset, other), bar_for(Use.RELATED_SEARCHES, unset, other)) == (0.11, 0.77)
    assert (bar_for(Use.KEYWORD_SEARCH, settings, other), bar_for(Use.RELATED_SEARCHES, settings, other)) == (0.0, 0.9)


@pytest.mark.parametrize("of_request", [None, 0.9])
def test_a_search_admits_by_the_models_bar_unless_the_request_brings_its_own(
    small_store: Path, model_folder: Path, model: RelevanceModel, of_request: float | None
) -> None:
    service = KeywordService(Settings(store=small_store, relevance_model=model_folder))
    parameters = {} if of_request is None else {"min_relevance": of_request}
    open_to_all = service.keyword_ideas(Request(seeds=("鲜花",), limit=1000, parameters={"min_relevance": 0.0}))
    reply = service.keyword_ideas(Request(seeds=("鲜花",), limit=1000, parameters=parameters))
    bar = model.thresholds[Use.KEYWORD_SEARCH] if of_request is None else of_request
    shown, everything = ([row["relevance"] for row in found.rows] for found in (reply, open_to_all))
    assert 0 < len(shown) < len(everything)
    assert min(shown) >= bar - 1e-3
    assert len(shown) == sum(value >= bar for value in everything)
