"""A trained relevance model: what it needs from text, its trees, and what its numbers mean. No pickle anywhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, write_json
from indexes.errors import CorruptError, NotFoundError, UsageError
from kr.relevance.calibration import ClassCalibration, GradeCalibration
from kr.relevance.encoder import ENCODER_FEATURES, Encoder, embed_pairs
from kr.relevance.feature_list import KERNEL_FEATURES, Feature, substitution_features, term_feature_list
from kr.relevance.features import EncodedPairs, encode_pairs, kernel_feature_count, kernels_of, write_pair_features
from kr.relevance.forest import Forest
from kr.relevance.pairs import CLASSES, LabelledPairs
from kr.relevance.substitutions import Substitutions
from kr.relevance.text_knowledge import TextKnowledge
from kr.relevance.thresholds import Use

FORMAT_VERSION = 2
TRAIN_AGAIN = "Train the model again with manage.py train relevance."


@dataclass(frozen=True)
class Predictions:
    """`relevance` float64 (n,) in 0..1: the expected label on the scale from the lowest to the highest.

    With classes: `probabilities` (n, classes), and `chosen`, the class decided for, int64 (n,). With grades: `grades`
    (n,), in the labels' unit. What does not apply is None.
    """

    relevance: Array
    probabilities: Array | None
    chosen: Array | None
    grades: Array | None

    def take(self, rows: Array) -> "Predictions":
        """The predictions of these rows."""
        others = (self.probabilities, self.chosen, self.grades)
        return Predictions(self.relevance[rows], *(None if column is None else column[rows] for column in others))


@dataclass(frozen=True)
class RelevanceModel:
    """One model. `labels` are the classes in ascending order, or the lowest and the highest grade."""

    kind: str
    labels: Array
    knowledge: TextKnowledge
    substitutions: Substitutions
    columns: Array
    """Columns of `all_features` that the trees read, int64."""
    forest: Forest
    calibration: ClassCalibration | GradeCalibration
    thresholds: Mapping[Use, float]
    """From which relevance on each use admits a pair."""
    card: dict[str, Any]
    encoder: Encoder | None = None
    """Of a model that reads the sentence encoder; such a model needs the texts themselves and is not served."""

    def feature_list(self) -> tuple[Feature, ...]:
        """All features that the code computes for this model, in the order of `features` before pruning."""
        return feature_names(len(self.substitutions.bias), self.knowledge.lexicons.kinds, self.encoder is not None)

    def features(self, pairs: EncodedPairs, of_encoder: Array | None = None) -> Array:
        """All features, float32 (n, columns); those of kernels that the trees do not read are 0.

        `of_encoder` are the encoder's columns, if the model has one.
        """
        first = kernel_feature_count(self.knowledge) + (0 if of_encoder is None else of_encoder.shape[1])
        out = np.zeros((len(pairs), first + len(self.substitutions.bias)), np.float32)
        write_pair_features(pairs, self.knowledge, kernels_of(self.columns, self.knowledge), out)
        if of_encoder is not None:
            out[:, first - of_encoder.shape[1] : first] = of_encoder
        self.substitutions.write_scores(pairs, first, out)
        return out

    def predict(self, queries: Sequence[str], keywords: Sequence[str]) -> Predictions:
        """Predict for texts as they are typed."""
        pairs = encode_pairs(tuple(queries), tuple(keywords), self.knowledge)
        if self.encoder is None:
            return self.predict_encoded(pairs)
        of_encoder = self.encoder.features(*embed_pairs(queries, keywords))
        return self.interpret(self.forest.predict(self.features(pairs, of_encoder)))

    def predict_encoded(self, pairs: EncodedPairs) -> Predictions:
        """Predict for encoded pairs, by a model without the sentence encoder."""
        if self.encoder is not None:
            raise UsageError(
                "This relevance model reads the sentence encoder, which is too slow to serve.",
                "Train one with --encoder none.",
            )
        return self.interpret(self.forest.predict(self.features(pairs)))

    def interpret(self, raw: Array) -> Predictions:
        """What the forest's output, (n, outputs), means."""
        return interpret(raw, self.labels, self.calibration)

    def refuse_other_labels(self, pairs: LabelledPairs) -> None:
        """UsageError if pairs bear labels that this model does not know: another scale, or classes beside grades."""
        if self.kind == CLASSES:
            unknown = sorted(set(pairs.labels.tolist()) - set(self.labels.tolist()))
            if unknown:
                raise UsageError(
                    f"The label {unknown[0]:g} is none of the model's classes "
                    f"{', '.join(f'{label:g}' for label in self.labels)}.",
                    "Evaluate on pairs labelled as those it was trained on.",
                )
        elif pairs.labels.max() < self.labels[0] or pairs.labels.min() > self.labels[-1]:
            raise UsageError(
                f"The labels {pairs.labels.min():g} to {pairs.labels.max():g} lie outside the model's scale "
                f"{self.labels[0]:g} to {self.labels[-1]:g}.",
                "Evaluate on pairs labelled as those it was trained on.",
            )

    def write(self, folder: Path) -> None:
        """Write into a folder, which must be empty or new."""
        folder.mkdir(parents=True, exist_ok=True)
        self.knowledge.write(folder)
        self.substitutions.write(folder)
        self.forest.write(folder)
        if self.encoder is not None:
            self.encoder.write(folder)
        write_json(
            folder,
            "model.json",
            {
                "format_version": FORMAT_VERSION,
                "kind": self.kind,
                "labels": self.labels.tolist(),
                "features": [feature.name for feature in self.feature_list()],
                "encoder": self.encoder is not None,
                "used_features": self.columns.tolist(),
                "calibration": self.calibration.as_json(),
                "thresholds": dict(self.thresholds),
            },
        )
        write_json(folder, "card.json", self.card)

    @staticmethod
    def read(folder: Path) -> "RelevanceModel":
        """Open a model. NotFoundError, or CorruptError if it is damaged or of other features than this code's."""
        file = folder / "model.json"
        if not file.is_file():
            raise NotFoundError(f"{folder} holds no relevance model (no model.json).", "Name a folder made by train.")
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
            if document["format_version"] != FORMAT_VERSION:
                raise CorruptError(
                    f"{file}: format version {document['format_version']}, this code reads {FORMAT_VERSION}.",
                    TRAIN_AGAIN,
                )
            substitutions = Substitutions.read(folder)
            knowledge = TextKnowledge.read(folder)
            columns = np.array(document["used_features"], np.int64)
            names = feature_names(len(substitutions.bias), knowledge.lexicons.kinds, document["encoder"])
            _refuse_other_features(file, document["features"], names)
            calibration = ClassCalibration if document["kind"] == CLASSES else GradeCalibration
            return RelevanceModel(
                kind=document["kind"],
                labels=np.array(document["labels"], np.float64),
                knowledge=knowledge,
                substitutions=substitutions,
                columns=columns,
                forest=Forest.read(folder, columns),
                calibration=calibration.of_json(document["calibration"]),
                thresholds={use: float(document["thresholds"][use]) for use in Use},
                card=json.loads((folder / "card.json").read_text(encoding="utf-8")),
                encoder=Encoder.read(folder) if document["encoder"] else None,
            )
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise CorruptError(f"The relevance model {folder} is damaged: {error}.", TRAIN_AGAIN) from None


