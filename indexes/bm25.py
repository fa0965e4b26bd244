"""Okapi BM25 as the package rank-bm25 computes it (class BM25Okapi), which all of KR's postings equal to rounding.

k1 = 1.5, b = 0.75, idf = ln(N − n + 0.5) − ln(n + 0.5), where a negative idf is replaced by 0.25 times the mean idf of
all tokens. A token that stands twice in the query counts twice.
"""

from typing import Any

import numpy as np

from indexes.arrays import Array

K1 = 1.5
B = 0.75
EPSILON = 0.25


def length_norm(length: Any, mean_length: float) -> Any:
    """What a keyword of `length` tokens adds to the frequency in the denominator; float64."""
    return K1 * (1 - B + B * length / mean_length)


def impact(frequency: Any, norm: Any) -> Any:
    """What idf is multiplied by for keywords of this norm that hold the token `frequency` times; float64."""
    return frequency * (K1 + 1) / (frequency + norm)


def inverse_document_frequencies(document_frequencies: Array, documents: int) -> Array:
    """Okapi idf of each token, float64, negative ones replaced as rank-bm25 does."""
    idf = np.log(documents - document_frequencies + 0.5) - np.log(document_frequencies + 0.5)
    if len(idf):
        idf[idf < 0] = EPSILON * idf.mean()
    return idf
