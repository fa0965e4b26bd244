"""A linear model over sparse differences: which words and characters a pair shares, lacks and puts in their place.

发烧症状 and 发烧治疗 share most of their characters and mean different things; labels tell which substitutions matter.
Each pair gives hashed codes: tokens shared, missed and added, each missed token beside each added one, and the same for
characters and pairs of neighbouring characters. A softmax (classes) or ridge (grades) regression weighs them; what it
says about a pair is a feature of the tree model, which in training sees only what models of other queries say.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse

from indexes.arrays import Array, ArrayFolder, sorted_distinct, write_array
from indexes.compiled import njit
from kr.relevance.descent import minimise
from kr.relevance.features import EncodedPairs

CODE_BITS = 18
MOST_CODES = 512
MOST_PAIRED = 6
MOST_ITERATIONS = 40
MISSED, ADDED, SHARED, EXCHANGED = 1, 2, 3, 4
MISSED_BIGRAM, ADDED_BIGRAM, SHARED_BIGRAM, MISSED_CHAR, ADDED_CHAR = 5, 6, 7, 8, 9
BOUNDARY = 3
"""Stands before the first and after the last character; no letter has this code."""


@njit
def code_of(kind: int, first: int, second: int) -> int:
    """A code below 2^CODE_BITS by multiplicative mixing (constants of splitmix64)."""
    value = np.uint64(first & 0xFFFFFFFF) | (np.uint64(second & 0xFFFFFFFF) << np.uint64(32))
    value = (value + np.uint64(kind) * np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(29)
    value *= np.uint64(0x94D049BB133111EB)
    return int(value >> np.uint64(64 - CODE_BITS))


@njit
def _holds(items: Array, wanted: int) -> bool:
    for item in items:  # noqa: SIM110 - numba compiles no any() over a generator
        if item == wanted:
            return True
    return False


@njit
def _bigram(chars: Array, place: int) -> int:
    """The characters before and at `place` as one number; places 0 and len(chars) touch the boundary."""
    before = int(chars[place - 1]) if place > 0 else BOUNDARY
    at = int(chars[place]) if place < len(chars) else BOUNDARY
    return before << 16 | at


@njit
def _has_bigram(chars: Array, bigram: int) -> bool:
    for place in range(len(chars) + 1):  # noqa: SIM110
        if _bigram(chars, place) == bigram:
            return True
    return False


@njit
def substitution_codes(query: Array, query_hashes: Array, keyword: Array, hashes: Array, codes: Array) -> int:
    """Write the codes of one pair (characters uint16, token hashes int32) into `codes`; how many there are."""
    count = 0
    limit = len(codes)
    missed = np.zeros(MOST_PAIRED, np.int64)
    added = np.zeros(MOST_PAIRED, np.int64)
    misses = adds = 0
    for token in query_hashes:
        if count == limit:
            break
        if _holds(hashes, token):
            codes[count] = code_of(SHARED, token, 0)
        else:
            codes[count] = code_of(MISSED, token, 0)
            if misses < MOST_PAIRED:
                missed[misses] = token
                misses += 1
        count += 1
    for token in hashes:
        if count == limit:
            break
        if not _holds(query_hashes, token):
            codes[count] = code_of(ADDED, token, 0)
            count += 1
            if adds < MOST_PAIRED:
                added[adds] = token
                adds += 1
    # Nothing missed or nothing added is a substitution by nothing: token 0.
    for one in range(max(misses, 1)):
        for other in range(max(adds, 1)):
            if count < limit:
                codes[count] = code_of(EXCHANGED, missed[one], added[other])
                count += 1
    for place in range(len(query) + 1):
        if count == limit:
            break
        bigram = _bigram(query, place)
        codes[count] = code_of(SHARED_BIGRAM if _has_bigram(keyword, bigram) else MISSED_BIGRAM, bigram, 0)
        count += 1
        if count < limit and place < len(query) and not _holds(keyword, query[place]):
            codes[count] = code_of(MISSED_CHAR, query[place], 0)
            count += 1
    for place in range(len(keyword) + 1):
        bigram = _bigram(keyword, place)
        if count < limit and not _has_bigram(query, bigram):
            codes[count] = code_of(ADDED_BIGRAM, bigram, 0)
            count += 1
        if count < limit and place < len(keyword) and not _holds(query, keyword[place]):
            codes[count] = code_of(ADDED_CHAR, keyword[place], 0)
            count += 1
    return count


@njit
def _all_codes(
    query_rows: Array, keyword_rows: Array, queries: tuple[Array, ...], keywords: tuple[Array, ...], out: Array
) -> Array:
    """Offsets int64 (n + 1,) of each pair's codes in `out`, which a second call, with room enough, fills."""
    query_char_offsets, query_chars, query_offsets, query_hashes = queries
    char_offsets, chars, offsets, hashes = keywords
    ends = np.zeros(len(query_rows) + 1, np.int64)
    codes = np.zeros(MOST_CODES, np.int32)
    for pair in range(len(query_rows)):
        q, k = query_rows[pair], keyword_rows[pair]
        count = substitution_codes(
            query_chars[query_char_offsets[q] : query_char_offsets[q + 1]],
            query_hashes[query_offsets[q] : query_offsets[q + 1]],
            chars[char_offsets[k] : char_offsets[k + 1]],
            hashes[offsets[k] : offsets[k + 1]],
            codes,
        )
        start = ends[pair]
        ends[pair + 1] = start + count
        if len(out):
            out[start : start + count] = codes[:count]
    return ends


