"""From what somebody typed to the identity of a keyword."""

import re
import unicodedata

# Controls, format characters (zero width, bidi marks), surrogates, private use and unassigned code points never belong
# to a keyword; they come from copy and paste, broken encodings or tricks.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Combining marks beyond this many in a row are not a spelling of any language but a way to deface a page.
_MOST_MARKS = 4
_EXTRA_MARKS = re.compile(rf"([\u0300-\u036f]{{{_MOST_MARKS}}})[\u0300-\u036f]+")


def normalise(text: str) -> str:
    """The keyword that a text stands for: NFKC, case folded, invisible characters removed, white space collapsed.

    Two spellings with the same result are the same keyword: full-width and half-width, upper and lower case. The result
    may be empty. The function is idempotent. Variants that a person would tell apart (word order, plural,
    traditional characters) stay apart here; `indexes.text.fingerprint` groups those.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    visible = "".join(
        " " if character.isspace() else "" if unicodedata.category(character) in _INVISIBLE else character
        for character in folded
    )
    composed = unicodedata.normalize("NFKC", visible)
    composed = _EXTRA_MARKS.sub(r"\1", composed)
    return " ".join(composed.split())
