"""Syllables that speakers of Chinese take for each other, as input methods offer them ("fuzzy pinyin")."""

from collections.abc import Sequence
from functools import lru_cache

LONGEST_SYLLABLE = 6
_INITIALS = ("", "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h", "j", "q", "x", "zh", "ch", "sh", "r", "z", "c",
             "s", "y", "w")  # fmt: skip
_FINALS = frozenset(
    ("a", "o", "e", "ai", "ei", "ao", "ou", "an", "en", "ang", "eng", "er", "ong", "i", "ia", "ie", "iao", "iu", "ian",
     "in", "iang", "ing", "iong", "u", "ua", "uo", "uai", "ui", "uan", "un", "uang", "ue", "v", "ve")
)  # fmt: skip
_SWAPPED_INITIALS = (("z", "zh"), ("c", "ch"), ("s", "sh"), ("n", "l"), ("r", "l"))
_SWAPPED_FINALS = (("an", "ang"), ("en", "eng"), ("in", "ing"), ("ian", "iang"), ("uan", "uang"))
_SWAPPED_SYLLABLES = (
    *(("fa", "hua"), ("fan", "huan"), ("fang", "huang"), ("fei", "hui"), ("fen", "hun"), ("feng", "hong")),
    *(("fo", "huo"), ("fu", "hu")),
)


@lru_cache(maxsize=65_536)
def confusable(text: str) -> tuple[str, ...]:
    """What a syllable may be taken for: another initial, another final, both, or f for h; empty for other texts.

    `xiang` gives `xian`; `zan` gives `zang`, `zhan` and `zhang`; `fei` gives `hui`. The relation is symmetric. Not
    every one is a syllable that exists.
    """
    splits = ((initial, text[len(initial) :]) for initial in _INITIALS if text.startswith(initial))
    initial, final = next(((initial, final) for initial, final in splits if final in _FINALS), ("", ""))
    if not final:
        return ()
    found = [
        other + ending
        for other in _alternatives(initial, _SWAPPED_INITIALS)
        for ending in _alternatives(final, _SWAPPED_FINALS)
    ]
    return (*found[1:], *_alternatives(text, _SWAPPED_SYLLABLES)[1:])


def _alternatives(part: str, pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [part, *(b for a, b in pairs if a == part), *(a for a, b in pairs if b == part)]
