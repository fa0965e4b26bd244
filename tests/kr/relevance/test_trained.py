"""Serving: the stage computes what training computed, and the pipeline takes it where a model is configured."""

from pathlib import Path

import numpy as np
import pytest

from indexes.opened import Indexes
from kr.relevance.features import EncodedPairs, encode_for, encode_pairs, pair_features
from kr.relevance.model import RelevanceModel
from kr.relevance.snapshot_texts import SnapshotTexts
from kr.service import KeywordService
from kr.settings import Settings
from kr.types import Request

SEEDS = ("鲜花", "鲜花速递 北京", "flower shipping", "running shoes", "完全没有的词", "费用")


@pytest.fixture(scope="module")
def indexes(small_store: Path) -> Indexes:
    return Indexes.open(small_store)


def test_every_feature_is_the_same_in_training_and_serving(indexes: Indexes, model: RelevanceModel) -> None:
    ids = np.random.default_rng(1).permutation(len(indexes.keywords))[:1500]
    texts = SnapshotTexts(indexes, model.knowledge)
    texts.encode(ids[:100])  # terms met before and terms met now give the same
    served = EncodedPairs(
        encode_for(SEEDS, model.knowledge),
        np.repeat(np.arange(len(SEEDS)), len(ids)),
        texts.encode(ids),
        np.tile(np.arange(len(ids)), len(SEEDS)),
    )
    keywords = indexes.keywords.take(ids)
    queries = tuple(seed for seed in SEEDS for _ in keywords)
    trained = encode_pairs(queries, tuple(keywords) * len(SEEDS), model.knowledge)
    features = pair_features(served, model.knowledge)
    assert np.array_equal(features, pair_features(trained, model.knowledge))
    assert np.array_equal(model.features(served), model.features(trained))
    names = [feature.name for feature in model.feature_list()]
    met = {name for name, column in zip(names, features.T, strict=False) if column.any()}
    assert {"q_synonyms", "place_same", "place_differs", "brand_only_q", "brand_same"} <= met
    assert np.array_equal(model.predict_encoded(served).relevance, model.predict_encoded(trained).relevance)


def test_a_configured_model_scores_the_candidates(small_store: Path, model_folder: Path, model: RelevanceModel) -> None:
    service = KeywordService(Settings(store=small_store, relevance_model=model_folder, min_relevance=0))
    request = Request(seeds=("鲜花", "flower delivery"), limit=500, explain=True)
    reply = service.keyword_ideas(request)
    texts = [row["text"] for row in reply.rows]
    assert len(texts) > 20
    expected = np.max([model.predict([seed] * len(texts), texts).relevance for seed in request.seeds], axis=0)
    shown = np.array([row["relevance"] for row in reply.rows])
    # Evidence of the miners only adds.
    assert np.all(shown >= expected - 1e-3)
    assert reply.explain is not None
    assert "trained_relevance" in [stage["name"] for stage in reply.explain["stages"]]


def test_without_a_model_relevance_stays_literal(small_store: Path) -> None:
    reply = KeywordService(Settings(store=small_store)).keyword_ideas(Request(seeds=("鲜花",), explain=True))
    assert reply.explain is not None
    assert "literal_relevance" in [stage["name"] for stage in reply.explain["stages"]]
