"""Training and evaluation from the command line, on synthetic pairs and on a part of the real ones."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from indexes.errors import CorruptError, UsageError
from kr.relevance.commands import evaluate_relevance, train_relevance
from kr.relevance.lexicons import Lexicons
from kr.relevance.model import RelevanceModel
from kr.relevance.pairs import LabelledPairs, read_pairs
from kr.relevance.presets import PRESETS
from kr.relevance.training import folds_of, train


def evaluated(folder: Path, file: Path) -> dict:
    result = CliRunner().invoke(
        evaluate_relevance, ["--model", str(folder), "--pairs", str(file), "--json"], catch_exceptions=False
    )
    return json.loads(result.stdout)


def test_a_model_learns_what_exchanged_words_mean(model_folder: Path, held_out_file: Path) -> None:
    result = evaluated(model_folder, held_out_file)
    assert result["n"] == 300
    assert result["accuracy"] > 0.95 and result["macro_f1"] > 0.95 and result["auc"] > 0.97
    assert result["rmse"] is None and result["pairs_per_second"] > 0
    low, high = result["intervals"]["accuracy"]
    assert low <= result["accuracy"] <= high
    for slices in result["slices"].values():
        assert sum(part["n"] for part in slices.values()) == 300


def test_grades_are_regressed(tmp_path: Path, training_pairs: LabelledPairs) -> None:
    graded = LabelledPairs(training_pairs.queries, training_pairs.keywords, training_pairs.labels / 2 + 1)
    model, _ = train(graded, ["鲜花 北京"], PRESETS["fast"])
    model.write(tmp_path / "model")
    rows = [{"query": q, "keyword": k, "label": y} for q, k, y in
            zip(graded.queries, graded.keywords, graded.labels.tolist(), strict=True)]  # fmt: skip
    file = tmp_path / "graded.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    result = evaluated(tmp_path / "model", file)
    assert result["accuracy"] is None and result["macro_f1"] is None and result["rmse"] < 0.2
    assert result["auc"] > 0.95


def test_the_same_pairs_give_the_same_bytes(
    tmp_path: Path, training_pairs: LabelledPairs, lexicons: Lexicons, model_folder: Path
) -> None:
    train(training_pairs, [], PRESETS["fast"], lexicons=lexicons)[0].write(tmp_path)
    names = sorted(str(file.relative_to(model_folder)) for file in model_folder.rglob("*") if file.is_file())
    assert names == sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file())
    for name in names:
        assert (tmp_path / name).read_bytes() == (model_folder / name).read_bytes(), name


def test_a_written_model_predicts_what_the_trained_one_did(model: RelevanceModel, model_folder: Path) -> None:
    queries, keywords = ["北京鲜花价格", "", "北京鲜花价格"], ["鲜花 北京费用", "鲜花", "完全不同的东西"]
    before, after = model.predict(queries, keywords), RelevanceModel.read(model_folder).predict(queries, keywords)
    assert np.array_equal(before.relevance, after.relevance)
    assert before.probabilities is not None and np.allclose(before.probabilities.sum(axis=1), 1)
    assert before.relevance[0] > before.relevance[2]


def test_all_pairs_of_a_query_are_in_one_fold_and_folds_are_alike_in_size() -> None:
    groups = np.random.default_rng(3).integers(0, 60, 1000)
    folds = folds_of(groups, 5)
    for group in np.unique(groups):
        assert len(np.unique(folds[groups == group])) == 1
    assert np.bincount(folds).min() > 150


def test_out_of_fold_predictions_cannot_learn_random_labels(training_pairs: LabelledPairs) -> None:
    # A leak between folds would show as accuracy above chance.
    labels = np.random.default_rng(5).permutation(training_pairs.labels)
    shuffled = LabelledPairs(training_pairs.queries, training_pairs.keywords, labels)
    _, raw = train(shuffled, [], PRESETS["fast"])
    assert np.mean(raw.argmax(axis=1) == labels) < 0.42


@pytest.mark.parametrize("labels", [[0, 1, 0, 1, 0, 1], [0.5, 1, 2, 3, 4, 5]])
def test_a_handful_of_pairs_with_odd_texts_trains(labels: list[float]) -> None:
    queries = ("鲜花", "鲜花", "!!!", "a", "𠮷野家", "shoes")
    keywords = ("鲜花", "鮮花", "???", "b", "吉野家", "shoe " * 300)
    model, _ = train(LabelledPairs(queries, keywords, np.array(labels, np.float64)), [], PRESETS["fast"])
    relevance = model.predict(queries, keywords).relevance
    assert np.all((relevance >= 0) & (relevance <= 1))


def test_pairs_of_fewer_than_three_queries_are_refused() -> None:
    pairs = LabelledPairs(("a", "a", "b"), ("c", "d", "e"), np.array([0.0, 1.0, 1.0]))
    with pytest.raises(UsageError, match="fewer than 3 different queries"):
        train(pairs, [], PRESETS["fast"])


def test_a_folder_that_is_not_empty_is_refused_before_training(tmp_path: Path, training_file: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(UsageError, match="not an empty folder"):
        CliRunner().invoke(
            train_relevance, ["--pairs", str(training_file), "--out", str(tmp_path)], catch_exceptions=False
        )


def test_labels_that_the_model_does_not_know_are_refused(tmp_path: Path, model_folder: Path) -> None:
    file = tmp_path / "other.jsonl"
    file.write_text('{"query": "a", "keyword": "b", "label": 7}\n')
    with pytest.raises(UsageError, match="The label 7 is none of the model's classes 0, 1, 2"):
        evaluated(model_folder, file)


@pytest.fixture
def changed_model(model_folder: Path, tmp_path: Path) -> Callable[[Callable[[dict], None]], Path]:
    """A copy of the model whose model.json was changed."""
    import shutil

    def change(how: Callable[[dict], None]) -> Path:
        folder = tmp_path / "changed"
        shutil.copytree(model_folder, folder)
        document = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        how(document)
        (folder / "model.json").write_text(json.dumps(document), encoding="utf-8")
        return folder

    return change


def test_labels_of_one_kind_only_are_refused_on_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"query": "a", "keyword": "b", "label": 1}\n' * 5)
    with pytest.raises(UsageError, match="All 5 pairs have the label 1"):
        CliRunner().invoke(
            train_relevance, ["--pairs", str(file), "--out", str(tmp_path / "model")], catch_exceptions=False
        )
    assert not (tmp_path / "model").exists()


def test_identical_sides_are_as_relevant_as_pairs_can_be(model: RelevanceModel) -> None:
    texts = ["北京鲜花价格", "desk lamp 上海费用"]
    others = ["上海跑鞋图片", "雨伞做法"]
    assert model.predict(texts, texts).relevance.min() > model.predict(texts, others).relevance.max()


def test_a_model_of_other_features_is_refused_by_name(changed_model: Callable) -> None:
    def rename(document: dict) -> None:
        document["features"][document["features"].index("bm25")] = "bm26"

    with pytest.raises(CorruptError, match=r"it reads bm26, which this code does not compute; it lacks bm25"):
        RelevanceModel.read(changed_model(rename))


def test_a_model_of_another_format_or_without_its_parts_is_refused(changed_model: Callable, tmp_path: Path) -> None:
    folder = changed_model(lambda document: document.update(format_version=99))
    with pytest.raises(CorruptError, match="format version 99"):
        RelevanceModel.read(folder)


@pytest.mark.parametrize("name", ["trees-0.txt", "vectors.npy", "text/idf.npy", "lexicons/trie/keys.npy", "card.json"])
def test_a_model_without_one_of_its_files_is_refused(changed_model: Callable, name: str) -> None:
    folder = changed_model(lambda document: None)
    (folder / name).unlink()
    with pytest.raises(CorruptError, match="is damaged"):
        RelevanceModel.read(folder)


@pytest.mark.shared_data
def test_on_real_pairs_the_model_is_far_above_the_most_frequent_class(shared_data: Path) -> None:
    pairs = read_pairs([shared_data / "relevance" / "kuake_qqr.jsonl.gz"])
    part = pairs.take(np.flatnonzero(pairs.groups() < 40))
    model, _ = train(part, [], PRESETS["fast"])
    assert model.card["cross_validated"]["accuracy"] > np.mean(part.labels == 0) + 0.03
    assert model.card["cross_validated"]["ece"] < 0.1
