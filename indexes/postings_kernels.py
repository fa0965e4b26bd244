"""What Python calls of the compiled postings; `indexes.postings_by_length` says how they work.

Importing this module loads them from the cache, or compiles them into it where they never ran (20 seconds).
"""

import numpy as np

from indexes.arrays import Array
from indexes.bm25 import K1, B
from indexes.compiled import entry_point, inner_njit
from indexes.keyword_filter_kernels import passes
from indexes.memory_kernels import float64s, int32s, int64s, is_worse, offer, sort_best_first, uint8s, uint16s
from indexes.postings_class_kernels import first_at_least, segment_bounds, tie_of, top_by_class

SCORED_BLOCK = 8_192
"""Documents whose scores are accumulated at a time."""
TABLED_LENGTH, TABLED_FREQUENCY = 16, 4
"""Impacts below these are looked up: a division a posting is what scoring would spend its time on."""
MOST_TERMS = 6
"""Distinct terms for which all classes (2 to this power, a segment) are listed."""

OFFSETS, IDF, DOCUMENTS, KEYWORDS, RANKS, BITMAPS, BITMAP_TERMS = range(7)
MIXED_OFFSETS, MIXED_FREQUENCIES, MIXED_LENGTHS, SEGMENTS, RUNS, IMPACTS, MEAN_LENGTH = range(7, 14)
BOUND_ROWS, BOUNDS = range(14, 16)
"""Slots of the addresses that `PostingsByLength` makes of the index …"""
MASKS, MEMBERS, ACCUMULATORS, SEEN = range(4)
"""… and of the working memory of a thread: reused, since fresh pages cost more than a query of rare words takes."""


@inner_njit
def impact_of(frequency: float, length: float, mean_length: float) -> float:
    """What idf is multiplied by: `bm25.impact`, in the same order."""
    norm = K1 * (1 - B + B * length / mean_length)
    return frequency * (K1 + 1) / (frequency + norm)


@inner_njit
def common_impacts(mean_length: float) -> Array:
    """The impacts of keywords below TABLED_LENGTH tokens that hold one below TABLED_FREQUENCY times; float64."""
    table = np.empty((TABLED_LENGTH, TABLED_FREQUENCY), np.float64)
    for length in range(TABLED_LENGTH):
        for frequency in range(TABLED_FREQUENCY):
            table[length, frequency] = impact_of(np.float64(frequency), np.float64(length), mean_length)
    return table


@inner_njit
def scored(
    documents: Array,
    begins: Array,
    ends: Array,
    idfs: Array,
    frequencies: Array,
    frequency_begins: Array,
    lengths: Array,
    first: int,
    mean_length: float,
    impacts: Array,
    keywords: Array,
    ranks: Array,
    keyword_filter: Array,
    floor: float,
    heap: Array,
    ties: Array,
    count: int,
    accumulators: Array,
    seen: Array,
) -> int:
    """Offer the documents that reach `floor` to a heap of `count` rows, by accumulating every token; its new count.

    A list for each token of the query (repeats kept), in its order. Without `frequencies` every one is 1; `lengths`
    holds one length for all documents or that of document d at d − first. `impacts` are `common_impacts`.
    `accumulators` float64 (SCORED_BLOCK,) and `seen` uint8 are zero before and after.
    """
    cursors = begins.copy()
    stops = begins.copy()
    last = np.int64(1) << 62
    while True:
        base = last
        for token in range(len(begins)):
            if cursors[token] < ends[token]:
                base = min(base, np.int64(documents[cursors[token]]))
        if base == last:
            break
        stop = base + SCORED_BLOCK
        for token in range(len(begins)):
            position = cursors[token]
            while position < ends[token] and documents[position] < stop:
                document = documents[position]
                frequency = np.uint16(1)
                if len(frequencies):
                    frequency = frequencies[frequency_begins[token] + position - begins[token]]
                length = lengths[0] if len(lengths) == 1 else lengths[document - first]
                if length < TABLED_LENGTH and frequency < TABLED_FREQUENCY:
                    impact = impacts[np.uint64(length), np.uint64(frequency)]
                else:
                    impact = impact_of(np.float64(frequency), np.float64(length), mean_length)
                place = np.uint64(document - base)
                accumulators[place] += idfs[token] * impact
                seen[place] = 1
                position += 1
            stops[token] = position
        for token in range(len(begins)):
            for position in range(cursors[token], stops[token]):
                place = np.uint64(documents[position] - base)
                if seen[place]:
                    score = accumulators[place]
                    if score >= floor and (count < len(heap) or score >= heap[0]):
                        keyword = keywords[documents[position]]
                        if not keyword_filter[0] or passes(keyword, keyword_filter):
                            count = offer(heap, ties, count, score, tie_of(keyword, ranks))
                    seen[place] = 0
                    accumulators[place] = 0.0
            cursors[token] = stops[token]
    return count


