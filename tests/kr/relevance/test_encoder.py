"""The optional sentence encoder: what is fitted to its vectors, and what happens without it."""

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from indexes.errors import UsageError
from indexes.opened import Indexes
from kr.relevance.commands import train_relevance
from kr.relevance.encoder import AXES, PACKAGE, Encoder
from kr.relevance.features import encode_pairs
from kr.relevance.model import RelevanceModel
from kr.relevance.trained import TrainedRelevance


def test_whitened_axes_have_mean_zero_and_variance_one(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    vectors = (generator.standard_normal((3000, 384)) @ generator.standard_normal((384, 384)) + 5).astype(np.float32)
    encoder = Encoder.fit(vectors)
    white = (vectors - encoder.mean) @ encoder.axes
    assert white.shape == (3000, AXES)
    assert np.allclose(np.cov(white.T, bias=True), np.eye(AXES), atol=0.05)
    encoder.write(tmp_path)
    other = vectors[::-1]
    assert np.array_equal(Encoder.read(tmp_path).features(vectors, other), encoder.features(vectors, other))
    assert np.allclose(encoder.features(vectors, vectors), 1, atol=1e-5)


def test_a_model_that_reads_the_encoder_is_not_served(small_store: Path, model: RelevanceModel) -> None:
    reading = dataclasses.replace(model, encoder=Encoder(np.zeros(384), np.zeros((384, AXES))))
    with pytest.raises(UsageError, match="too slow to serve"):
        TrainedRelevance(Indexes.open(small_store), (), reading)
    with pytest.raises(UsageError, match="too slow to serve"):
        reading.predict_encoded(encode_pairs(("鲜花",), ("鲜花店",), model.knowledge))


@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is not None, reason="the encoder is installed")
def test_asking_for_an_encoder_that_is_not_installed_says_what_to_install(training_file: Path, tmp_path: Path) -> None:
    arguments = ["--pairs", str(training_file), "--encoder", "e5", "--out", str(tmp_path / "model")]
    with pytest.raises(UsageError, match=r"kr\[encoder\]"):
        CliRunner().invoke(train_relevance, arguments, catch_exceptions=False)
