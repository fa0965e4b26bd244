"""Which keywords are one demand in several spellings (SPEC §1.10 "close variants").

Texts are compared by 128 bits of their BLAKE2b hash, so that ten million of them are sorted as numbers.
"""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from indexes.arrays import Array, offsets_from_counts
from indexes.text import fingerprint

MIN_HOMOPHONE_CHARACTERS = 3
"""Shorter Chinese keywords often sound alike by chance: 数目 and 树木."""
HOMOPHONE_RATIO = 10
"""A homophone is a slip of the input method if the right spelling has this many times its searches."""
_NO_TEXT = bytes(16)


def variant_keys(keywords: Sequence[str], sounds: Sequence[str | None]) -> tuple[Array, Array]:
    """What decides the groups, uint64 (n, 2) each: hashes of the fingerprints, and of the sounds.

    `sounds` is each Chinese keyword's pinyin, None for others. Zeros stand for a keyword that is nobody's homophone.
    """
    fingerprints = b"".join(_hashed(fingerprint(keyword)) for keyword in keywords)
    by_sound = b"".join(
        _hashed(sound) if sound is not None and _is_long(keyword) else _NO_TEXT
        for keyword, sound in zip(keywords, sounds, strict=True)
    )
    return np.frombuffer(fingerprints, "<u8").reshape(-1, 2), np.frombuffer(by_sound, "<u8").reshape(-1, 2)


def _hashed(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _is_long(keyword: str) -> bool:
    return sum(ord(character) > 0x3400 for character in keyword) >= MIN_HOMOPHONE_CHARACTERS


def close_variants(fingerprints: Array, sounds: Array, searches: Array) -> tuple[Array, Array, Array]:
    """Group keywords by fingerprint (order, plural, width, traditional characters, spacing), then rare homophones.

    The keys are those of `variant_keys`. Returns the head of each keyword's group, int32 (n,): its most searched
    member; and the groups of two or more as CSR over heads, int64 (n + 1,) and int32, the most searched first, ties by
    id.
    """
    count = len(searches)
    head_of = _first_of_equals(fingerprints, np.arange(count), searches)
    heads = np.flatnonzero(head_of == np.arange(count))
    candidates = heads[sounds[heads].any(axis=1)]
    alike = _first_of_equals(sounds[candidates], candidates, searches)
    is_slip = (alike != candidates) & (searches[candidates] * HOMOPHONE_RATIO <= searches[alike])
    meant = np.arange(count, dtype=np.int32)
    meant[candidates[is_slip]] = alike[is_slip]
    canonical = meant[head_of].astype(np.int32)

    sizes = np.bincount(canonical, minlength=count)
    members = np.flatnonzero(sizes[canonical] > 1)
    order = np.lexsort((members, -searches[members], canonical[members]))
    sizes[sizes == 1] = 0
    return canonical, offsets_from_counts(sizes), members[order].astype(np.int32)


def _first_of_equals(keys: Array, keyword_ids: Array, searches: Array) -> Array:
    """For each keyword the most searched of those with its key, ties by id."""
    order = np.lexsort((keyword_ids, -searches[keyword_ids], keys[:, 1], keys[:, 0]))
    ordered = keys[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    first = np.empty(len(order), np.int64)
    first[order] = keyword_ids[order[np.flatnonzero(is_first)]][np.cumsum(is_first) - 1]
    return first