@inner_njit
def merge(ids: Array, scores: Array, taken: int, heap: Array, ties: Array, count: int, ranks: Array) -> int:
    """Merge a heap, ordered best first, into the ranking in `taken` rows of `ids` and `scores`; its length."""
    own_ids, own_scores = ids[:taken].copy(), scores[:taken].copy()
    here = there = 0
    room = min(len(ids), taken + count)
    for place in range(room):
        ours = there == count
        if not ours and here < taken:
            ours = is_worse(heap[there], ties[there], own_scores[here], tie_of(own_ids[here], ranks))
        if ours:
            ids[place], scores[place] = own_ids[here], own_scores[here]
            here += 1
        else:
            ids[place], scores[place] = np.int32(ties[there] & 0xFFFFFFFF), heap[there]
            there += 1
    return room


@inner_njit
def distinct_terms(query: Array, offsets: Array) -> Array:
    """The distinct tokens, those with the shortest lists first, int64."""
    terms = np.empty(len(query), np.int64)
    count = 0
    for position in range(len(query)):
        term = query[position]
        place = count
        while place and (
            offsets[terms[place - 1] + 1] - offsets[terms[place - 1]] > offsets[term + 1] - offsets[term]
            or (
                offsets[terms[place - 1] + 1] - offsets[terms[place - 1]] == offsets[term + 1] - offsets[term]
                and terms[place - 1] > term
            )
        ):
            place -= 1
        if place == 0 or terms[place - 1] != term:
            for later in range(count, place, -1):
                terms[later] = terms[later - 1]
            terms[place] = term
            count += 1
    return terms[:count]


@inner_njit
def rows_of(terms: Array, bitmap_terms: Array) -> Array:
    """The row of `bitmaps` of each term, or −1; `bitmap_terms` ascends. int64 (terms,)."""
    rows = np.full(len(terms), -1, np.int64)
    for position in range(len(terms)):
        row = np.searchsorted(bitmap_terms, terms[position])
        if row < len(bitmap_terms) and bitmap_terms[row] == terms[position]:
            rows[position] = row
    return rows


