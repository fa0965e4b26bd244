"""`evaluate sessions`: every system predicts the next query of held-out sessions; the fusion is tested against each.

The log is cut by time. The earlier part is mined, and everything learns from it alone; a fusion is trained on a cut of
this earlier part.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, offsets_from_counts
from indexes.errors import UsageError
from indexes.terminal import step
from mining.fusion_model import FusionModel
from mining.fusion_training import SHARE, train_fusion
from mining.log_split import SplitLog, split_logs, split_moment
from mining.mine import READ_TABLES, mine
from mining.next_query import VARIANTS, NextQuerySystem, Questions, ask, bands_of, metrics, reciprocal_ranks
from mining.next_query_peers import peers
from mining.next_query_systems import FUSION, NOISY_OR, kr_systems
from mining.pair_evidence import PairEvidence
from mining.paired_tests import holm, sign_flip_p
from mining.session_sequences import SessionSequences, places_among, read_sessions
from mining.settings import MiningSettings


def evaluate_sessions(logs: Path, settings: MiningSettings, share: float = SHARE) -> dict[str, Any]:
    """The document that `evaluate sessions --json` prints: what was asked, and a row a system and variant.

    A row holds the metrics of `mining.next_query.metrics` and, for all but the system that the others are compared
    with, `difference` (of its MRR@10 to that system's), `p` (paired sign flips by user, Holm-corrected over the rows of
    the variant). Compared is with the fusion, or with the noisy or where the log is too short to train one
    (`no_fusion` says why). Raises UsageError if there is nothing to hold out or nothing is asked.
    """
    moment = split_moment(logs, share)
    with tempfile.TemporaryDirectory(prefix="kr-sessions-") as name:
        folder = Path(name)
        with step(f"cut the log at {moment:%Y-%m-%d %H:%M}"):
            split = split_logs(logs, READ_TABLES, moment, folder)
        mined = folder / "mined"
        with step("mine the earlier part"):
            mine(split.earlier, mined, settings)
        model, no_fusion = _fusion(split.earlier, settings, share)
        return {"share": share, "no_fusion": no_fusion, **evaluate_split(split, mined, model, settings)}


def evaluate_split(split: SplitLog, mined: Path, model: FusionModel | None, settings: MiningSettings) -> dict[str, Any]:
    """The same for a log that is cut already, the tables mined from its earlier part and a model trained on that."""
    with step("read the evidence and the sessions"):
        evidence = PairEvidence(mined)
        held_out, before = (read_sessions(part, settings) for part in (split.later, split.earlier))
        questions = ask(held_out, places_among(held_out.keywords, evidence.keywords))
    if not len(questions):
        raise UsageError(
            f"No session after {split.moment:%Y-%m-%d %H:%M} holds two different queries, so nothing can be predicted.",
            "Name a log with longer sessions, or another --share.",
        )
    band = bands_of(evidence.searches, questions.current)
    predicted = _predictions(mined, evidence, before, questions, model)
    compared = FUSION if model is not None else NOISY_OR
    known = questions.current >= 0
    return {
        "split": split.moment.isoformat(),
        "searches": {"earlier": int(evidence.searches.sum()), "later": len(held_out.keyword)},
        "keywords": len(evidence),
        "questions": len(questions),
        "sessions": len(held_out),
        "users": len(np.unique(questions.user)),
        "current_known": round(float(known.mean()), 4),
        "answerable": round(float((known & (questions.target >= 0)).mean()), 4),
        "compared_with": compared,
        "rows": _rows(predicted, questions, band, compared),
    }


def _fusion(logs: Path, settings: MiningSettings, share: float) -> tuple[FusionModel | None, str | None]:
    try:
        return train_fusion(logs, settings, share), None
    except UsageError as error:
        return None, str(error)


def _known_sessions(sessions: SessionSequences, evidence: PairEvidence) -> SessionSequences:
    """The same sessions, by the keywords' places in the evidence."""
    place = sessions.within(evidence.keywords)
    kept = place >= 0
    counts = np.bincount(sessions.owner[kept], minlength=len(sessions))
    return SessionSequences(evidence.keywords, offsets_from_counts(counts), place[kept].astype(np.int32), sessions.user)


def _predictions(
    mined: Path,
    evidence: PairEvidence,
    before: SessionSequences,
    questions: Questions,
    model: FusionModel | None,
) -> dict[tuple[str, str], Array]:
    """By variant and system what is named for each question."""
    asked = np.unique(questions.histories.keyword)

    def systems() -> Iterator[NextQuerySystem]:
        yield from kr_systems(mined, evidence, asked, model)
        yield from peers(_known_sessions(before, evidence), evidence.searches)

    given = {variant: questions.given(variant) for variant in VARIANTS}
    predicted = {}
    with step("predict"):
        for system in systems():
            for variant in VARIANTS:
                histories, question = given[variant]
                predicted[variant, system.name] = system.predict(histories)[question]
    return predicted


def _rows(
    predicted: dict[tuple[str, str], Array], questions: Questions, band: Array, compared: str
) -> list[dict[str, Any]]:
    rows = []
    for variant in VARIANTS:
        answers = {name: named for (other, name), named in predicted.items() if other == variant}
        ranks = {name: reciprocal_ranks(named, questions.target) for name, named in answers.items()}
        others = [name for name in answers if name != compared]
        differences = np.stack([ranks[name] - ranks[compared] for name in others], axis=1)
        p_values = dict(zip(others, holm(sign_flip_p(differences, questions.user)), strict=True))
        found = []
        for name, measured in zip(answers, metrics(list(answers.values()), questions, band), strict=True):
            row = {"system": name, "variant": variant, **measured, "difference": None, "p": None}
            if name != compared:
                row["difference"] = round(float((ranks[name] - ranks[compared]).mean()), 4)
                row["p"] = round(p_values[name], 5)
            found.append(row)
        rows += sorted(found, key=lambda row: -row["mrr_at_10"])
    return rows
