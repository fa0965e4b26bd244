"""Kernels: keywords by the letters of their full pinyin, also with one mistake. Imports numba.

A text is its UTF-8 bytes. The first 16 of each keyword stand in the list itself, as two numbers of 64 bits.
"""

from typing import NamedTuple

import numpy as np

from indexes.arrays import Array
from indexes.compiled import njit
from indexes.prefixes_ranges import insert, offer_range

KEYED = 16
"""Bytes in the list itself."""
SMALL_RANGE = 64
"""Ranges of so many rows are looked through at once."""
ALPHABET = np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyz", np.uint8)
"""The letters that may be mistyped."""


class LetterLists(NamedTuple):
    """The mapped arrays that are read."""

    starts: Array
    symbols: Array
    ranks: Array
    minima: Array
    keys: Array
    readings_offsets: Array
    readings: Array


@njit
def spell(lists: LetterLists, rank: int, letters: Array) -> int:
    """Write a keyword's letters, as many as there is room for; returns how many."""
    count = 0
    for at in range(np.int64(lists.starts[rank]), np.int64(lists.starts[rank + 1])):
        symbol = lists.symbols[at]
        for place in range(lists.readings_offsets[symbol], lists.readings_offsets[symbol + 1]):
            if count == len(letters):
                return count
            letters[count] = lists.readings[place]
            count += 1
    return count


@njit
def _packed(text: Array, begin: int, filler: int) -> np.uint64:
    word = np.uint64(0)
    for place in range(begin, begin + 8):
        letter = text[place] if place < len(text) else filler
        word = word << np.uint64(8) | np.uint64(letter)
    return word


@njit
def _first_not_below(keys: Array, low: int, high: int, bound: np.uint64) -> int:
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < bound:
            low = middle + 1
        else:
            high = middle
    return low


@njit
def _first_above(keys: Array, low: int, high: int, bound: np.uint64) -> int:
    while low < high:
        middle = (low + high) // 2
        if keys[middle] <= bound:
            low = middle + 1
        else:
            high = middle
    return low


@njit
def _compare(lists: LetterLists, rank: int, text: Array, spelled: Array) -> int:
    """-1, 0 or 1: the keyword's letters are before the text, begin with it, or are after it."""
    count = spell(lists, rank, spelled[: len(text)])
    for place in range(len(text)):
        letter = spelled[place] if place < count else 0
        if letter != text[place]:
            return -1 if letter < text[place] else 1
    return 0


@njit
def letters_range(lists: LetterLists, text: Array, low: int, high: int) -> tuple[int, int]:
    """The rows of low to high - 1 whose letters begin with the text; any text before low must be smaller, and so on."""
    keys = lists.keys[0]
    low = _first_not_below(keys, low, high, _packed(text, 0, 0))
    bound = _packed(text, 0, 255)
    if low == high or keys[low] > bound:
        return low, low
    high = _first_above(keys, low, high, bound)
    if len(text) > 8:
        keys = lists.keys[1]
        low = _first_not_below(keys, low, high, _packed(text, 8, 0))
        high = _first_above(keys, low, high, _packed(text, 8, 255))
    if len(text) > KEYED:
        spelled = np.empty(len(text), np.uint8)
        end = high
        while low < end:
            middle = (low + end) // 2
            if _compare(lists, lists.ranks[middle], text, spelled) < 0:
                low = middle + 1
            else:
                end = middle
        end = low
        while end < high:
            middle = (end + high) // 2
            if _compare(lists, lists.ranks[middle], text, spelled) == 0:
                end = middle + 1
            else:
                high = middle
    return low, high


@njit
def offer_letters(lists: LetterLists, text: Array, best: Array) -> None:
    """Offer the keywords whose letters begin with the text."""
    low, high = letters_range(lists, text, 0, len(lists.ranks))
    offer_range(lists.ranks, lists.minima, low, high, best)


@njit
def offer_each(lists: LetterLists, texts: Array, offsets: Array, best: Array) -> None:
    """The same for several texts, one after the other in `texts`."""
    for place in range(len(offsets) - 1):
        offer_letters(lists, texts[offsets[place] : offsets[place + 1]], best)


@njit
def _is_letter(byte: int) -> bool:
    return 48 <= byte <= 57 or 97 <= byte <= 122


@njit
def _begins(letters: Array, count: int, begin: int, text: Array, text_begin: int) -> bool:
    """Whether letters[begin:count] begin with text[text_begin:]."""
    if count - begin < len(text) - text_begin:
        return False
    place = 0
    while text_begin + place < len(text) and letters[begin + place] == text[text_begin + place]:
        place += 1
    return text_begin + place == len(text)


@njit
def is_near(letters: Array, count: int, text: Array) -> bool:
    """Whether the letters begin with the text, or with one that differs from it by one mistake after its first letter.

    If there is such a mistake there is one at the first place where the two differ.
    """
    place = 0
    while place < len(text) and place < count and letters[place] == text[place]:
        place += 1
    if place == len(text):
        return True
    if place == 0:
        return False
    typed = _is_letter(text[place])
    if typed and _begins(letters, count, place, text, place + 1):
        return True
    if place == count or not _is_letter(letters[place]):
        return False
    if _begins(letters, count, place + 1, text, place):
        return True
    if typed and _begins(letters, count, place + 1, text, place + 1):
        return True
    return (
        place + 1 < len(text)
        and place + 1 < count
        and typed
        and _is_letter(text[place + 1])
        and letters[place] == text[place + 1]
        and letters[place + 1] == text[place]
        and _begins(letters, count, place + 2, text, place + 2)
    )


@njit
def _offer(lists: LetterLists, text: Array, low: int, high: int, best: Array) -> None:
    low, high = letters_range(lists, text, low, high)
    if low < high:
        offer_range(lists.ranks, lists.minima, low, high, best)


@njit
def offer_near(lists: LetterLists, text: Array, best: Array) -> None:
    """Offer the keywords for which `is_near` holds.

    The texts with a mistake at place i are looked up among the keywords that begin as the query does up to i; once
    these are few, each of them is compared.
    """
    size = len(text)
    low, high = 0, len(lists.ranks)
    fewer, longer = np.empty(size - 1, np.uint8), np.empty(size + 1, np.uint8)
    same = text.copy()
    spelled = np.empty(size + 1, np.uint8)
    for place in range(1, size):
        low, high = letters_range(lists, text[:place], low, high)
        if high - low <= SMALL_RANGE:
            for row in range(low, high):
                rank = lists.ranks[row]
                if rank < best[-1] and is_near(spelled, spell(lists, rank, spelled), text):
                    insert(best, rank)
            return
        typed = _is_letter(text[place])
        if typed:
            fewer[:place] = text[:place]
            fewer[place:] = text[place + 1 :]
            _offer(lists, fewer, low, high, best)
        if typed and place + 1 < size and _is_letter(text[place + 1]):
            same[place], same[place + 1] = text[place + 1], text[place]
            _offer(lists, same, low, high, best)
            same[place], same[place + 1] = text[place], text[place + 1]
        longer[:place] = text[:place]
        longer[place + 1 :] = text[place:]
        for letter in ALPHABET:
            longer[place] = letter
            _offer(lists, longer, low, high, best)
            if typed and letter != text[place]:
                same[place] = letter
                _offer(lists, same, low, high, best)
        same[place] = text[place]
    _offer(lists, text, low, high, best)