@entry_point("int64(int64[::1], int64[::1], int64[::1], int64[::1], int32[::1], float64[::1])")
def top(query: Array, postings: Array, keyword_filter: Array, memory: Array, ids: Array, scores: Array) -> int:
    """Fill `ids` (k,) and `scores` with the k best keywords that pass the filter, for a query of token ids; how many.

    At least one token; best first, ties by rank.
    """
    offsets, documents = int64s(postings, OFFSETS), int32s(postings, DOCUMENTS)
    keywords, ranks = int32s(postings, KEYWORDS), int32s(postings, RANKS)
    segments, mixed_lengths = int64s(postings, SEGMENTS), uint16s(postings, MIXED_LENGTHS)
    mixed_frequencies, mixed_offsets = uint16s(postings, MIXED_FREQUENCIES), int64s(postings, MIXED_OFFSETS)
    mean_length = float64s(postings, MEAN_LENGTH)[0]
    terms = distinct_terms(query, offsets)
    begins, ends = np.empty(len(terms), np.int64), np.empty(len(terms), np.int64)
    for term in range(len(terms)):
        begins[term], ends[term] = offsets[terms[term]], offsets[terms[term] + 1]
    bound_rows = int32s(postings, BOUND_ROWS)
    written = int32s(postings, BOUNDS).reshape((-1, len(segments)))
    rows_of_bounds = np.empty(len(terms), np.int64)
    for term in range(len(terms)):
        rows_of_bounds[term] = bound_rows[terms[term]]
    bounds = segment_bounds(documents, begins, ends, segments, rows_of_bounds, written)
    tokens, idfs = np.zeros(len(query), np.int64), np.empty(len(query), np.float64)
    frequency_begins = np.empty(len(query), np.int64)
    idf = float64s(postings, IDF)
    for position in range(len(query)):
        while terms[tokens[position]] != query[position]:
            tokens[position] += 1
        idfs[position] = idf[query[position]]
        frequency_begins[position] = mixed_offsets[query[position]]

    last = len(segments) - 1
    begin_at = 0
    taken = 0
    if len(terms) <= MOST_TERMS:
        bitmaps = uint8s(postings, BITMAPS).reshape((-1, (len(keywords) + 7) // 8))
        rows = rows_of(terms, int32s(postings, BITMAP_TERMS))
        impacts = float64s(postings, IMPACTS)
        taken = top_by_class(
            documents,
            bitmaps,
            rows,
            bounds,
            tokens,
            idfs,
            impacts,
            keywords,
            ranks,
            keyword_filter,
            uint8s(memory, MASKS),
            int32s(memory, MEMBERS),
            ids,
            scores,
        )
        begin_at = last
    floor = scores[taken - 1] if taken == len(ids) else -np.inf
    heap, ties = np.empty(0, np.float64), np.empty(0, np.int64)
    common = np.empty((0, 0), np.float64)
    count = 0
    length = np.empty(1, np.uint16)
    token_begins, token_ends = np.empty(len(query), np.int64), np.empty(len(query), np.int64)
    for segment in range(begin_at, last + 1):
        room = np.int64(0)
        for position in range(len(query)):
            token_begins[position] = bounds[tokens[position], segment]
            end = bounds[tokens[position], segment + 1] if segment < last else ends[tokens[position]]
            token_ends[position] = end
            room += end - token_begins[position]
        if not room:
            continue
        if not len(heap):
            heap, ties = np.empty(len(ids), np.float64), np.empty(len(ids), np.int64)
            common = common_impacts(mean_length)
        length[0] = segment + 1
        count = scored(
            documents,
            token_begins,
            token_ends,
            idfs,
            mixed_frequencies if segment == last else mixed_frequencies[:0],
            frequency_begins,
            mixed_lengths if segment == last else length,
            segments[last] if segment == last else 0,
            mean_length,
            common,
            keywords,
            ranks,
            keyword_filter,
            floor,
            heap,
            ties,
            count,
            float64s(memory, ACCUMULATORS),
            uint8s(memory, SEEN),
        )
    if count:
        sort_best_first(heap, ties, count)
        taken = merge(ids, scores, taken, heap, ties, count, ranks)
    return taken


@entry_point("int64(int64[::1], int64[::1], int64[::1], int32[::1])")
def holding_all(query: Array, postings: Array, keyword_filter: Array, ids: Array) -> int:
    """Fill `ids` (n,) with the n first keywords by rank that hold every token and pass the filter; how many.

    At least one token. In a run documents stand by rank, so that no list is read beyond the n-th there.
    """
    offsets, documents = int64s(postings, OFFSETS), int32s(postings, DOCUMENTS)
    keywords, ranks = int32s(postings, KEYWORDS), int32s(postings, RANKS)
    runs = int64s(postings, RUNS)
    terms = distinct_terms(query, offsets)
    bitmaps = uint8s(postings, BITMAPS).reshape((-1, (len(keywords) + 7) // 8))
    rows = rows_of(terms, int32s(postings, BITMAP_TERMS))
    scores, ties = np.zeros(len(ids), np.float64), np.empty(len(ids), np.int64)
    cursors = np.empty(len(terms), np.int64)
    for term in range(len(terms)):
        cursors[term] = offsets[terms[term]]
    count = 0
    for run in range(len(runs)):
        stop = runs[run + 1] if run + 1 < len(runs) else len(keywords)
        for term in range(len(terms)):
            cursors[term] = first_at_least(documents, cursors[term], offsets[terms[term] + 1], runs[run])
        position = cursors[0]
        while position < offsets[terms[0] + 1] and documents[position] < stop:
            document = documents[position]
            position += 1
            tie = tie_of(keywords[document], ranks)
            if count == len(ids) and tie > ties[0]:
                break
            held = True
            for term in range(1, len(terms)):
                if rows[term] >= 0:
                    held = (bitmaps[rows[term], document >> 3] >> (document & 7)) & 1 != 0
                else:
                    end = offsets[terms[term] + 1]
                    cursors[term] = first_at_least(documents, cursors[term], end, document)
                    held = cursors[term] < end and documents[cursors[term]] == document
                if not held:
                    break
            if held and (not keyword_filter[0] or passes(keywords[document], keyword_filter)):
                count = offer(scores, ties, count, 0.0, tie)
        cursors[0] = position
    sort_best_first(scores, ties, count)
    for place in range(count):
        ids[place] = np.int32(ties[place] & 0xFFFFFFFF)
    return count


@entry_point("UniTuple(int64, 2)(int64[::1], int64[::1], int64, int32[::1])")
def first_by_rank(postings: Array, keyword_filter: Array, most_read: int, ids: Array) -> tuple[int, int]:
    """Fill `ids` (n,) with the n first keywords by rank that pass the filter; how many, and how many were read."""
    keywords, ranks = int32s(postings, KEYWORDS), int32s(postings, RANKS)
    cursors = int64s(postings, RUNS).copy()
    runs = len(cursors)
    stops = np.full(runs, len(keywords), np.int64)
    heads = np.empty(runs, np.int64)
    for run in range(runs):
        if run + 1 < runs:
            stops[run] = cursors[run + 1]
        heads[run] = tie_of(keywords[cursors[run]], ranks)
    count = read = 0
    while count < len(ids) and read < most_read and runs:
        first = 0
        for run in range(1, runs):
            if heads[run] < heads[first]:
                first = run
        if cursors[first] == stops[first]:
            break
        keyword = keywords[cursors[first]]
        cursors[first] += 1
        heads[first] = np.int64(1) << 62
        if cursors[first] < stops[first]:
            heads[first] = tie_of(keywords[cursors[first]], ranks)
        read += 1
        if not keyword_filter[0] or passes(keyword, keyword_filter):
            ids[count] = keyword
            count += 1
    return count, read
