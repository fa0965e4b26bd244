"""Training the fusion on held-out sessions: the earlier part of a log is mined, the later part says what came true.

Only pairs that some miner found in the earlier part, and that the later part can judge, are learned from: the negatives
are what the miners would otherwise have claimed. Folds keep all pairs of a keyword together. What is searched next is
learned apart (`mining.next_share_training`).
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.errors import UsageError
from indexes.terminal import step
from mining.fusion_features import DEMAND, DIRECTIONS, NAMES, PLAIN_NAMES
from mining.fusion_labels import Confirmations, read_confirmations
from mining.fusion_model import FusionModel, at_demand
from mining.log_split import SplitLog, split_logs, split_moment
from mining.mine import READ_TABLES, mine
from mining.next_share_training import fit_next_share, followed_pairs
from mining.pair_evidence import PairEvidence
from mining.settings import MiningSettings

SHARE = 0.8
"""Of the days of the log, so many are mined and the others held out."""
MOST_PAIRS = 300_000
"""Keywords are drawn so that about so many pairs are learned from."""
FEWEST_POSITIVES = 50
FOLDS = 4
SEED = 20240630
REFERENCE = 0.95
"""Quantile of the demand of judged pairs that counts as frequent."""
KNOTS = 64
GRADES = {"clicked_in_common": 0.7, "searched_next": 0.3, "bought_together": 0.3}
"""How much each kind of confirmation says for a pair; both of people together are certainty. Chosen on seed 2."""
PARAMETERS: dict[str, object] = {
    "objective": "cross_entropy",
    "num_leaves": 31,
    "learning_rate": 0.08,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "num_threads": 1,
    "deterministic": True,
    "seed": 1,
    "verbose": -1,
    "monotone_constraints": list(DIRECTIONS),
}
ROUNDS = 150


@dataclass(frozen=True)
class LabelledPairs:
    """Pairs that could be judged: keyword int64, features float32 (n, features), and by kind whether confirmed."""

    keyword: Array
    features: Array
    kinds: dict[str, Array]

    @property
    def confirmed(self) -> Array:
        """Whether confirmed in any way, bool."""
        return np.logical_or.reduce(list(self.kinds.values()))

    @property
    def grade(self) -> Array:
        """What the trees learn, float64 in 0..1: a pair confirmed in two ways belongs together more surely."""
        return np.minimum(sum(GRADES[kind] * found for kind, found in self.kinds.items()), 1.0)


def train_fusion(logs: Path, settings: MiningSettings, share: float = SHARE) -> FusionModel:
    """A model from one log; the same log gives the same bytes.

    Raises UsageError if the later part of the log confirms too few pairs to learn from.
    """
    with tempfile.TemporaryDirectory(prefix="kr-fusion-") as name:
        folder = Path(name)
        moment = split_moment(logs, share)
        with step(f"cut the log at {moment:%Y-%m-%d %H:%M}"):
            split = split_logs(logs, READ_TABLES, moment, folder)
        mined = folder / "mined"
        with step("mine the earlier part"):
            mine(split.earlier, mined, settings)
        return train_on_split(split, mined, settings)


def train_on_split(split: SplitLog, mined: Path, settings: MiningSettings) -> FusionModel:
    """A model from the tables mined from the earlier part of a log, and the later part."""
    with step("read what the miners found, and what came true"):
        evidence = PairEvidence(mined)
        confirmations = read_confirmations(split, evidence.keywords, settings)
        pairs = labelled_pairs(evidence, confirmations)
        followed = followed_pairs(evidence, confirmations)
    with step(f"learn from {len(pairs.keyword):,} pairs, and what is searched next from {len(followed.share):,}"):
        model = fit(pairs)
        if followed.share.any():
            model = replace(model, next_trees=fit_next_share(followed))
    model.card["next_share"] = followed.card
    model.card["split"] = split.moment.isoformat()
    return model


def labelled_pairs(evidence: PairEvidence, confirmations: Confirmations) -> LabelledPairs:
    """The judged pairs of keywords drawn at random, at most about MOST_PAIRS."""
    judged = sum(int(confirmations.judged(pairs.keyword, pairs.neighbor).sum()) for pairs in evidence.pairs())
    drawn = np.random.default_rng(SEED).random(len(evidence)) < MOST_PAIRS / max(judged, 1)
    parts = list(_judged_parts(evidence, confirmations, drawn))
    if not parts:
        raise _too_few(0)
    kinds = {kind: np.concatenate([part.kinds[kind] for part in parts]) for kind in parts[0].kinds}
    return LabelledPairs(
        np.concatenate([part.keyword for part in parts]), np.concatenate([part.features for part in parts]), kinds
    )


def _judged_parts(evidence: PairEvidence, confirmations: Confirmations, drawn: Array) -> Iterator[LabelledPairs]:
    for pairs in evidence.pairs():
        rows = np.flatnonzero(confirmations.judged(pairs.keyword, pairs.neighbor) & drawn[pairs.keyword])
        keyword, neighbor = pairs.keyword[rows], pairs.neighbor[rows]
        yield LabelledPairs(keyword, pairs.features[rows], confirmations.by_kind(keyword, neighbor))


def fit(pairs: LabelledPairs) -> FusionModel:
    """Trees on all pairs; the calibration and the card from out-of-fold predictions.

    The same trees say what is searched next, as they must where no session of the later log tells.
    """
    import lightgbm

    confirmed, grade = pairs.confirmed, pairs.grade
    if confirmed.sum() < FEWEST_POSITIVES:
        raise _too_few(int(confirmed.sum()))
    reference = np.quantile(pairs.features[:, DEMAND], REFERENCE, axis=0).astype(np.float32)
    demand = (float(reference[0]), float(reference[1]))

    def boost(rows: Array) -> "lightgbm.Booster":
        data = lightgbm.Dataset(pairs.features[rows], grade[rows], feature_name=list(PLAIN_NAMES))
        return lightgbm.train(PARAMETERS, data, ROUNDS)

    fold = np.random.default_rng(SEED).integers(0, FOLDS, int(pairs.keyword.max()) + 1)[pairs.keyword]
    plain, frequent = np.zeros(len(fold)), np.zeros(len(fold))
    for held_out in range(FOLDS):
        rows = np.flatnonzero(fold == held_out)
        booster = boost(np.flatnonzero(fold != held_out))
        if len(rows):
            plain[rows] = booster.predict(pairs.features[rows], raw_score=True)
            frequent[rows] = booster.predict(at_demand(pairs.features[rows], demand), raw_score=True)
    often = (pairs.features[:, DEMAND] >= reference / 2).all(axis=1)
    knots, levels = isotonic_curve(frequent[often], confirmed[often])
    seen_again = share_seen_again(np.interp(frequent[often], knots, levels), confirmed[often])
    levels = np.minimum(levels / seen_again, 1.0)
    trees = boost(np.arange(len(fold)))
    text = trees.model_to_string()
    gains = trees.feature_importance("gain")
    card: dict[str, Any] = {
        "pairs": len(fold),
        "keywords": len(np.unique(pairs.keyword)),
        "confirmed": {kind: int(found.sum()) for kind, found in pairs.kinds.items()} | {"any": int(confirmed.sum())},
        "pairs_for_calibration": int(often.sum()),
        "share_seen_again": round(seen_again, 4),
        "auc": area_under_curve(plain, confirmed),
        "log_loss": log_loss(plain, confirmed),
        "gain": {name: round(float(gain / max(gains.sum(), 1e-9)), 4) for name, gain in zip(NAMES, gains, strict=True)},
    }
    return FusionModel(text, text, demand, knots, levels, card)


def isotonic_curve(log_odds: Array, confirmed: Array) -> tuple[Array, Array]:
    """Knots and levels of the isotonic regression, at most KNOTS, to be joined by straight lines."""
    from scipy.optimize import isotonic_regression

    order = np.argsort(log_odds, kind="stable")
    ordered = log_odds[order]
    fitted = isotonic_regression(confirmed[order].astype(np.float64)).x
    bins = np.array_split(np.arange(len(ordered)), min(KNOTS, len(ordered)))
    knots = np.array([ordered[rows].mean() for rows in bins])
    levels = np.array([fitted[rows].mean() for rows in bins])
    return np.maximum.accumulate(knots), np.clip(np.maximum.accumulate(levels), 0.0, 1.0)


def share_seen_again(level: Array, confirmed: Array) -> float:
    """The share of pairs that belong together that the later log confirms, more than 0.

    A later log only knows positives: what it does not confirm may belong together all the same. Of such labels Elkan &
    Noto (2008) show that the probability of a label is that of belonging together times a constant, and that the mean
    probability over the labelled ones estimates it.
    """
    return max(float(level[confirmed].mean()), 1e-6) if confirmed.any() else 1.0


def area_under_curve(scores: Array, positive: Array) -> float | None:
    """The chance that a positive scores above a negative, ties half; None without both."""
    from scipy.stats import rankdata

    count = int(positive.sum())
    if not 0 < count < len(scores):
        return None
    ranks = rankdata(scores)[positive].sum() - count * (count + 1) / 2
    return round(float(ranks / (count * (len(scores) - count))), 4)


def log_loss(log_odds: Array, positive: Array) -> float:
    """Mean of −ln p of what happened."""
    signed = np.where(positive, log_odds, -log_odds)
    return round(float(np.logaddexp(0.0, -signed).mean()), 4)


def _too_few(found: int) -> UsageError:
    return UsageError(
        f"The later part of the log confirms {found} of the pairs mined from the earlier one; {FEWEST_POSITIVES} are "
        "needed to learn from.",
        "Name a longer log, lower --set min_users, or do without a fusion model: the miners are then joined by a "
        "fixed rule.",
    )
