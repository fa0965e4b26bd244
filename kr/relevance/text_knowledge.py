"""Everything that a model knows of text before it sees a label: statistics, token vectors and word lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.arrays import Array, ArrayFolder, write_array
from kr.relevance.lexicons import Lexicons
from kr.relevance.text_statistics import TextStatistics, fit_text_statistics
from kr.relevance.vectors import fit_vectors


@dataclass(frozen=True)
class TextKnowledge:
    """`vectors` float32 (V + 1, d) by the statistics' vocabulary, of length one; unknown tokens' is zero."""

    statistics: TextStatistics
    vectors: Array
    lexicons: Lexicons

    @staticmethod
    def fit(texts: Sequence[str], vector_size: int, lexicons: Lexicons) -> "TextKnowledge":
        """Fit what is fitted to unlabelled texts."""
        statistics = fit_text_statistics(texts)
        return TextKnowledge(statistics, fit_vectors(texts, statistics.vocabulary, vector_size), lexicons)

    def write(self, folder: Path) -> None:
        """Write below `folder`, which exists."""
        self.statistics.write(folder)
        write_array(folder, "vectors.npy", self.vectors)
        self.lexicons.write(folder)

    @staticmethod
    def read(folder: Path) -> "TextKnowledge":
        """Read what `write` wrote."""
        vectors = np.ascontiguousarray(ArrayFolder(folder).array("vectors.npy"))
        return TextKnowledge(TextStatistics.read(folder), vectors, Lexicons.read(folder))
