"""Seeing through disguised spellings: every text becomes a row of units, one a letter, digit or Chinese character.

Folded away: full-width, traditional characters, accents and stacked marks, zero-width characters, Cyrillic and Greek
look-alikes. Digits and symbols that stand for letters (leetspeak) are folded in a second view. What separates two
units is remembered, so that the matcher can tell a split word (赌*博, "p o r n") from two innocent ones (二手 枪钻,
"pen is").
"""

import re
import unicodedata
from typing import NamedTuple

from indexes.text.segment import simplified


class Gap:
    """What stands between a unit and the one before it: bits, since a gap may hold several characters."""

    NONE = 0
    SPACE = 1
    PUNCTUATION = 2
    """Marks that separate words in ordinary writing."""
    JOINER = 4
    """Hyphens, dots and the like, which join Latin words but hardly ever Chinese ones."""
    SYMBOL = 8
    """Anything else, such as * or an emoji: it has no business inside a Chinese word."""


class Unit(NamedTuple):
    """One folded character of a text.

    `char` is as matched in the view, `plain` before leetspeak was folded; `place` is where in the text it stands.
    """

    char: str
    plain: str
    place: int
    gap: int


# Look-alikes by shape, after case folding. Accented and compatibility forms are decomposed before.
LOOK_ALIKES = {
    "a": "аɑαᴀ",
    "b": "вьβʙ",
    "c": "сᴄ",
    "d": "ԁđᴅ",
    "e": "еεᴇ",
    "f": "ꜰ",
    "g": "ɡցɢ",
    "h": "һнħհʜ",
    "i": "іıιɩᴉ",
    "j": "јᴊ",
    "k": "кκᴋ",
    "l": "ӏłʟ",
    "m": "мᴍ",
    "n": "пηոɴ",
    "o": "оοøօᴏ",
    "p": "рρᴘ",
    "q": "ԛգ",
    "r": "гʀ",
    "s": "ѕꜱ",
    "t": "тτᴛ",
    "u": "υսᴜ",
    "v": "νѵᴠ",
    "w": "ԝωᴡ",
    "x": "хχ",
    "y": "уүγʏ",
    "z": "ᴢ",
}
"""The characters of other scripts, small capitals and barred letters that are read as a Latin letter."""
_LETTER_OF = {look_alike: letter for letter, group in LOOK_ALIKES.items() for look_alike in group}
_JOINERS = frozenset("-‐‑‒–—−._'’·•・")
_PUNCTUATION = frozenset(',;:!?&+/|\\"()[]<>、。，；：！？／（）「」『』《》〈〉【】“”‘…')
LEET: dict[str, str] = {
    "0": "o",
    "1": "il",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "g",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "il",
    "|": "il",
    "+": "t",
    "(": "c",
    "€": "e",
    "£": "l",
    "¥": "y",
}
"""The letters that a digit or symbol may stand for; all letters of one entry are one letter in the leet view."""
_LEET_CHARACTER = re.compile("[0-9@$!|+(€£¥０-９＠＄！｜＋（￡￥]")


def is_han(character: str) -> bool:
    """Whether a character is Chinese."""
    return (
        "\u4e00" <= character <= "\u9fff"
        or "\u3400" <= character <= "\u4dbf"
        or "\uf900" <= character <= "\ufaff"
        or "\U00020000" <= character <= "\U0003ffff"
    )


def is_latin(character: str) -> bool:
    """Whether a folded character is a Latin letter without marks."""
    return "a" <= character <= "z"


def may_be_leet(text: str) -> bool:
    """Whether the text has a character that leetspeak uses."""
    return _LEET_CHARACTER.search(text) is not None


def _fold(character: str) -> str:
    """What is matched instead of a character: letters and digits only, empty for separators and invisible ones."""
    compatible = unicodedata.normalize("NFKC", character).casefold()
    decomposed = unicodedata.normalize("NFD", compatible)
    folded = (
        simplified(part) if is_han(part) else _LETTER_OF.get(part, part)
        for part in decomposed
        if unicodedata.category(part)[0] in "LN" and part not in "\u115f\u1160\u3164\uffa0"
    )
    return unicodedata.normalize("NFC", "".join(folded))


def _fold_leet(character: str) -> str:
    """The same in the leet view, where i and l are one letter since 1 and ! stand for both."""
    compatible = unicodedata.normalize("NFKC", character)
    if compatible in LEET:
        return LEET[compatible][0].replace("l", "i")
    return _fold(character).replace("l", "i")


class _Folding(dict[int, str]):
    """A table for `str.translate` that fills itself; line breaks stay, since they part the texts of a batch."""

    def __init__(self, is_leet: bool) -> None:
        super().__init__({ord("\n"): "\n"})
        self._fold = _fold_leet if is_leet else _fold

    def __missing__(self, code_point: int) -> str:
        folded = self[code_point] = self._fold(chr(code_point))
        return folded


_FOLDING = {False: _Folding(is_leet=False), True: _Folding(is_leet=True)}


def folded(text: str, is_leet: bool = False) -> str:
    """The units' `char`s of a text, or of a batch of texts parted by line breaks, without building the units."""
    return text.translate(_FOLDING[is_leet])


def units(text: str, is_leet: bool = False) -> list[Unit]:
    """The units of one text; their `char`s joined are `folded(text, is_leet)` if it has no line break."""
    result: list[Unit] = []
    plain_folding, view_folding = _FOLDING[False], _FOLDING[is_leet]
    gap = Gap.NONE
    for index, character in enumerate(text):
        view = view_folding[ord(character)] if character != "\n" else ""
        if not view:
            gap |= _gap_of(character)
            continue
        # A leet symbol such as $ is a unit here although it is a separator in the plain view.
        plain = plain_folding[ord(character)] or unicodedata.normalize("NFKC", character)
        for place, char in enumerate(view):
            result.append(Unit(char, plain[place] if place < len(plain) else char, index, gap))
            gap = Gap.NONE
    return result


def _gap_of(character: str) -> int:
    if character.isspace():
        return Gap.SPACE
    if character in _JOINERS:
        return Gap.JOINER
    if character in _PUNCTUATION:
        return Gap.PUNCTUATION
    # Marks, zero-width and other invisible characters separate nothing.
    return Gap.NONE if unicodedata.category(character)[0] in "MCL" else Gap.SYMBOL
