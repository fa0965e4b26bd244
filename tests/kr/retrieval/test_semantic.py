"""Keywords of like meaning: found without a word in common, near enough, with a reason, and never made up."""

from pathlib import Path

import numpy as np
import pytest

from indexes.opened import Indexes
from indexes.text import tokens
from indexes.vectors import LEAST_SIMILARITY
from kr.retrieval.semantic import SemanticSource
from kr.service import KeywordService
from kr.settings import Settings
from kr.types import Request


@pytest.fixture(scope="module")
def indexes(small_store: Path) -> Indexes:
    return Indexes.open(small_store)


def found(indexes: Indexes, *seeds: str, most: int = 200) -> dict[str, tuple[float, int]]:
    candidates = SemanticSource(indexes, most).retrieve(Request(seeds=seeds))
    assert candidates.keyword_id.dtype == np.int32
    assert candidates["semantic_similarity"].dtype == np.float32
    similarity, seed = candidates["semantic_similarity"].tolist(), candidates["semantic_seed"].tolist()
    return dict(zip(indexes.keywords.take(candidates.keyword_id), zip(similarity, seed, strict=True), strict=True))


def test_only_keywords_that_are_near_enough_are_found(indexes: Indexes) -> None:
    nearest = found(indexes, "flower delivery")
    assert nearest["flower delivery"][0] == pytest.approx(1, abs=0.02)
    assert 1 < len(nearest) <= 200
    assert min(similarity for similarity, _ in nearest.values()) >= LEAST_SIMILARITY


def test_some_share_no_word_with_the_seed(indexes: Indexes) -> None:
    popular = indexes.keywords.take(indexes.popular[:100])
    without = [
        keyword for seed in popular for keyword in found(indexes, seed) if not set(tokens(keyword)) & set(tokens(seed))
    ]
    assert without


def test_no_more_are_found_than_asked_for(indexes: Indexes) -> None:
    few, many = found(indexes, "flower delivery", most=3), found(indexes, "flower delivery")
    assert len(few) == 3
    assert min(few.values()) >= sorted(many.values(), reverse=True)[3]


def test_of_several_seeds_the_nearest_counts(indexes: Indexes) -> None:
    both = found(indexes, "flower delivery", "running shoes")
    for position, seed in enumerate(("flower delivery", "running shoes")):
        for keyword, (similarity, _) in found(indexes, seed).items():
            assert both[keyword][0] >= similarity
        assert both[seed][1] == position


@pytest.mark.parametrize("seed", ["qzxv kjwq", "???", "кофе"])
def test_nothing_is_found_for_words_that_mean_nothing_to_the_model(indexes: Indexes, seed: str) -> None:
    assert found(indexes, seed) == {}


def test_a_model_that_knows_no_word_is_silent(tiny_store: Path) -> None:
    assert found(Indexes.open(tiny_store), "鲜花") == {}


def test_a_row_says_to_which_seed_it_is_alike_and_how_much(small_store: Path) -> None:
    reply = KeywordService.open(Settings(store=small_store)).keyword_ideas(Request(seeds=("flower delivery",)))
    reasons = [reason for row in reply.rows for reason in row["reasons"] if reason["source"] == "semantic"]
    assert reasons
    for reason in reasons:
        assert reason["code"] == "used_alike"
        assert reason["seed"] == "flower delivery"
        assert LEAST_SIMILARITY - 0.005 <= reason["evidence"]["similarity"] <= 1
        assert "“flower delivery”" in reason["text_en"] and "“flower delivery”" in reason["text_zh"]
        assert f"{reason['evidence']['similarity']:.2f}" in reason["text_en"]
    own = next(row for row in reply.rows if row["text"] == "flower delivery")
    assert not [reason for reason in own["reasons"] if reason["source"] == "semantic"]
