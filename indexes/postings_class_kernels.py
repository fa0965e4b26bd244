"""The compiled inner loops that find the best classes' members; `indexes.postings_by_length` says what and why.

Indices into blocks are unsigned where it shows: that spares numba's test for negative ones, a sixth of the time.
"""

from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.compiled import inner_njit
from indexes.keyword_filter_kernels import passes
from indexes.memory_kernels import offer, sort_best_first

BLOCK = 65_536
"""Documents whose masks of one byte are worked on at a time, so that these stay in the nearest caches."""
SKEW = 16
"""A list this many times as long as the others in a block is searched for their keywords instead of being read."""


@inner_njit
def first_at_least(documents: Array, begin: int, end: int, wanted: int) -> int:
    """The first position in begin..end whose document is ≥ wanted; end if there is none. Gallops from begin."""
    if begin >= end or documents[begin] >= wanted:
        return begin
    low, step = begin, 1
    while low + step < end and documents[low + step] < wanted:
        low += step
        step *= 2
    high = min(low + step, end)
    while high - low > 1:
        middle = (low + high) // 2
        if documents[middle] < wanted:
            low = middle
        else:
            high = middle
    return high


@inner_njit
def segment_bounds(documents: Array, begins: Array, ends: Array, segments: Array, rows: Array, written: Array) -> Array:
    """Where each term's list enters each segment: int64 (terms, len(segments)); `segments` are first documents.

    Found by searching, unless they stand in a term's row of `written` (−1: none), counted from the list's begin.
    """
    bounds = np.empty((len(begins), len(segments)), np.int64)
    for term in range(len(begins)):
        position = begins[term]
        if rows[term] >= 0:
            for segment in range(len(segments)):
                bounds[term, segment] = position + written[rows[term], segment]
            continue
        for segment in range(len(segments)):
            position = first_at_least(documents, position, ends[term], segments[segment])
            bounds[term, segment] = position
    return bounds


@inner_njit
def tie_of(keyword: int, ranks: Array) -> Any:
    """What orders keywords of equal scores: the rank (the keyword's id if there are no ranks), above the id's bits."""
    rank = np.int64(ranks[keyword]) if len(ranks) else np.int64(keyword)
    return (rank << 32) | np.int64(keyword)


@inner_njit
def class_scores(bounds: Array, tokens: Array, idfs: Array, impacts: Array) -> tuple[Array, Array, Array]:
    """The classes that may have members, best first: masks, segments, scores.

    A class is a set of terms (a bit each) and a segment. Token i of the query is the term `tokens[i]`; its scores are
    added in the query's order, as the reference does, so that equal scores are equal bits.
    """
    terms, segments = bounds.shape[0], bounds.shape[1] - 1
    scores = np.empty((1 << terms) * segments, np.float64)
    numbers = np.empty(len(scores), np.int64)
    count = 0
    for mask in range(1, 1 << terms):
        bits = 0
        for term in range(terms):
            bits += (mask >> term) & 1
        for segment in range(bits - 1, segments):
            possible = True
            for term in range(terms):
                if (mask >> term) & 1 and bounds[term, segment] == bounds[term, segment + 1]:
                    possible = False
            if possible:
                score = 0.0
                for position in range(len(tokens)):
                    if (mask >> tokens[position]) & 1:
                        score += idfs[position] * impacts[segment]
                count = offer(scores, numbers, count, score, mask * segments + segment)
    sort_best_first(scores, numbers, count)
    masks = np.empty(count, np.int64)
    places = np.empty(count, np.int64)
    for number in range(count):
        masks[number], places[number] = numbers[number] // segments, numbers[number] % segments
    return masks, places, scores[:count]


