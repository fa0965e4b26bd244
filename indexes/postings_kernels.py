"""The compiled inner loops of `indexes.postings_by_length`; that says what and why.

Indices into blocks are unsigned where it shows: that spares numba's test for negative ones, a sixth of the time.
"""

import numpy as np

from indexes.arrays import Array
from indexes.bm25 import K1, B
from indexes.compiled import njit

BLOCK = 65_536
"""Documents whose masks of one byte are worked on at a time, so that these stay in the nearest caches."""
SCORED_BLOCK = 8_192
"""The same for scores."""
MOST_TERMS = 6
"""Distinct terms for which all classes (2 to this power, a segment) are listed."""
SKEW = 16
"""A list this many times as long as the others in a block is searched for their keywords instead of being read."""


@njit
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


@njit
def segment_bounds(documents: Array, begins: Array, ends: Array, segments: Array) -> Array:
    """Where each term's list enters each segment: int64 (terms, len(segments)); `segments` are first documents."""
    bounds = np.empty((len(begins), len(segments)), np.int64)
    for term in range(len(begins)):
        position = begins[term]
        for segment in range(len(segments)):
            position = first_at_least(documents, position, ends[term], segments[segment])
            bounds[term, segment] = position
    return bounds


@njit
def class_scores(bounds: Array, tokens: Array, idfs: Array, impacts: Array) -> tuple[Array, Array, Array]:
    """The classes that may have members, best first: masks, segments, scores.

    A class is a set of terms (a bit each) and a segment. Token i of the query is the term `tokens[i]`; its scores are
    added in the query's order, as the reference does, so that equal scores are equal bits.
    """
    terms, segments = bounds.shape[0], bounds.shape[1] - 1
    masks = np.empty((1 << terms) * segments, np.int64)
    places = np.empty(len(masks), np.int64)
    scores = np.empty(len(masks), np.float64)
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
                masks[count], places[count], scores[count] = mask, segment, score
                count += 1
    order = np.argsort(-scores[:count])
    return masks[order], places[order], scores[order]


