"""`evaluate recommend`: what accounts buy later, recommended from what was known before; the blend against everything.

The log is cut by time. The earlier part is mined and built, and everything learns from it alone; the learned blend is
trained on a cut of this earlier part. recall@20 is the share of the purchases that are among the 20 named, of 20 at
most; NDCG@20 counts a purchase at place p as 1 / log2(p + 1), over the best that could be reached. Close variants of
what is owned are not recommended; what is named counts only if it was bought as it stands.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from indexes.account_recall import ORIGINS
from indexes.arrays import Array
from indexes.errors import UsageError
from indexes.terminal import step
from mining.log_split import split_logs, split_moment
from mining.paired_tests import bootstrap_intervals, holm, sign_flip_p
from mining.recommend_peers import peers
from mining.recommend_questions import COLD, HISTORY, SPLIT_TABLES, EarlierLog, Question
from mining.recommend_training import recommendations, train_recommend
from mining.settings import MiningSettings

CUT = 20
SHARE = 0.8
MEASURES = ("recall_at_20", "ndcg_at_20", "coverage")
LEARNED, FIXED = "learned blend", "fixed blend"
PEERS = "peer"


def evaluate_recommend(logs: Path, settings: MiningSettings, share: float = SHARE) -> dict[str, Any]:
    """The document that `evaluate recommend --json` prints: what was asked, and a row a system and variant.

    Variants: `history`, accounts that bought before; `cold start`, all accounts as if they had never bought anything.
    `p` and `p_recall` are paired sign flips by account against the learned blend, Holm-corrected over the rows of a
    variant; where the log is too short to train one (`no_model` says why) against the fixed blend. Raises UsageError
    if nothing new is bought in the later part.
    """
    moment = split_moment(logs, share)
    with tempfile.TemporaryDirectory(prefix="kr-recommend-") as name:
        folder = Path(name)
        with step(f"cut the log at {moment:%Y-%m-%d %H:%M}"):
            split = split_logs(logs, SPLIT_TABLES, moment, folder)
        model, no_model = None, None
        try:
            model = train_recommend(split.earlier, settings)
        except UsageError as error:
            no_model = str(error)
        return {"share": share, "no_model": no_model, **evaluate_cut(EarlierLog(split, settings, folder), model)}


def evaluate_cut(log: EarlierLog, model: dict[str, Any] | None) -> dict[str, Any]:
    """The same for a log that is cut, mined and built already, and a model trained on its earlier part."""
    booster = None
    if model is not None:
        import lightgbm

        booster = lightgbm.Booster(model_str=model["trees"])
    rows: list[dict[str, Any]] = []
    asked: dict[str, Any] = {}
    for variant in (HISTORY, COLD):
        questions = list(log.questions(variant))
        if not questions:
            continue
        with step(f"recommend to {len(questions):,} accounts ({variant})"):
            answers = _answers(log, questions, booster)
        asked[variant] = {
            "accounts": len(questions),
            "purchases": int(sum(len(question.bought) for question in questions)),
            "known": round(float(np.mean([(question.bought >= 0).mean() for question in questions])), 4),
        }
        rows += variant_rows(variant, questions, answers, LEARNED if booster is not None else FIXED)
    if HISTORY not in asked:
        raise UsageError(
            f"No account of before {log.split.moment:%Y-%m-%d} buys anything new afterwards.",
            "Name a longer log, or another --share.",
        )
    return {
        "split": log.split.moment.isoformat(),
        "keywords": len(log.indexes.keywords),
        "bought_keywords": len(log.accounts.bought),
        "asked": asked,
        "rows": rows,
    }


def _answers(log: EarlierLog, questions: list[Question], booster: Any) -> dict[str, list[Array]]:
    answers: dict[str, list[Array]] = {}
    for question in questions:
        for name, named in recommendations(log, question, booster, CUT).items():
            answers.setdefault(name, []).append(named)
    for peer in peers(log.accounts):
        answers[peer.name] = [peer.recommend(question, CUT) for question in questions]
    return answers


def measured(named: Array, bought: Array) -> tuple[float, float, float]:
    """recall@20, NDCG@20 and coverage (1: something is named) of one answer."""
    hits = np.isin(named[:CUT], bought[bought >= 0])
    most = min(CUT, len(bought))
    gains = 1.0 / np.log2(np.arange(CUT) + 2)
    return float(hits.sum() / most), float(gains[: len(hits)][hits].sum() / gains[:most].sum()), float(len(named) > 0)


def variant_rows(
    variant: str, questions: list[Question], answers: dict[str, list[Array]], compared: str
) -> list[dict[str, Any]]:
    """A row a system, the best NDCG first."""
    account = np.array([question.account for question in questions])
    values = {
        name: np.array(
            [measured(each, question.bought) for each, question in zip(named, questions, strict=True)], np.float64
        )
        for name, named in answers.items()
    }
    others = [name for name in values if name != compared]
    differences = np.concatenate([values[name][:, :2] - values[compared][:, :2] for name in others], axis=1)
    p = sign_flip_p(differences, account)
    corrected = {
        measure: dict(zip(others, holm(p[place::2]), strict=True)) for place, measure in enumerate(MEASURES[:2])
    }
    rows = []
    for name, columns in values.items():
        row: dict[str, Any] = {"system": name, "variant": variant, "kind": kind_of(name)}
        for place, (measure, interval) in enumerate(zip(MEASURES, bootstrap_intervals(columns, account), strict=True)):
            row[measure] = round(float(columns[:, place].mean()), 4)
            row[f"{measure}_interval"] = interval
        row["difference"] = row["p"] = row["p_recall"] = None
        if name != compared:
            row["difference"] = round(float((columns[:, 1] - values[compared][:, 1]).mean()), 4)
            row["p"] = round(corrected["ndcg_at_20"][name], 5)
            row["p_recall"] = round(corrected["recall_at_20"][name], 5)
        rows.append(row)
    return sorted(rows, key=lambda row: (-row["ndcg_at_20"], row["system"]))


def kind_of(system: str) -> str:
    """What a system is: one origin alone, a blend, or a peer."""
    if system in (LEARNED, FIXED):
        return "blend"
    return "origin" if system in ORIGINS else PEERS