@inner_njit
def class_block(
    documents: Array,
    bitmaps: Array,
    bitmap_rows: Array,
    cursors: Array,
    bounds: Array,
    segment: int,
    rarest: int,
    keywords: Array,
    keyword_filter: Array,
    masks: Array,
    classes: Array,
    starts: Array,
    limits: Array,
    filled: Array,
    members: Array,
) -> bool:
    """Put a segment's next keywords whose rarest term is `rarest` into their classes; False at the segment's end.

    Those that the filter doesn't pass are left out. `cursors` (terms) into the lists move on. `bitmap_rows[term]` is
    the term's row of `bitmaps`, or −1. `classes` (masks, segments) numbers the classes; class c has
    `members[starts[c] : starts[c] + filled[c]]`, ascending, at most `limits[c]`. `masks` uint8 (BLOCK,) is zero before
    and after.
    """
    begin = cursors[rarest]
    if begin == bounds[rarest, segment + 1]:
        return False
    base = np.int64(documents[begin])
    stop = base + BLOCK
    own = np.uint8(1 << rarest)
    end = begin
    while end < bounds[rarest, segment + 1] and documents[end] < stop:
        masks[np.uint64(documents[end] - base)] = own
        end += 1
    cursors[rarest] = end

    for term in range(len(cursors)):
        if term == rarest:
            continue
        bit = np.uint8(1 << term)
        row = bitmap_rows[term]
        if row >= 0 and end - begin < bounds[term, segment + 1] - bounds[term, segment]:
            for position in range(begin, end):
                document = documents[position]
                if (bitmaps[np.uint64(row), np.uint64(document >> 3)] >> (document & 7)) & 1:
                    masks[np.uint64(document - base)] |= bit
            continue
        first = first_at_least(documents, cursors[term], bounds[term, segment + 1], base)
        last = first_at_least(documents, first, bounds[term, segment + 1], stop)
        cursors[term] = last
        if last - first <= SKEW * (end - begin):
            for position in range(first, last):
                mask = masks[np.uint64(documents[position] - base)]
                masks[np.uint64(documents[position] - base)] = mask | (bit if mask else np.uint8(0))
        else:
            found = first
            for position in range(begin, end):
                found = first_at_least(documents, found, last, documents[position])
                if found < last and documents[found] == documents[position]:
                    masks[np.uint64(documents[position] - base)] |= bit

    # Most documents hold no other term: their class is counted apart, in registers; full, it is free.
    alone = classes[own, segment]
    next_alone = starts[alone] + filled[alone]
    last_alone = starts[alone] + limits[alone]
    for position in range(begin, end):
        document = documents[position]
        mask = masks[np.uint64(document - base)]
        masks[np.uint64(document - base)] = 0
        if mask == own:
            if next_alone < last_alone and (not keyword_filter[0] or passes(keywords[document], keyword_filter)):
                members[next_alone] = document
                next_alone += 1
        elif mask & (own - 1) == 0:
            number = classes[mask, segment]
            if filled[number] < limits[number] and (
                not keyword_filter[0] or passes(keywords[document], keyword_filter)
            ):
                members[starts[number] + filled[number]] = document
                filled[number] += 1
    filled[alone] = next_alone - starts[alone]
    return True


@inner_njit
def top_by_class(
    documents: Array,
    bitmaps: Array,
    bitmap_rows: Array,
    bounds: Array,
    tokens: Array,
    idfs: Array,
    impacts: Array,
    keywords: Array,
    ranks: Array,
    keyword_filter: Array,
    block: Array,
    members: Array,
    ids: Array,
    best: Array,
) -> int:
    """Fill `ids` int32 (k,) and `best` float64 with the k best of the segments, best first, ties by rank; how many.

    Arguments as above; `keywords` int32 gives each document's keyword id, and ranks ascend inside a segment. `members`
    is used if it is large enough.
    """
    masks, places, scores = class_scores(bounds, tokens, idfs, impacts)
    terms, segments = bounds.shape[0], bounds.shape[1] - 1
    classes = np.zeros((1 << terms, segments), np.int64)
    limits = np.empty(len(masks), np.int64)
    starts = np.zeros(len(masks) + 1, np.int64)
    for number in range(len(masks)):
        classes[masks[number], places[number]] = number
        limit = np.int64(len(ids))
        for term in range(terms):
            if (masks[number] >> term) & 1:
                limit = min(limit, bounds[term, places[number] + 1] - bounds[term, places[number]])
        limits[number] = limit
        starts[number + 1] = starts[number] + limit
    if starts[-1] > len(members):
        members = np.empty(starts[-1], np.int32)
    filled = np.zeros(len(masks), np.int64)
    cursors = np.empty((segments, terms, terms), np.int64)
    for segment in range(segments):
        for rarest in range(terms):
            for term in range(terms):
                cursors[segment, rarest, term] = bounds[term, segment]
    heads = np.empty(len(masks), np.int64)

    taken = 0
    group = 0
    while group < len(masks) and taken < len(ids):
        after = group + 1
        while after < len(masks) and scores[after] == scores[group]:
            after += 1
        missing = len(ids) - taken
        total = 0
        for number in range(group, after):
            wanted = min(missing, limits[number])
            segment = places[number]
            rarest = 0
            while not (masks[number] >> rarest) & 1:
                rarest += 1
            more = True
            while more and filled[number] < wanted:
                more = class_block(
                    documents,
                    bitmaps,
                    bitmap_rows,
                    cursors[segment, rarest],
                    bounds,
                    segment,
                    rarest,
                    keywords,
                    keyword_filter,
                    block,
                    classes,
                    starts,
                    limits,
                    filled,
                    members,
                )
            total += filled[number]
            heads[number] = 0
        for _ in range(min(total, missing)):
            # Of the classes with this score, the one whose next member comes first.
            chosen = group
            if after - group > 1:
                first = np.int64(1) << 62
                for number in range(group, after):
                    if heads[number] < filled[number]:
                        tie = tie_of(keywords[members[starts[number] + heads[number]]], ranks)
                        if tie < first:
                            first, chosen = tie, number
            ids[taken] = keywords[members[starts[chosen] + heads[chosen]]]
            best[taken] = scores[group]
            heads[chosen] += 1
            taken += 1
        group = after
    return taken
