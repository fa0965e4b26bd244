"""Training a learned blend of recommendations: what accounts bought later is put before what they did not.

The first days are mined, the others say what was bought (SPEC §2.8). Each account is asked for in three ways:

    history      as it was at the cut; right is what it buys afterwards, half as right what it only thought well of
    masked       a part of what it owned hidden from everything; right is the hidden part. There are more purchases
                 before a cut than after it, and most growth is more of the same
    cold start   all that it owned hidden; right is all that it ever buys

LightGBM's lambdarank (Burges 2010) learns from the candidates that the fixed blend ranks highest and from those that
were bought.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.blend_model import FEATURES
from indexes.errors import UsageError
from indexes.recommendation_blend import features, fixed_blend
from indexes.terminal import step
from mining.log_split import split_logs, split_moment
from mining.recommend_model import blend_document
from mining.recommend_questions import COLD, HISTORY, SPLIT_TABLES, EarlierLog, Question
from mining.settings import MiningSettings

SHARE = 0.7
"""Of the days of the log, so many are mined and the others say what was bought."""
MASKED = 0.3
MASKS = 2
HARD = 300
"""Candidates learned from in each list, those that the fixed blend ranks highest."""
FEWEST_BOUGHT = 50
SEED = 20240630
ROUNDS = 200
PARAMETERS: dict[str, object] = {
    "objective": "lambdarank",
    "label_gain": [0, 1, 3],
    "lambdarank_truncation_level": 30,
    "num_leaves": 15,
    "learning_rate": 0.05,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "use_missing": False,
    "num_threads": 1,
    "deterministic": True,
    "seed": 1,
    "verbose": -1,
}


def train_recommend(logs: Path, settings: MiningSettings, share: float = SHARE) -> dict[str, Any]:
    """A model's document (`mining.recommend_model`) from one log; the same log gives the same bytes.

    Raises UsageError if too little is bought in the later part to learn from.
    """
    moment = split_moment(logs, share)
    with tempfile.TemporaryDirectory(prefix="kr-recommend-") as name:
        folder = Path(name)
        with step(f"cut the log at {moment:%Y-%m-%d %H:%M}"):
            split = split_logs(logs, SPLIT_TABLES, moment, folder)
        return fit(EarlierLog(split, settings, folder))


def fit(log: EarlierLog) -> dict[str, Any]:
    """Learn from the accounts of one cut."""
    import lightgbm

    rows: list[Array] = []
    labels: list[Array] = []
    asked: dict[str, int] = {}
    with step("recall what could have been recommended"):
        for kind, question in _questions(log):
            matrix, label = learned_from(log, question)
            if label.any():
                rows.append(matrix)
                labels.append(label)
                asked[kind] = asked.get(kind, 0) + 1
    found = int(sum((label == label.max()).sum() for label in labels))
    if asked.get(HISTORY, 0) == 0 or found < FEWEST_BOUGHT:
        raise UsageError(
            f"After {log.split.moment:%Y-%m-%d} accounts bought {found} of the keywords that could have been "
            f"recommended; {FEWEST_BOUGHT} are needed to learn from.",
            "Name a longer log, or do without a model: recommendations are then joined by a fixed rule.",
        )
    with step(f"learn from {sum(map(len, labels)):,} candidates of {len(labels):,} lists"):
        data = lightgbm.Dataset(
            np.concatenate(rows), np.concatenate(labels), group=[len(label) for label in labels],
            feature_name=list(FEATURES),
        )  # fmt: skip
        booster = lightgbm.train(PARAMETERS, data, ROUNDS)
    raw = booster.predict(np.concatenate(rows), raw_score=True)
    gains = booster.feature_importance("gain")
    card: dict[str, Any] = {
        "split": log.split.moment.isoformat(),
        "lists": asked,
        "candidates": sum(map(len, labels)),
        "bought": found,
        "gain": {
            name: round(float(gain / max(gains.sum(), 1e-9)), 4) for name, gain in zip(FEATURES, gains, strict=True)
        },
    }
    low, high = (round(float(bound), 6) for bound in np.percentile(raw, [5, 99]))
    return blend_document(booster.model_to_string(), low, high, card)


def _questions(log: EarlierLog) -> Iterator[tuple[str, Question]]:
    for question in log.questions(HISTORY):
        yield HISTORY, question
    for question in log.questions(COLD):
        yield COLD, question
    generator = np.random.default_rng(SEED)
    for _ in range(MASKS):
        for account in range(len(log.accounts)):
            owned = log.accounts.owned_keywords(account)
            hidden = generator.random(len(owned)) < MASKED
            if hidden.any() and not hidden.all():
                profile = replace(log.profile(account), owned=owned[~hidden])
                yield "masked", Question(account, profile, owned[hidden].astype(np.int64), np.empty(0, np.int64))


def learned_from(log: EarlierLog, question: Question) -> tuple[Array, Array]:
    """Features of the candidates that one list is learned from, and their labels: 2 bought, 1 liked, 0 neither."""
    recalled = log.recall.find(question.profile)
    ids, stats = recalled.keyword_id, log.indexes.stats
    label = np.where(np.isin(ids, question.liked), 1, 0)
    label[np.isin(ids, question.bought)] = 2
    allowed = log.shown(question, recalled)
    fixed = np.where(allowed, fixed_blend(recalled, stats), -1.0)
    chosen = np.zeros(len(ids), bool)
    chosen[np.lexsort((ids, -fixed))[:HARD]] = True
    rows = np.flatnonzero((chosen | (label > 0)) & allowed)
    return features(recalled, stats)[rows], label[rows].astype(np.int64)


def recommendations(log: EarlierLog, question: Question, booster: Any, most: int) -> dict[str, Array]:
    """What each origin alone and both blends recommend: by system the ids of the `most` best, int64, best first."""
    recalled = log.recall.find(question.profile)
    ids, stats = recalled.keyword_id, log.indexes.stats
    allowed = log.shown(question, recalled)
    scores = {**recalled.scores, "fixed blend": fixed_blend(recalled, stats)}
    if booster is not None and len(ids):
        raw = booster.predict(features(recalled, stats), raw_score=True)
        scores["learned blend"] = raw - raw.min() + 1e-9
    elif booster is not None:
        scores["learned blend"] = np.zeros(0)
    found = {}
    for name, score in scores.items():
        score = np.where(allowed, score, 0.0)
        order = np.lexsort((ids, -score))
        found[name] = ids[order[score[order] > 0]][:most].astype(np.int64)
    return found
