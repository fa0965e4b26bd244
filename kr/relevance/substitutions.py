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
from indexes.compiled import inner_njit, njit
from kr.relevance.bit_kernels import ONE, ZERO
from kr.relevance.character_kernel import MOST_QUERY_CHARS
from kr.relevance.descent import minimise
from kr.relevance.features import EncodedPairs, room_of_thread

CODE_BITS = 18
MOST_CODES = 512
MOST_PAIRED = 6
MOST_ITERATIONS = 40
MISSED, ADDED, SHARED, EXCHANGED = 1, 2, 3, 4
MISSED_BIGRAM, ADDED_BIGRAM, SHARED_BIGRAM, MISSED_CHAR, ADDED_CHAR = 5, 6, 7, 8, 9
BOUNDARY = 3
"""Stands before the first and after the last character; no letter has this code."""


@inner_njit
def code_of(kind: int, first: int, second: int) -> int:
    """A code below 2^CODE_BITS by multiplicative mixing (constants of splitmix64)."""
    value = np.uint64(first & 0xFFFFFFFF) | (np.uint64(second & 0xFFFFFFFF) << np.uint64(32))
    value = (value + np.uint64(kind) * np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(29)
    value *= np.uint64(0x94D049BB133111EB)
    return int(value >> np.uint64(64 - CODE_BITS))


@inner_njit
def _holds(items: Array, wanted: int) -> bool:
    for item in items:  # noqa: SIM110 - numba compiles no any() over a generator
        if item == wanted:
            return True
    return False


@inner_njit
def _bigram(chars: Array, place: int) -> int:
    """The characters before and at `place` as one number; places 0 and len(chars) touch the boundary."""
    before = int(chars[place - 1]) if place > 0 else BOUNDARY
    at = int(chars[place]) if place < len(chars) else BOUNDARY
    return before << 16 | at


@inner_njit
def _mark_query(query: Array, masks: Array, prepared: Array) -> None:
    """Mark the places of a query's characters, and write what each place may give, once for all of its pairs.

    `prepared` int32 (3, 65): the codes of a bigram shared, of a bigram missed, and of a character missed.
    """
    for place in range(len(query) + 1):
        bigram = _bigram(query, place)
        prepared[0, place] = code_of(SHARED_BIGRAM, bigram, 0)
        prepared[1, place] = code_of(MISSED_BIGRAM, bigram, 0)
        if place < len(query):
            masks[query[place]] |= ONE << np.uint64(place)
            prepared[2, place] = code_of(MISSED_CHAR, query[place], 0)


@inner_njit
def _token_codes(query_hashes: Array, hashes: Array, missed: Array, added: Array, codes: Array) -> int:
    """Write the codes of tokens shared, missed, added and exchanged; how many there are."""
    count = misses = adds = 0
    limit = len(codes)
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
    missed[misses : max(misses, 1)] = 0
    added[adds : max(adds, 1)] = 0
    for one in range(max(misses, 1)):
        for other in range(max(adds, 1)):
            if count < limit:
                codes[count] = code_of(EXCHANGED, missed[one], added[other])
                count += 1
    return count


@inner_njit
def _character_codes(query: Array, keyword: Array, masks: Array, prepared: Array, codes: Array, count: int) -> int:
    """Write the codes of characters and of neighbouring characters after the first `count`; how many there are."""
    limit = len(codes)
    m, n = len(query), len(keyword)
    found = followed = before = ZERO  # places of the query whose character, or whose bigram up to them, k holds
    for place in range(n):
        mask = masks[keyword[place]]
        found |= mask
        followed |= (before << ONE) & mask
        before = mask
    # Both may be empty; then they share the bigram of the two boundaries.
    same_start = query[0] == keyword[0] if m and n else m == n
    same_end = query[m - 1] == keyword[n - 1] if m and n else m == n
    for place in range(m + 1):
        if count == limit:
            break
        inside = (followed >> np.uint64(place)) & ONE != ZERO if place < m else False
        shared = same_start if place == 0 else same_end if place == m else inside
        codes[count] = prepared[0, place] if shared else prepared[1, place]
        count += 1
        if count < limit and place < m and (found >> np.uint64(place)) & ONE == ZERO:
            codes[count] = prepared[2, place]
            count += 1
    before = ZERO
    for place in range(n + 1):
        mask = masks[keyword[place]] if place < n else ZERO
        shared = same_start if place == 0 else same_end if place == n else (before << ONE) & mask != ZERO
        if count < limit and not shared:
            codes[count] = code_of(ADDED_BIGRAM, _bigram(keyword, place), 0)
            count += 1
        if count < limit and place < n and mask == ZERO:
            codes[count] = code_of(ADDED_CHAR, keyword[place], 0)
            count += 1
        before = mask
    return count


@njit
def _walk_pairs(
    query_rows: Array,
    keyword_rows: Array,
    queries: tuple[Array, ...],
    keywords: tuple[Array, ...],
    masks: Array,
    weights: Array,
    bias: Array,
    first: int,
    scores: Array,
    ends: Array,
    codes_of_all: Array,
) -> None:
    """Of each pair in turn, make the codes and do what there is room for.

    Scores go into `scores` float32 (n, …) from the column `first` on, unless it has no rows; the end of each pair's
    codes into `ends` int64 (n + 1,), unless that is empty; the codes into `codes_of_all`, unless that is empty.
    `masks`, uint64 (65536,), are zero before and after.
    """
    query_char_offsets, query_chars, query_offsets, query_hashes = queries
    char_offsets, chars, offsets, hashes = keywords
    codes = np.zeros(MOST_CODES, np.int32)
    prepared = np.zeros((3, MOST_QUERY_CHARS + 1), np.int32)
    missed, added = np.zeros(MOST_PAIRED, np.int64), np.zeros(MOST_PAIRED, np.int64)
    outputs = len(bias)
    totals = np.zeros(outputs)
    for pair in range(len(query_rows)):
        q, k = query_rows[pair], keyword_rows[pair]
        if pair == 0 or query_rows[pair - 1] != q:
            start = query_char_offsets[q]
            query = query_chars[start : min(start + MOST_QUERY_CHARS, query_char_offsets[q + 1])]
            of_query = query_hashes[query_offsets[q] : query_offsets[q + 1]]
            _mark_query(query, masks, prepared)
        keyword = chars[char_offsets[k] : char_offsets[k + 1]]
        count = _token_codes(of_query, hashes[offsets[k] : offsets[k + 1]], missed, added, codes)
        count = _character_codes(query, keyword, masks, prepared, codes, count)
        if len(scores):
            totals[:] = 0
            for place in range(count):
                for output in range(outputs):
                    totals[output] += weights[codes[place], output]
            for output in range(outputs):
                scores[pair, first + output] = bias[output] + totals[output] / np.sqrt(count)
        if len(ends):
            ends[pair + 1] = ends[pair] + count
            if len(codes_of_all):
                codes_of_all[ends[pair] : ends[pair] + count] = codes[:count]
        if pair + 1 == len(query_rows) or query_rows[pair + 1] != q:
            for character in query:
                masks[character] = ZERO


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
    ends = np.zeros(len(pairs) + 1, np.int64)
    codes = np.empty(0, np.int32)
    for _ in range(2):  # first to count, then with room
        unscored = (np.zeros((1, 1), np.float32), np.zeros(1), 0, np.empty((0, 1), np.float32))
        _walk_pairs(*_parts(pairs), room_of_thread()[0], *unscored, ends, codes)
        codes = np.empty(int(ends[-1]), np.int32) if not len(codes) else codes
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
        nowhere = (np.empty(0, np.int64), np.empty(0, np.int32))
        _walk_pairs(*_parts(pairs), room_of_thread()[0], self.weights, self.bias, first, out, *nowhere)

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
