"""Keywords and accounts as latent factors of who buys what: a truncated SVD (SPEC §1.8).

The matrix has a row an account and a column a keyword, 1 / √(keywords of the account) where it is bought: every account
has length 1, so an account of a thousand keywords does not outweigh a hundred small ones. A keyword's factors are its
right singular vectors times the singular values; keywords compare by the cosine of those, an account scores a keyword
by its row of the rank-k approximation, relative to the greatest of the account.

ARPACK starts from a fixed vector and scores are rounded to six digits, so that runs agree. Time grows with the non-zero
entries times the factors; neighbours of n keywords take n² · k multiplications in bounded blocks.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.linalg import svds

IntArray = npt.NDArray[np.int64]
RealArray = npt.NDArray[np.float64]
RankedList = tuple[IntArray, IntArray, RealArray]
"""(place of an account or keyword, place of a keyword, value), by the first and by rank."""

CELLS_A_BLOCK = 4_000_000
"""Cells of a dense block of scores."""
DENSE_CELLS = 250_000
"""Matrices up to this size are decomposed whole; ARPACK gives fewer factors than there are rows and columns."""
DIGITS = 6
DESCRIBED = 0.1
"""A keyword of whose column the factors keep less than this part is not described by them, and near to nothing."""
NOTHING = 1e-9
"""Singular values below this part of the greatest, and lengths below this, are zero."""


@dataclass(frozen=True)
class Factors:
    """`accounts` (accounts × k) and `keywords` (keywords × k), float64: their product approximates the matrix.

    `lengths` (keywords,) are those of the matrix's own columns.
    """

    accounts: RealArray
    keywords: RealArray
    lengths: RealArray


def factorise(bought: csr_array, most: int) -> Factors:
    """Truncated SVD of a matrix accounts × keywords of ones, with at most so many factors."""
    sizes = np.maximum(np.diff(bought.indptr), 1)
    matrix = csr_array(
        (bought.data / np.sqrt(np.repeat(sizes, np.diff(bought.indptr))), bought.indices, bought.indptr),
        shape=bought.shape,
    )
    smaller = min(matrix.shape)
    if smaller == 0 or matrix.nnz == 0:
        return Factors(np.zeros((matrix.shape[0], 0)), np.zeros((matrix.shape[1], 0)), np.zeros(matrix.shape[1]))
    if matrix.shape[0] * matrix.shape[1] <= DENSE_CELLS or smaller == 1:
        left, values, right = np.linalg.svd(matrix.toarray(), full_matrices=False)
    else:
        # An even start vector would be orthogonal to whatever changes sign; this one has no symmetry.
        start = 1 + np.modf(np.arange(1, smaller + 1) * np.sqrt(2.0))[0]
        left, values, right = svds(matrix, k=min(most, smaller - 1), v0=start)
    order = np.argsort(-values, kind="stable")[:most]
    order = order[values[order] > NOTHING * values.max()]
    left, values, right = left[:, order], values[order], right[order]
    # The sign of a factor is arbitrary: the keyword with the greatest weight decides it.
    sign = np.sign(right[np.arange(len(order)), np.abs(right).argmax(axis=1)])
    lengths = np.sqrt(np.bincount(matrix.indices, matrix.data * matrix.data, matrix.shape[1]))
    return Factors(left * sign, (right * (sign * values)[:, None]).T, lengths)


def nearest_keywords(factors: Factors, shown: IntArray, least: float, most: int) -> RankedList:
    """(keyword, neighbor, cosine) by keyword and rank: the `most` nearest of each with a cosine of at least `least`.

    Both are among the `shown` keywords (places, ascending).
    """
    vectors = factors.keywords[shown]
    lengths = np.sqrt((vectors * vectors).sum(axis=1))
    described = lengths > np.maximum(DESCRIBED * factors.lengths[shown], NOTHING)
    unit = np.where(described[:, None], vectors, 0.0) / np.where(described, lengths, 1.0)[:, None]
    keyword, neighbor, cosine = _best_of_blocks(unit, unit, least, most, without_diagonal=True)
    return shown[keyword], shown[neighbor], cosine


def keywords_of_accounts(factors: Factors, shown: IntArray, most: int) -> RankedList:
    """(account, keyword, score) by account and rank: its `most` greatest scores above 0, divided by the greatest.

    Keywords are among the `shown` ones (places, ascending).
    """
    least = 10.0**-DIGITS
    account, keyword, score = _best_of_blocks(
        factors.accounts, factors.keywords[shown], least, most, without_diagonal=False
    )
    greatest = score[np.searchsorted(account, account)]
    return account, shown[keyword], np.round(score / greatest, DIGITS)


def _best_of_blocks(
    left: RealArray, right: RealArray, least: float, most: int, *, without_diagonal: bool
) -> RankedList:
    rows_a_block = max(1, CELLS_A_BLOCK // max(len(right), 1))
    found: list[RankedList] = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for start in range(0, len(left), rows_a_block):
        scores = np.round(left[start : start + rows_a_block] @ right.T, DIGITS)
        if without_diagonal:
            rows = np.arange(len(scores))
            scores[rows, rows + start] = -np.inf
        row, column = np.nonzero(scores >= least)
        score = scores[row, column]
        order = np.lexsort((column, -score, row))
        row, column, score = row[order], column[order], score[order]
        kept = np.arange(len(row)) - np.searchsorted(row, row) < most
        found.append((row[kept] + start, column[kept], score[kept]))
    keyword, neighbor, score = (np.concatenate(column) for column in zip(*found, strict=True))
    return keyword, neighbor, score