@njit
def _scores(
    query_rows: Array,
    keyword_rows: Array,
    queries: tuple[Array, ...],
    keywords: tuple[Array, ...],
    weights: Array,
    bias: Array,
    first: int,
    out: Array,
) -> None:
    query_char_offsets, query_chars, query_offsets, query_hashes = queries
    char_offsets, chars, offsets, hashes = keywords
    codes = np.zeros(MOST_CODES, np.int32)
    outputs = len(bias)
    totals = np.zeros(outputs)
    for pair in range(len(query_rows)):
        q, k = query_rows[pair], keyword_rows[pair]
        count = substitution_codes(
            query_chars[query_char_offsets[q] : query_char_offsets[q + 1]],
            query_hashes[query_offsets[q] : query_offsets[q + 1]],
            chars[char_offsets[k] : char_offsets[k + 1]],
            hashes[offsets[k] : offsets[k + 1]],
            codes,
        )
        scale = 1.0 / np.sqrt(max(count, 1))
        totals[:] = 0
        for place in range(count):
            for output in range(outputs):
                totals[output] += weights[codes[place], output]
        for output in range(outputs):
            out[pair, first + output] = bias[output] + totals[output] * scale


def _parts(pairs: EncodedPairs) -> tuple[Array, Array, tuple[Array, ...], tuple[Array, ...]]:
    queries, keywords = pairs.queries, pairs.keywords
    return (
        pairs.query_rows,
        pairs.keyword_rows,
        (queries.char_offsets, queries.chars, queries.token_offsets, queries.hashes),
        (keywords.char_offsets, keywords.chars, keywords.token_offsets, keywords.hashes),
    )


def code_matrix(pairs: EncodedPairs) -> scipy.sparse.csr_matrix:
    """A row a pair with 1/√count in the column of each of its codes; float64 (n, 2^CODE_BITS)."""
    parts = _parts(pairs)
    ends = _all_codes(*parts, np.empty(0, np.int32))
    codes = np.empty(int(ends[-1]), np.int32)
    if len(codes):
        _all_codes(*parts, codes)
    counts = np.diff(ends)
    values = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts)
    matrix = scipy.sparse.csr_matrix((values, codes, ends), shape=(len(pairs), 1 << CODE_BITS))
    matrix.sum_duplicates()
    return matrix


@dataclass(frozen=True)
class Substitutions:
    """The linear model: `weights` float32 (2^CODE_BITS, outputs), `bias` float64 (outputs,)."""

    weights: Array
    bias: Array

    def scores(self, pairs: EncodedPairs) -> Array:
        """Scores float32 (n, outputs)."""
        out = np.empty((len(pairs), len(self.bias)), np.float32)
        self.write_scores(pairs, 0, out)
        return out

    def write_scores(self, pairs: EncodedPairs, first: int, out: Array) -> None:
        """Write the scores into `out`, float32 (n, …), from the column `first` on."""
        _scores(*_parts(pairs), self.weights, self.bias, first, out)

    def write(self, folder: Path) -> None:
        """Write below `folder/substitutions`."""
        write_array(folder, "substitutions/weights.npy", self.weights)
        write_array(folder, "substitutions/bias.npy", self.bias)

    @staticmethod
    def read(folder: Path) -> "Substitutions":
        """Read what `write` wrote."""
        reader = ArrayFolder(folder)
        arrays = (np.ascontiguousarray(reader.array(f"substitutions/{name}.npy")) for name in ("weights", "bias"))
        return Substitutions(*arrays)


def fit_substitutions(matrix: scipy.sparse.csr_matrix, targets: Array, penalty: float) -> Substitutions:
    """Weigh the codes: `targets` one-hot (n, classes) for a softmax, or (n, 1) for a ridge regression."""
    used = sorted_distinct(matrix.indices)
    part = matrix[:, used].tocsr()
    transposed = part.T.tocsr()
    codes, outputs = len(used), targets.shape[1]

    def loss_and_gradient(flat: Array) -> tuple[float, Array]:
        weights, bias = flat[:-outputs].reshape(codes, outputs), flat[-outputs:]
        scores = part @ weights + bias
        if outputs == 1:
            errors = scores - targets
            loss = 0.5 * float((errors**2).sum())
        else:
            scores -= scores.max(axis=1, keepdims=True)
            logs = np.log(np.exp(scores).sum(axis=1, keepdims=True))
            loss = float((targets * (logs - scores)).sum())
            errors = np.exp(scores - logs) - targets
        loss += 0.5 * penalty * float((weights**2).sum())
        return loss, np.concatenate([(transposed @ errors + penalty * weights).ravel(), errors.sum(axis=0)])

    start = np.zeros(codes * outputs + outputs)
    start[-outputs:] = targets.mean(axis=0) if outputs == 1 else 0.0
    found = minimise(loss_and_gradient, start, MOST_ITERATIONS)
    weights = np.zeros((matrix.shape[1], outputs), np.float32)
    weights[used] = found[:-outputs].reshape(codes, outputs)
    return Substitutions(weights, found[-outputs:])
