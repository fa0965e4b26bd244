"""How keywords are read: the characters that suggestion matches, each with its toneless pinyin.

A Chinese character has the reading that pypinyin gives it within its word (银行 yinhang, 行走 xingzou), so readings are
looked up once a distinct word and never once a keyword. Any other character is its own reading.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

import rjieba

from indexes.text.language import language
from indexes.text.segment import simplified

APOSTROPHES = "'’"
"""Input methods show them between syllables while somebody types: xi'an."""
_UMLAUTS = str.maketrans(dict.fromkeys("üǖǘǚǜ", "v"))
_SEPARATORS = re.compile(rf"[^\S\n]|[{APOSTROPHES}]")
BATCH = 20_000
"""Keywords that are converted and segmented in one call."""


def is_separator(character: str) -> bool:
    """Whether suggestion passes over a character of a keyword, and takes it for a border of syllables in a query."""
    return character.isspace() or character in APOSTROPHES


def folded(text: str) -> str:
    """A normalised text with simplified characters, as many as before."""
    converted = simplified(text)
    return converted if len(converted) == len(text) else "".join(simplified(character)[:1] for character in text)


@lru_cache(maxsize=65_536)
def readings_of_word(word: str) -> tuple[str, ...]:
    """The reading of each character of a word in simplified characters: ASCII letters, or the character itself."""
    if word.isascii():
        return tuple(word)
    from pypinyin.constants import PHRASES_DICT
    from pypinyin.seg.mmseg import seg

    # What pypinyin.lazy_pinyin does, in a tenth of its time.
    found: list[str] = []
    alternatives = [readings_of_character(character) for character in word]
    if all(len(readings) == 1 for readings in alternatives):
        return tuple(readings[0] for readings in alternatives)
    for part in (word,) if word in PHRASES_DICT else seg.cut(word):
        phrase = PHRASES_DICT.get(part, ())
        if len(phrase) == len(part):
            found += [_toneless(readings[0], character) for readings, character in zip(phrase, part, strict=True)]
        else:
            found += [readings_of_character(character)[0] for character in part]
    return tuple(found)


@lru_cache(maxsize=65_536)
def readings_of_character(character: str) -> tuple[str, ...]:
    """The toneless readings of one character, the usual one first; the character itself if it has none."""
    from pypinyin.constants import PINYIN_DICT

    readings = PINYIN_DICT.get(ord(character), "").split(",")
    return tuple(dict.fromkeys(_toneless(reading, character) for reading in readings))


@lru_cache(maxsize=8192)
def _toneless(reading: str, character: str) -> str:
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFC", reading).translate(_UMLAUTS))
    letters = decomposed.encode("ascii", "ignore").decode().lower()
    return letters if letters.isalpha() else character


def words_of_each(texts: Iterable[str]) -> Iterator[list[str]]:
    """The words of each normalised text, simplified, without separators; together they are what is matched of it."""
    iterator = iter(texts)
    while batch := list(islice(iterator, BATCH)):
        joined = simplified("\n".join(batch)).split("\n")
        if [len(text) for text in joined] != [len(text) for text in batch]:
            joined = [folded(text) for text in batch]
        pieces = rjieba.cut(_SEPARATORS.sub("", "\n".join(joined)))
        row: list[str] = []
        # A piece may join a line's end with other symbols: only the characters in it tell.
        for piece in pieces:
            if "\n" not in piece:
                row.append(piece)
                continue
            *ended, rest = piece.split("\n")
            for part in ended:
                if part:
                    row.append(part)
                yield row
                row = []
            if rest:
                row.append(rest)
        yield row


def read_aloud(text: str) -> list[tuple[str, str]]:
    """The characters of a normalised text that are matched, simplified, each with its reading."""
    return [pair for word in next(words_of_each([text])) for pair in zip(word, readings_of_word(word), strict=True)]


def pinyin(text: str) -> str:
    """The toneless pinyin of a text without spaces, Latin letters kept: 鲜花 and `xian hua` both give `xianhua`."""
    if text.isascii():
        return "".join(text.split()).replace("'", "")
    return "".join(reading for _, reading in read_aloud(text))


def sounds_of(texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[str | None]:
    """The pinyin of each Chinese text, whose words (`words_of_each`) are given; None for the others."""
    return [
        "".join(reading for word in row for reading in readings_of_word(word)) if language(text) == "zh" else None
        for text, row in zip(texts, words, strict=True)
    ]
