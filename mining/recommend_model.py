"""A learned blend of recommendations on disk: what `train recommend` writes and `build --recommend-model` reads."""

import hashlib
import json
from pathlib import Path
from typing import Any

from indexes.arrays import write_json
from indexes.blend_model import FEATURES, FORMAT_VERSION, TRAIN_AGAIN, BlendModel
from indexes.errors import CorruptError, NotFoundError

MODEL = "recommend.json"


def blend_document(trees: str, low: float, high: float, card: dict[str, Any]) -> dict[str, Any]:
    """The JSON of a model; `sha256` names it by its trees."""
    return {
        "format_version": FORMAT_VERSION,
        "features": list(FEATURES),
        "scores": [low, high],
        "sha256": hashlib.sha256(trees.encode()).hexdigest(),
        "trees": trees,
        "card": card,
    }


def write_blend(folder: Path, document: dict[str, Any]) -> None:
    """Write a model into a folder that exists."""
    write_json(folder, MODEL, document)


def read_blend(folder: Path) -> dict[str, Any]:
    """A model's document. NotFoundError, or CorruptError if it is damaged or of other features."""
    file = folder / MODEL
    if not file.is_file():
        raise NotFoundError(f"{folder} holds no {MODEL}.", "Name a folder made by train recommend.")
    try:
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorruptError(f"{file} is damaged: {error}.", TRAIN_AGAIN) from None
    model = BlendModel.of_document(document, str(file))
    if hashlib.sha256(model.trees.encode()).hexdigest() != model.sha256:
        raise CorruptError(f"{file} is damaged: its trees are not those it was written with.", TRAIN_AGAIN)
    return document
