"""Through which disguises an unsafe term was seen, for people who ask why a text was caught."""

import unicodedata

from indexes.text.segment import simplified
from indexes.unsafe_disguises import LEET, LOOK_ALIKES, is_han, units

DISGUISES = ("full_width", "traditional", "accents", "look_alikes", "invisible", "split", "leetspeak", "pinyin", "case")
_LOOK_ALIKES = frozenset("".join(LOOK_ALIKES.values()))


def disguises(term: str, where: str) -> tuple[str, ...]:
    """How the place of a text where a term was found (`Match.where`) differs from the term, in the order of DISGUISES.

    Empty if it is written as listed.
    """
    plain = unicodedata.normalize("NFKC", where)
    folded = plain.casefold()
    decomposed = unicodedata.normalize("NFD", folded)
    listed = unicodedata.normalize("NFKC", term).casefold()
    is_chinese = any(map(is_han, listed))
    symbols = [char for char in plain if char in LEET and char not in listed]
    gaps = sum(1 for unit in units(where, bool(symbols) and not is_chinese)[1:] if unit.gap)
    seen = {
        "full_width": any(unicodedata.normalize("NFKC", char) != char for char in where),
        "traditional": any(is_han(char) and char not in listed and simplified(char) != char for char in plain),
        "accents": any(unicodedata.combining(char) for char in decomposed)
        and not any(unicodedata.combining(char) for char in unicodedata.normalize("NFD", listed)),
        "look_alikes": any(char in _LOOK_ALIKES for char in decomposed),
        "invisible": any(unicodedata.category(char) in ("Cf", "Cc") and not char.isspace() for char in where),
        "split": gaps > sum(1 for unit in units(term)[1:] if unit.gap),
        "leetspeak": not is_chinese and any(not char.isspace() for char in symbols),
        "pinyin": is_chinese and any(char.isascii() and char.isalpha() and char not in listed for char in folded),
        "case": plain != folded and listed != plain,
    }
    return tuple(name for name in DISGUISES if seen[name])