@njit
def class_block(
    documents: Array,
    bitmaps: Array,
    bitmap_rows: Array,
    cursors: Array,
    bounds: Array,
    segment: int,
    rarest: int,
    masks: Array,
    classes: Array,
    starts: Array,
    limits: Array,
    filled: Array,
    members: Array,
) -> bool:
    """Put a segment's next keywords whose rarest term is `rarest` into their classes; False at the segment's end.

    `cursors` (terms) into the lists move on. `bitmap_rows[term]` is the term's row of `bitmaps`, or −1. `classes`
    (masks, segments) numbers the classes; class c has `members[starts[c] : starts[c] + filled[c]]`, ascending, at most
    `limits[c]`. `masks` uint8 (BLOCK,) is zero before and after.
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
            if next_alone < last_alone:
                members[next_alone] = document
                next_alone += 1
        elif mask & (own - 1) == 0:
            number = classes[mask, segment]
            if filled[number] < limits[number]:
                members[starts[number] + filled[number]] = document
                filled[number] += 1
    filled[alone] = next_alone - starts[alone]
    return True


@njit
def top_by_class(
    documents: Array,
    bitmaps: Array,
    bitmap_rows: Array,
    bounds: Array,
    tokens: Array,
    idfs: Array,
    impacts: Array,
    keywords: Array,
    k: int,
) -> tuple[Array, Array]:
    """The k best of the segments, best first, ties by keyword id: ids int32 and scores float64.

    Arguments as above; `keywords` int32 gives each document's keyword id and ascends inside a segment.
    """
    masks, places, scores = class_scores(bounds, tokens, idfs, impacts)
    terms, segments = bounds.shape[0], bounds.shape[1] - 1
    classes = np.zeros((1 << terms, segments), np.int64)
    limits = np.empty(len(masks), np.int64)
    starts = np.zeros(len(masks) + 1, np.int64)
    for number in range(len(masks)):
        classes[masks[number], places[number]] = number
        limit = np.int64(k)
        for term in range(terms):
            if (masks[number] >> term) & 1:
                limit = min(limit, bounds[term, places[number] + 1] - bounds[term, places[number]])
        limits[number] = limit
        starts[number + 1] = starts[number] + limit
    members = np.empty(starts[-1], np.int32)
    filled = np.zeros(len(masks), np.int64)
    cursors = np.empty((segments, terms, terms), np.int64)
    for segment in range(segments):
        cursors[segment] = bounds[:, segment]
    block = np.zeros(BLOCK, np.uint8)

    room = min(np.int64(k), starts[-1])
    ids = np.empty(room, np.int32)
    best = np.empty(room, np.float64)
    taken = 0
    group = 0
    while group < len(masks) and taken < room:
        after = group + 1
        while after < len(masks) and scores[after] == scores[group]:
            after += 1
        missing = room - taken
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
                    block,
                    classes,
                    starts,
                    limits,
                    filled,
                    members,
                )
            total += min(filled[number], wanted)
        chosen = np.empty(total, np.int32)
        count = 0
        for number in range(group, after):
            for position in range(starts[number], starts[number] + min(filled[number], missing)):
                chosen[count] = keywords[members[position]]
                count += 1
        if after - group > 1:
            chosen.sort()
        count = min(count, missing)
        ids[taken : taken + count] = chosen[:count]
        best[taken : taken + count] = scores[group]
        taken += count
        group = after
    return ids[:taken], best[:taken]


@njit
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
    floor: float,
) -> tuple[Array, Array]:
    """Documents that reach a score, by accumulating every token of the query: documents int32 in no order, scores.

    A list for each token of the query (repeats kept), in its order. Without `frequencies` every one is 1; `lengths`
    holds one length for all documents or that of document d at d − first.
    """
    cursors = begins.copy()
    room = 0
    for token in range(len(begins)):
        room += ends[token] - begins[token]
    found = np.empty(room, np.int32)
    scores = np.empty(room, np.float64)
    if not room:
        return found, scores
    count = 0
    accumulators = np.zeros(SCORED_BLOCK, np.float64)
    seen = np.zeros(SCORED_BLOCK, np.uint8)
    stops = np.empty(len(begins), np.int64)
    while True:
        base = np.int64(1) << 62
        for token in range(len(begins)):
            if cursors[token] < ends[token]:
                base = min(base, np.int64(documents[cursors[token]]))
        if base == np.int64(1) << 62:
            break
        stop = base + SCORED_BLOCK
        for token in range(len(begins)):
            position = cursors[token]
            while position < ends[token] and documents[position] < stop:
                document = documents[position]
                frequency = 1.0
                if len(frequencies):
                    frequency = np.float64(frequencies[frequency_begins[token] + position - begins[token]])
                length = lengths[0] if len(lengths) == 1 else lengths[document - first]
                norm = K1 * (1 - B + B * length / mean_length)
                accumulators[document - base] += idfs[token] * (frequency * (K1 + 1) / (frequency + norm))
                seen[document - base] = 1
                position += 1
            stops[token] = position
        for token in range(len(begins)):
            for position in range(cursors[token], stops[token]):
                place = documents[position] - base
                if seen[place]:
                    if accumulators[place] >= floor:
                        found[count] = documents[position]
                        scores[count] = accumulators[place]
                        count += 1
                    seen[place] = 0
                    accumulators[place] = 0.0
            cursors[token] = stops[token]
    return found[:count], scores[:count]


@njit
def ranked(documents: Array, scores: Array, keywords: Array, k: int) -> tuple[Array, Array]:
    """Keyword ids and scores of the k best documents, best first, ties by id."""
    if len(documents) > k:
        near = np.flatnonzero(scores >= np.partition(scores, len(scores) - k)[len(scores) - k])
        documents, scores = documents[near], scores[near]
    ids = keywords[documents]
    by_id = np.argsort(ids)
    order = by_id[np.argsort(-scores[by_id], kind="mergesort")][:k]
    return ids[order], scores[order]


@njit
def merged(ids: Array, scores: Array, other_ids: Array, other_scores: Array, k: int) -> tuple[Array, Array]:
    """The k best of two rankings, each best first and ties by id."""
    room: int = min(k, len(ids) + len(other_ids))
    merged_ids = np.empty(room, np.int32)
    merged_scores = np.empty(room, np.float64)
    here = there = 0
    for place in range(room):
        ours = there == len(other_ids)
        if not ours and here < len(ids):
            ours = scores[here] > other_scores[there] or (
                scores[here] == other_scores[there] and ids[here] < other_ids[there]
            )
        if ours:
            merged_ids[place], merged_scores[place] = ids[here], scores[here]
            here += 1
        else:
            merged_ids[place], merged_scores[place] = other_ids[there], other_scores[there]
            there += 1
    return merged_ids, merged_scores


@njit
def top(
    query: Array,
    k: int,
    offsets: Array,
    idf: Array,
    documents: Array,
    keywords: Array,
    bitmaps: Array,
    bitmap_terms: Array,
    mixed_offsets: Array,
    mixed_frequencies: Array,
    mixed_lengths: Array,
    segments: Array,
    impacts: Array,
    mean_length: float,
) -> tuple[Array, Array]:
    """The k best keywords for a query of token ids int64, at least one: ids int32, scores float64, ties by id.

    The arrays are those of `PostingsByLength`; `impacts` (segments) is what idf is multiplied by in each.
    """
    terms = np.unique(query)
    terms = terms[np.argsort(offsets[terms + 1] - offsets[terms])]
    bounds = segment_bounds(documents, offsets[terms], offsets[terms + 1], segments)
    idfs = idf[query]
    tokens = np.empty(len(query), np.int64)
    for position in range(len(query)):
        tokens[position] = np.flatnonzero(terms == query[position])[0]
    ends = offsets[query + 1]

    ids = np.empty(0, np.int32)
    scores = np.empty(0, np.float64)
    last = len(segments) - 1
    begin_at = 0
    if len(terms) <= MOST_TERMS:
        rows = np.searchsorted(bitmap_terms, terms)
        for position in range(len(terms)):
            if rows[position] == len(bitmap_terms) or bitmap_terms[rows[position]] != terms[position]:
                rows[position] = -1
        ids, scores = top_by_class(documents, bitmaps, rows, bounds, tokens, idfs, impacts, keywords, k)
        begin_at = last
    once = np.empty(0, mixed_frequencies.dtype)
    length = np.empty(1, mixed_lengths.dtype)
    for segment in range(begin_at, last + 1):
        begins = bounds[:, segment][tokens]
        floor = scores[-1] if len(ids) == k else -np.inf
        if segment < last:
            length[0] = segment + 1
            stops = bounds[:, segment + 1][tokens]
            found, found_scores = scored(documents, begins, stops, idfs, once, begins, length, 0, mean_length, floor)
        else:
            found, found_scores = scored(
                documents,
                begins,
                ends,
                idfs,
                mixed_frequencies,
                mixed_offsets[query],
                mixed_lengths,
                segments[last],
                mean_length,
                floor,
            )
        if len(found):
            found_ids, found_scores = ranked(found, found_scores, keywords, k)
            ids, scores = merged(ids, scores, found_ids, found_scores, k)
    return ids, scores
