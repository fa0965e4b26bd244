"""Which keywords are one demand in several spellings (SPEC §1.10 "close variants")."""

from collections.abc import Sequence

import numpy as np

from indexes.arrays import Array, offsets_from_counts
from indexes.text import fingerprint

MIN_HOMOPHONE_CHARACTERS = 3
"""Shorter Chinese keywords often sound alike by chance: 数目 and 树木."""
HOMOPHONE_RATIO = 10
"""A homophone is a slip of the input method if the right spelling has this many times its searches."""


def close_variants(
    keywords: Sequence[str], searches: Array, sounds: Sequence[str | None]
) -> tuple[Array, Array, Array]:
    """Group keywords by fingerprint (order, plural, width, traditional characters, spacing), then rare homophones.

    `sounds` is each Chinese keyword's pinyin, None for others. Returns the head of each keyword's group, int32 (n,):
    its most searched member; and the groups of two or more as CSR over heads, int64 (n + 1,) and int32, the most
    searched first, ties by id.
    """
    groups: dict[str, list[int]] = {}
    for keyword_id, keyword in enumerate(keywords):
        groups.setdefault(fingerprint(keyword), []).append(keyword_id)
    joined = _join_homophones(list(groups.values()), searches, keywords, sounds)
    canonical = np.arange(len(keywords), dtype=np.int32)
    counts = np.zeros(len(keywords), np.int64)
    by_head: dict[int, list[int]] = {}
    for members in joined:
        if len(members) > 1:
            members.sort(key=lambda keyword_id: (-searches[keyword_id], keyword_id))
            canonical[members] = members[0]
            counts[members[0]] = len(members)
            by_head[members[0]] = members
    flat = [member for head in sorted(by_head) for member in by_head[head]]
    return canonical, offsets_from_counts(counts), np.array(flat, np.int32)


def _join_homophones(
    groups: list[list[int]], searches: Array, keywords: Sequence[str], sounds: Sequence[str | None]
) -> list[list[int]]:
    """The groups, each that sounds like a much more searched one joined to it; its best member stands for a group."""
    by_sound: dict[str, list[tuple[int, int]]] = {}
    joined: list[list[int]] = []
    for members in groups:
        best = min(members, key=lambda keyword_id: (-searches[keyword_id], keyword_id))
        sound = sounds[best]
        if (
            sound is not None
            and sum(ord(character) > 0x3400 for character in keywords[best]) >= MIN_HOMOPHONE_CHARACTERS
        ):
            by_sound.setdefault(sound, []).append((best, len(joined)))
        joined.append(list(members))
    for alike in by_sound.values():
        alike.sort(key=lambda pair: (-searches[pair[0]], pair[0]))
        head, head_place = alike[0]
        for rare, place in alike[1:]:
            if searches[rare] * HOMOPHONE_RATIO <= searches[head]:
                joined[head_place] += joined[place]
                joined[place] = []
    return joined
