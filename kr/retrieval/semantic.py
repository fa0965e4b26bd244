"""The source that finds keywords of like meaning, whatever their words: the nearest vectors."""

from collections.abc import Mapping

import numpy as np

from indexes.opened import Indexes
from indexes.text import tokens
from indexes.vectors import LEAST_SIMILARITY
from kr.retrieval.token_match import best_of_each
from kr.types import Candidates, ColumnSpec, Request


class SemanticSource:
    """The keywords nearest to each seed, if near enough; silent about a seed whose words mean nothing to the model.

    Adds `semantic_similarity` float32, the greatest cosine over the seeds, and `semantic_seed` int32, that seed's
    position, -1 where absent.
    """

    name = "semantic"
    adds: Mapping[str, ColumnSpec] = {
        "semantic_similarity": ColumnSpec("float32", 0.0),
        "semantic_seed": ColumnSpec("int32", -1),
    }

    def __init__(self, indexes: Indexes, most: int) -> None:
        self._indexes = indexes
        self._most = most

    def retrieve(self, request: Request) -> Candidates:
        ids = [np.empty(0, np.int32)]
        similarities = [np.empty(0, np.float32)]
        seeds = [np.empty(0, np.int32)]
        for position, seed in enumerate(request.seeds):
            code = self._indexes.term_vectors.code(tokens(seed))
            if code is None:
                continue
            found, similarity = self._indexes.vectors.nearest(code, self._most)
            near = similarity >= LEAST_SIMILARITY
            ids.append(found[near])
            similarities.append(similarity[near])
            seeds.append(np.full(int(near.sum()), position, np.int32))
        return best_of_each(
            np.concatenate(ids),
            np.concatenate(similarities),
            "semantic_similarity",
            {"semantic_seed": np.concatenate(seeds)},
        )
