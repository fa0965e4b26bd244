"""What a model costs: only kernels that it reads run, and what is measured is told apart from what the model is."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kr.relevance.card import card_text
from kr.relevance.feature_list import KERNEL_FEATURES
from kr.relevance.features import FIRST_COLUMNS, KERNELS, encode_pairs, kernels_of
from kr.relevance.latency import CANDIDATES, families_of_kernel, measure_latency, model_sha256
from kr.relevance.model import RelevanceModel
from kr.relevance.pairs import LabelledPairs


def test_kernels_that_no_tree_reads_do_not_run_and_predictions_stay(
    model: RelevanceModel, training_pairs: LabelledPairs
) -> None:
    read = kernels_of(model.columns, model.knowledge)
    assert read.sum() > 0
    pairs = encode_pairs(training_pairs.queries[:50], training_pairs.keywords[:50], model.knowledge)
    whole, few = model.features(pairs), dataclasses.replace(model, columns=np.array([2, 45, 10_000]))
    of_few = few.features(pairs)
    tokens = slice(FIRST_COLUMNS[1], FIRST_COLUMNS[2])
    assert of_few[:, tokens].any() and not of_few[:, FIRST_COLUMNS[2] : FIRST_COLUMNS[-1]].any()
    assert np.array_equal(of_few[:, : FIRST_COLUMNS[2]], whole[:, : FIRST_COLUMNS[2]])


@pytest.mark.parametrize("kernel", range(len(KERNELS)))
def test_the_first_and_last_column_of_a_kernel_call_for_it_alone(model: RelevanceModel, kernel: int) -> None:
    last = (*FIRST_COLUMNS, len(KERNEL_FEATURES) + 8)[kernel + 1] - 1  # eight columns of brands and places
    for column in (FIRST_COLUMNS[kernel], last):
        assert np.flatnonzero(kernels_of(np.array([column]), model.knowledge)).tolist() == [kernel]
    assert not kernels_of(np.array([last + 1]), model.knowledge)[kernel]


def test_every_family_of_the_kernels_has_its_cost(model: RelevanceModel, training_pairs: LabelledPairs) -> None:
    found = measure_latency(model, training_pairs, repeats=2)
    assert found["pairs"] == CANDIDATES and all(value > 0 for value in found["milliseconds"].values())
    listed = {family for part in found["nanoseconds_a_pair"].values() for family in part["families"]}
    named = {feature.family for feature in KERNEL_FEATURES} | {"place", "brand"}
    read = np.flatnonzero(kernels_of(model.columns, model.knowledge)).tolist()
    assert listed == {family for kernel in read for family in families_of_kernel(kernel, ("brand", "place"))} <= named
    text = card_text({**model.card, "data": [], "corpora": []}, "abc", found)
    assert "## Latency" in text and "SHA-256 `abc`" in text


def test_the_hash_of_a_model_is_that_of_its_files_but_not_of_its_card_or_times(
    model_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(model_folder, folder)
    before = model_sha256(model_folder)
    (folder / "latency.json").write_text("{}")
    (folder / "card.md").write_text("# other words")
    assert model_sha256(folder) == before
    document = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    document["thresholds"]["keyword_search"] = 0.123
    (folder / "model.json").write_text(json.dumps(document), encoding="utf-8")
    assert model_sha256(folder) != before
