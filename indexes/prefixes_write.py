"""Writes the index of prefixes: see `indexes.prefixes` for what its arrays hold."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from indexes.arrays import Array, offsets_from_counts, ranges, write_array, write_json
from indexes.text.readings import readings_of_word, words_of_each

BLOCK = 64
"""Rows, or blocks of a level below, of which the smallest rank is kept."""
INLINE_SYMBOLS = 4
"""First symbols of a keyword that stand in the list by initials itself."""
KEY_BYTES = 8
CHUNK = 200_000
"""Keywords spelled out at a time."""


def write_prefixes(folder: Path, keywords: Iterable[str], searches: Array, canonical: Array, is_shown: Array) -> None:
    """Write the index of normalised keywords; see `write_prefixes_of_words` for the rest."""
    word_ids: dict[str, int] = {}
    counts = np.zeros(len(searches), np.int64)
    flat: list[Array] = []
    buffer: list[int] = []
    for keyword_id, words in enumerate(words_of_each(keywords)):
        counts[keyword_id] = len(words)
        buffer.extend([word_ids.setdefault(word, len(word_ids)) for word in words])
        if len(buffer) > CHUNK:
            flat.append(np.array(buffer, np.int32))
            buffer = []
    flat.append(np.array(buffer, np.int32))
    write_prefixes_of_words(
        folder, list(word_ids), offsets_from_counts(counts), np.concatenate(flat), searches, canonical, is_shown
    )


def write_prefixes_of_words(
    folder: Path,
    words: Sequence[str],
    offsets: Array,
    word_ids: Array,
    searches: Array,
    canonical: Array,
    is_shown: Array,
) -> None:
    """Write the index of keywords that are split into words, which hold simplified characters and no separator.

    Keyword i is the words `word_ids[offsets[i]:offsets[i + 1]]` int32, in order. `searches` (n,) are those of its whole
    group of close variants, `canonical` int32 (n,) names the group by its head. Keywords that are not shown (bool (n,))
    and those without a character stay out.
    """
    in_use = np.zeros(len(words), bool)
    in_use[word_ids] = True
    # A word that is in no keyword has no symbols.
    spelled = [word if used else "" for word, used in zip(words, in_use.tolist(), strict=True)]
    characters, readings, word_offsets, word_symbols = _symbols(spelled)
    counts = np.zeros(len(offsets) - 1, np.int64)
    symbols_of_word = np.diff(word_offsets)
    for begin in range(0, len(counts), CHUNK):
        part = offsets[begin : begin + CHUNK + 1]
        lengths = np.concatenate([[0], np.cumsum(symbols_of_word[word_ids[part[0] : part[-1]]])])
        counts[begin : begin + CHUNK] = np.diff(lengths[part - part[0]])
    ids = np.flatnonzero(np.asarray(is_shown) & (counts > 0)).astype(np.int32)
    heads = np.asarray(canonical)[ids]
    ids = ids[np.lexsort((ids, heads != ids, heads, -np.asarray(searches)[ids].astype(np.int64)))]
    write_array(folder, "prefixes/ids.npy", ids)

    starts = offsets_from_counts(counts[ids])
    symbols = np.empty(int(starts[-1]), word_symbols.dtype)
    for begin in range(0, len(ids), CHUNK):
        chunk = ids[begin : begin + CHUNK]
        held = word_ids[ranges(offsets[chunk], offsets[chunk + 1] - offsets[chunk])]
        filled = ranges(word_offsets[held], symbols_of_word[held])
        symbols[starts[begin] : starts[begin + len(chunk)]] = word_symbols[filled]
    write_array(folder, "prefixes/starts.npy", starts.astype(np.uint32) if starts[-1] < 2**32 else starts)
    write_array(folder, "prefixes/symbols.npy", symbols)

    _write_by_string(folder, starts, symbols, len(characters))
    _write_by_initials(folder, starts, symbols, readings)
    _write_by_letters(folder, starts, symbols, readings)
    write_json(folder, "prefixes/characters.json", {"characters": characters, "readings": readings})


def _symbols(words: Sequence[str]) -> tuple[list[str], list[str], Array, Array]:
    """Characters and readings by symbol, and the words as rows of symbols (CSR).

    A symbol is a character with a reading. Symbols are numbered from 1 on by reading, then character, so that those of
    one syllable, and those whose syllables begin alike, are neighbours; 0 stands for the end of a keyword.
    """
    spelled = [tuple(zip(word, readings_of_word(word), strict=True)) for word in words]
    pairs = sorted({(reading, character) for row in spelled for character, reading in row})
    numbers = {(character, reading): number for number, (reading, character) in enumerate(pairs, 1)}
    counts = np.fromiter((len(row) for row in spelled), np.int64, len(spelled))
    dtype = np.uint16 if len(pairs) < 2**16 - 1 else np.uint32
    flat = np.fromiter((numbers[pair] for row in spelled for pair in row), dtype, int(counts.sum()))
    readings = ["", *(reading for reading, _ in pairs)]
    return ["", *(character for _, character in pairs)], readings, offsets_from_counts(counts), flat


def _write_by_string(folder: Path, starts: Array, symbols: Array, symbol_count: int) -> None:
    order, _ = _sequence_order(starts, symbols)
    _write_list(folder, "string", order)
    first = symbols[starts[:-1][order]]
    directory = np.searchsorted(first, np.arange(symbol_count + 1, dtype=symbols.dtype))
    write_array(folder, "prefixes/string_directory.npy", directory.astype(np.int64))


def _write_by_initials(folder: Path, starts: Array, symbols: Array, readings: Sequence[str]) -> None:
    firsts = [reading[:1] for reading in readings]
    group_of = {first: group for group, first in enumerate(dict.fromkeys(firsts))}
    groups = np.array([group_of[first] for first in firsts], symbols.dtype)
    order, _ = _sequence_order(starts, groups[symbols])
    _write_list(folder, "initials", order)
    inline = np.zeros((INLINE_SYMBOLS, len(order)), symbols.dtype)
    lengths = np.diff(starts)[order]
    for depth in range(INLINE_SYMBOLS):
        long = lengths > depth
        inline[depth, long] = symbols[starts[:-1][order[long]] + depth]
    write_array(folder, "prefixes/initials_symbols.npy", inline)


def _write_by_letters(folder: Path, starts: Array, symbols: Array, readings: Sequence[str]) -> None:
    encoded = [reading.encode() for reading in readings]
    sizes = np.fromiter(map(len, encoded), np.int64, len(encoded))
    at = offsets_from_counts(sizes)
    spelled = np.frombuffer(b"".join(encoded), np.uint8)
    write_array(folder, "prefixes/readings_offsets.npy", at)
    write_array(folder, "prefixes/readings.npy", spelled)
    count = len(starts) - 1
    ends = np.zeros(count + 1, np.int64)
    for begin in range(0, count, CHUNK):
        part = starts[begin : begin + CHUNK + 1]
        lengths = np.concatenate([[0], np.cumsum(sizes[symbols[part[0] : part[-1]]])])
        ends[begin + 1 : begin + len(part)] = ends[begin] + lengths[part[1:] - part[0]]
    letters = np.empty(int(ends[-1]), np.uint8)
    for begin in range(0, count, CHUNK):
        last = min(begin + CHUNK, count)
        held = symbols[starts[begin] : starts[last]]
        letters[ends[begin] : ends[last]] = spelled[ranges(at[held], sizes[held])]
    order, word = _sequence_order(ends, letters)
    _write_list(folder, "letters", order)
    keys = np.empty((2, count), np.uint64)
    keys[0], keys[1] = word(order, 0), word(order, 1)
    write_array(folder, "prefixes/letters_keys.npy", keys)


def _write_list(folder: Path, name: str, order: Array) -> None:
    ranks = order.astype(np.int32)
    write_array(folder, f"prefixes/{name}_ranks.npy", ranks)
    write_array(folder, f"prefixes/{name}_minima.npy", block_minima(ranks))


def block_minima(ranks: Array) -> Array:
    """The smallest rank of each block of 64 rows, then of each block of 64 of these, … until one block holds all."""
    levels = [np.empty(0, np.int32)]
    below = ranks
    while len(below) > BLOCK:
        below = np.minimum.reduceat(below, np.arange(0, len(below), BLOCK))
        levels.append(below)
    return np.concatenate(levels).astype(np.int32)


def _sequence_order(starts: Array, values: Array) -> tuple[Array, Callable[[Array, int], Array]]:
    """The rows in the order of their sequences, shorter ones first, equal ones by row; and the words they sort by.

    Row i is `values[starts[i]:starts[i + 1]]`, of numbers above 0 (bytes of text, so never 0). Word j of a row holds as
    many of its values as fit into 64 bits, padded with 0.
    """
    width = values.dtype.itemsize
    per_word = KEY_BYTES // width
    last = max(len(values) - 1, 0)

    def word(rows: Array, place: int) -> Array:
        packed = np.zeros(len(rows), np.uint64)
        at = starts[rows] + place * per_word
        ends = starts[rows + 1]
        for shift in range(per_word):
            if len(values):
                packed |= np.where(at < ends, values[np.minimum(at, last)], 0).astype(np.uint64) << np.uint64(
                    8 * width * (per_word - 1 - shift)
                )
            at += 1
        return packed

    order = np.arange(len(starts) - 1, dtype=np.int64)
    keys = word(order, 0)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    places = np.arange(len(order), dtype=np.int64)
    runs = np.zeros(len(order), np.int64)
    depth = 0
    end_mask = np.uint64(2 ** (8 * width) - 1)
    while len(places):
        changes = np.ones(len(places), bool)
        changes[1:] = (keys[1:] != keys[:-1]) | (runs[1:] != runs[:-1])
        tied = ~changes
        tied[:-1] |= ~changes[1:]
        tied &= (keys & end_mask) != 0
        runs = np.cumsum(changes)[tied]
        places = places[tied]
        if not len(places):
            break
        depth += 1
        rows = order[places]
        keys = word(rows, depth)
        permutation = np.lexsort((keys, runs))
        order[places] = rows[permutation]
        keys = keys[permutation]
    return order, word