def feature_names(outputs: int, kinds: Sequence[str], with_encoder: bool) -> tuple[Feature, ...]:
    """All features in the order of their columns: `outputs` of the linear model, `kinds` of listed things."""
    encoder = ENCODER_FEATURES if with_encoder else ()
    return KERNEL_FEATURES + term_feature_list(kinds) + encoder + substitution_features(outputs)


def interpret(raw: Array, labels: Array, calibration: ClassCalibration | GradeCalibration) -> Predictions:
    """Calibrated numbers from raw outputs (n, classes) or (n, 1)."""
    low, high = labels[0], labels[-1]
    if isinstance(calibration, ClassCalibration):
        probabilities = calibration.probabilities(raw)
        relevance = probabilities @ ((labels - low) / (high - low))
        return Predictions(relevance, probabilities, calibration.decide(probabilities), None)
    grades = np.clip(calibration.grades(raw[:, 0]), low, high)
    return Predictions((grades - low) / (high - low), None, None, grades)


def _refuse_other_features(file: Path, of_model: list[str], of_code: tuple[Feature, ...]) -> None:
    names = [feature.name for feature in of_code]
    if of_model == names:
        return
    unknown = [name for name in of_model if name not in names]
    missing = [name for name in names if name not in of_model]
    parts = []
    if unknown:
        parts.append(f"it reads {', '.join(unknown)}, which this code does not compute")
    if missing:
        parts.append(f"it lacks {', '.join(missing)}")
    raise CorruptError(
        f"{file}: trained with other features than this code has: {'; '.join(parts) or 'their order differs'}.",
        TRAIN_AGAIN,
    )
