"""Training: grouped cross-validation, selection by gain, calibration on out-of-fold predictions, the final fit."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.errors import UsageError
from kr.relevance.calibration import fit_calibration
from kr.relevance.encoder import Encoder, embed_pairs
from kr.relevance.evaluation import is_positive, measure
from kr.relevance.feature_list import Feature
from kr.relevance.features import EncodedPairs, encode_pairs, pair_features
from kr.relevance.forest import Forest, fit_booster
from kr.relevance.lexicons import Lexicons, shipped_terms
from kr.relevance.model import RelevanceModel, feature_names, interpret
from kr.relevance.pairs import CLASSES, LabelledPairs
from kr.relevance.presets import Preset
from kr.relevance.substitutions import code_matrix, fit_substitutions
from kr.relevance.text_knowledge import TextKnowledge
from kr.relevance.thresholds import choose_thresholds

SHUFFLE_SEED = 0
FEWEST_QUERIES = 3
"""One held out, and one to judge another by."""


@dataclass(frozen=True)
class TrainingSet:
    """Encoded pairs with everything that does not look at labels of other pairs."""

    pairs: LabelledPairs
    encoded: EncodedPairs
    features: tuple[Feature, ...]
    """Of `kernel_features`, then of the substitutions."""
    kernel_features: Array
    codes: Any
    targets: Array
    """One-hot classes (n, classes), or labels (n, 1)."""
    labels: Array
    folds: Array
    """The fold of each pair, 0 … folds − 1; pairs of one query are in one fold."""

    @property
    def is_classes(self) -> bool:
        """Whether labels are classes."""
        return self.targets.shape[1] > 1


def folds_of(groups: Array, folds: int, seed: int = SHUFFLE_SEED) -> Array:
    """A fold for each row, whole groups together, groups shuffled and dealt to the smallest fold so far."""
    numbers, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(numbers))
    filled = np.zeros(folds, np.int64)
    fold_of_group = np.empty(len(numbers), np.int64)
    for group in order:
        fold = int(filled.argmin())
        fold_of_group[group] = fold
        filled[fold] += sizes[group]
    return fold_of_group[inverse]


def train(
    pairs: LabelledPairs,
    corpus: Iterable[str],
    preset: Preset,
    with_encoder: bool = False,
    lexicons: Lexicons | None = None,
) -> tuple[RelevanceModel, Array]:
    """A model and its out-of-fold raw scores, by which its card was written; the same input gives the same bytes.

    `lexicons` are the word lists to know, by default those that come with KR.
    """
    if len(np.unique(pairs.groups())) < FEWEST_QUERIES:
        raise UsageError(
            f"The {len(pairs)} pairs are of fewer than {FEWEST_QUERIES} different queries.",
            "Cross-validation by query needs more of them.",
        )
    texts = [*pairs.queries, *pairs.keywords, *corpus]
    if lexicons is None:
        lexicons = Lexicons.of(terms=shipped_terms())
    knowledge = TextKnowledge.fit(texts, preset.vector_size, lexicons)
    data = training_set(pairs, knowledge, preset)
    encoder = None
    if with_encoder:
        of_queries, of_keywords = embed_pairs(pairs.queries, pairs.keywords)
        encoder = Encoder.fit(np.concatenate([of_queries, of_keywords]))
        columns_of_encoder = encoder.features(of_queries, of_keywords)
        data = replace(
            data,
            kernel_features=np.hstack([data.kernel_features, columns_of_encoder]),
            features=feature_names(data.targets.shape[1], lexicons.kinds, with_encoder=True),
        )
    outputs = data.targets.shape[1]
    names = data.features
    columns = np.arange(len(names))
    scores_by_fold = held_out_scores(data, preset)
    raw, gains = cross_validate(data, preset, columns, scores_by_fold)
    if gains.any():  # with very few pairs no tree may split at all
        columns = np.flatnonzero(gains > 0)
    raw, _ = cross_validate(data, preset, columns, scores_by_fold)
    calibration = fit_calibration(raw, data.targets)
    predicted = interpret(raw, data.labels, calibration)
    thresholds = choose_thresholds(
        predicted.relevance, is_positive(pairs, data.labels, data.is_classes), pairs.groups()
    )
    scores = substitution_scores(data, preset, np.unique(data.folds))
    final = np.hstack([data.kernel_features, scores])[:, columns]
    everything = np.ones(len(pairs), bool)
    limits = constraints(data, columns)
    boosters = [
        fit_booster(final, target_of(data), preset, outputs, seed, limits, everything) for seed in range(preset.seeds)
    ]
    forest = Forest.of_texts(tuple(booster.model_to_string() for booster in boosters), columns)
    card = {
        "preset": preset.name,
        "encoder": with_encoder,
        "pairs": len(pairs),
        "queries": len(np.unique(pairs.groups())),
        "kind": pairs.kind,
        "labels": {f"{label:g}": int((pairs.labels == label).sum()) for label in np.unique(pairs.labels)},
        "cross_validated": measure(pairs, predicted, data.labels),
        "thresholds": {use: threshold.as_json() for use, threshold in thresholds.items()},
        "features": [
            {"name": names[column].name, "family": names[column].family, "meaning": names[column].meaning,
             "gain": round(float(gains[column] / max(gains.sum(), 1e-9)), 5)}
            for column in columns
        ],
    }  # fmt: skip
    model = RelevanceModel(
        kind=pairs.kind,
        labels=data.labels,
        knowledge=knowledge,
        substitutions=fit_substitutions(data.codes, data.targets, preset.substitution_penalty),
        columns=columns,
        forest=forest,
        calibration=calibration,
        thresholds={use: threshold.bar for use, threshold in thresholds.items()},
        card=card,
        encoder=encoder,
    )
    return model, raw


def training_set(pairs: LabelledPairs, knowledge: TextKnowledge, preset: Preset) -> TrainingSet:
    """Encode, compute what the kernels give, deal the folds."""
    encoded = encode_pairs(pairs.queries, pairs.keywords, knowledge)
    distinct = np.unique(pairs.labels)
    if pairs.kind == CLASSES:
        labels, targets = distinct, (pairs.labels[:, None] == distinct).astype(np.float64)
    else:
        labels, targets = distinct[[0, -1]], pairs.labels[:, None]
    groups = pairs.groups()
    return TrainingSet(
        pairs=pairs,
        encoded=encoded,
        features=feature_names(targets.shape[1], knowledge.lexicons.kinds, with_encoder=False),
        kernel_features=pair_features(encoded, knowledge),
        codes=code_matrix(encoded),
        targets=targets,
        labels=labels,
        folds=folds_of(groups, min(preset.folds, len(np.unique(groups)))),
    )


def target_of(data: TrainingSet) -> Array:
    """What LightGBM is given: class numbers or labels."""
    return data.targets.argmax(axis=1) if data.is_classes else data.pairs.labels


def constraints(data: TrainingSet, columns: Array) -> list[int] | None:
    """Monotone constraints of these columns; with several classes there is no direction."""
    if data.is_classes:
        return None
    return [data.features[column].direction for column in columns.tolist()]


def substitution_scores(data: TrainingSet, preset: Preset, folds: Array) -> Array:
    """For the pairs of these folds: what linear models of the other folds among them say; float32 (n, outputs)."""
    scores = np.zeros(data.targets.shape, np.float32)
    inside = np.isin(data.folds, folds)
    for fold in folds:
        rows = np.flatnonzero(inside & (data.folds != fold))
        held = np.flatnonzero(data.folds == fold)
        fitted = fit_substitutions(data.codes[rows], data.targets[rows], preset.substitution_penalty)
        scores[held] = data.codes[held] @ fitted.weights + fitted.bias
    return scores


def held_out_scores(data: TrainingSet, preset: Preset) -> list[Array]:
    """For each fold, the substitution scores with which it is held out, (n, outputs).

    The pairs of the other folds have scores by linear models that saw neither their own queries nor this fold's.
    """
    result = []
    folds = np.unique(data.folds)
    for fold in folds:
        scores = substitution_scores(data, preset, folds[folds != fold])
        inside, held = data.folds != fold, data.folds == fold
        fitted = fit_substitutions(data.codes[inside], data.targets[inside], preset.substitution_penalty)
        scores[held] = data.codes[held] @ fitted.weights + fitted.bias
        result.append(scores)
    return result


def cross_validate(
    data: TrainingSet, preset: Preset, columns: Array, scores_by_fold: list[Array]
) -> tuple[Array, Array]:
    """Raw outputs (n, outputs) of every pair by models that saw none of its query, and the gain of all features."""
    outputs = data.targets.shape[1]
    raw = np.zeros((len(data.pairs), outputs))
    gains = np.zeros(data.kernel_features.shape[1] + outputs)
    for fold, scores in zip(np.unique(data.folds), scores_by_fold, strict=True):
        inside, held = data.folds != fold, data.folds == fold
        features = np.hstack([data.kernel_features, scores])[:, columns]
        for seed in range(preset.seeds):
            booster = fit_booster(features, target_of(data), preset, outputs, seed, constraints(data, columns), inside)
            scored = np.asarray(booster.predict(features[held], raw_score=True, num_threads=1)).reshape(-1, outputs)
            raw[held] += scored / preset.seeds
            gains[columns] += booster.feature_importance("gain")
    return raw, gains
