"""From texts to the whole numbers that the feature kernels read; the same for training, serving and tests.

A text becomes two sequences. Its characters: simplified code points of letters and digits, in order, folded into 16 bits.
Its tokens, those of `indexes.text.tokens`: a 32-bit hash that tells tokens apart, known or not, the token's place in the
vocabulary of the text statistics (the last row stands for all unknown tokens), and bits that say what kind it is.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array, offsets_from_counts
from indexes.text import normalise, tokens
from indexes.text.segment import simplified

CODE_POINTS = 1 << 16
NUMBER, LATIN, MIXED, ONE_CHARACTER = 1, 2, 4, 8
_HAN_NUMERALS = frozenset("〇零一二三四五六七八九十百千万亿两第")


@dataclass(frozen=True)
class EncodedTexts:
    """Texts as CSR: `chars` uint16 by `char_offsets` int64 (n + 1,); `hashes` int32, `rows` int32 and `kinds` uint8 of
    tokens by `token_offsets` int64 (n + 1,)."""

    char_offsets: Array
    chars: Array
    token_offsets: Array
    hashes: Array
    rows: Array
    kinds: Array

    def __len__(self) -> int:
        return len(self.char_offsets) - 1


def token_hash(token: str) -> int:
    """A whole number in the range of int32 by which tokens are told apart (CRC-32 of UTF-8)."""
    value = zlib.crc32(token.encode("utf-8"))
    return value - (1 << 32) if value >= 1 << 31 else value


def token_kind(token: str) -> int:
    """Bits: NUMBER for digits and Chinese numerals, LATIN for letters a–z, MIXED for both, ONE_CHARACTER."""
    digits = any(character.isdigit() for character in token)
    if all(character.isdigit() or character in _HAN_NUMERALS for character in token):
        kind = NUMBER
    elif token.isascii():
        kind = LATIN | (MIXED if digits else 0)
    else:
        kind = MIXED if digits else 0
    return kind | (ONE_CHARACTER if len(token) == 1 else 0)


def characters(text: str) -> list[int]:
    """The characters of a normalised text that features compare: letters and digits, made simplified."""
    return [ord(character) & (CODE_POINTS - 1) for character in simplified(text) if character.isalnum()]


def encode_texts(texts: Sequence[str], vocabulary: Mapping[str, int]) -> EncodedTexts:
    """Encode texts as they are typed. `vocabulary` gives the rows of known tokens; its length is the unknown row."""
    unknown = len(vocabulary)
    seen: dict[str, tuple[int, int, int]] = {}
    char_counts, token_counts = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.int64)
    all_chars: list[int] = []
    all_tokens: list[tuple[int, int, int]] = []
    for place, text in enumerate(texts):
        keyword = normalise(text)
        chars = characters(keyword)
        char_counts[place] = len(chars)
        all_chars.extend(chars)
        found = tokens(keyword)
        token_counts[place] = len(found)
        for token in found:
            code = seen.get(token)
            if code is None:
                code = seen[token] = (token_hash(token), vocabulary.get(token, unknown), token_kind(token))
            all_tokens.append(code)
    codes = np.array(all_tokens, np.int32).reshape(-1, 3)
    return EncodedTexts(
        offsets_from_counts(char_counts),
        np.array(all_chars, np.uint16),
        offsets_from_counts(token_counts),
        np.ascontiguousarray(codes[:, 0]),
        np.ascontiguousarray(codes[:, 1]),
        codes[:, 2].astype(np.uint8),
    )


def encode_distinct(texts: Iterable[str], vocabulary: Mapping[str, int]) -> tuple[EncodedTexts, Array]:
    """Encode each distinct text once; also the row of each text in them, int64 (n,)."""
    place: dict[str, int] = {}
    rows = np.array([place.setdefault(text, len(place)) for text in texts], np.int64)
    return encode_texts(list(place), vocabulary), rows
