"""From texts to the whole numbers that the feature kernels read; the same for training, serving and tests.

A text becomes two sequences. Its characters: simplified code points of letters and digits, in order, folded into 16
bits. Its tokens, those of `indexes.text.tokens`: a 32-bit hash that tells tokens apart, known or not, the token's place
in the vocabulary of the text statistics (the last row stands for all unknown tokens), bits that say what kind it is,
and a signature of its spelling.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from indexes.arrays import Array, offsets_from_counts
from indexes.compiled import njit
from indexes.text import normalise, tokens
from indexes.text.segment import simplified

CODE_POINTS = 1 << 16
NUMBER, LATIN, MIXED, ONE_CHARACTER = 1, 2, 4, 8
_HAN_NUMERALS = frozenset("〇零一二三四五六七八九十百千万亿两第")


@dataclass(frozen=True)
class EncodedTexts:
    """Texts as CSR: `chars` uint16 by `char_offsets` int64 (n + 1,); `hashes` int32, `rows` int32 and `kinds` uint8 of
    tokens by `token_offsets` int64 (n + 1,),
    `spellings` uint64, a signature of the token's letters, and `lexemes` int32, its number in the word lists or 0."""

    char_offsets: Array
    chars: Array
    token_offsets: Array
    hashes: Array
    rows: Array
    kinds: Array
    spellings: Array
    lexemes: Array

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


def spelling_signature(token: str) -> int:
    """64 bits, one set for each letter of a token and for each pair of neighbouring letters, its ends included.

    The share of bits that two signatures have in common tells misspelt, inflected and compound words from strangers.
    """
    bounded = f"^{token}$"
    parts = {*token, *(bounded[place : place + 2] for place in range(len(bounded) - 1))}
    signature = 0
    for part in parts:
        signature |= 1 << (zlib.crc32(part.encode("utf-8")) >> 26)
    return signature


@cache
def character_table() -> Array:
    """What each 16-bit code point counts as: itself, simplified if it is Chinese, or 0 if neither letter nor digit."""
    table = np.zeros(CODE_POINTS, np.uint16)
    for code in range(CODE_POINTS):
        if chr(code).isalnum():
            single = simplified(chr(code))
            table[code] = ord(single) if len(single) == 1 and ord(single) < CODE_POINTS else code
    return table


def encode_characters(texts: Sequence[str]) -> tuple[Array, Array]:
    """The characters of normalised texts that features compare: CSR offsets int64 (n + 1,) and uint16.

    Rare Chinese characters beyond 16 bits keep their lower bits.
    """
    joined = np.frombuffer("\n".join([*texts, ""]).encode("utf-8"), np.uint8)
    offsets = np.zeros(len(texts) + 1, np.int64)
    chars = np.empty(len(joined), np.uint16)
    _decode(joined, character_table(), offsets, chars)
    return offsets, chars[: offsets[-1]]


@njit
def _decode(utf8: Array, table: Array, offsets: Array, chars: Array) -> None:
    """Decode texts that each end in a line feed."""
    place = count = text = 0
    while place < len(utf8):
        lead = np.uint32(utf8[place])
        if lead == 10:
            text += 1
            offsets[text] = count
            place += 1
            continue
        if lead < 0x80:
            code, length = lead, 1
        elif lead < 0xE0:
            code, length = lead & np.uint32(0x1F), 2
        elif lead < 0xF0:
            code, length = lead & np.uint32(0x0F), 3
        else:
            code, length = lead & np.uint32(0x07), 4
        for following in range(1, length):
            code = (code << np.uint32(6)) | (np.uint32(utf8[place + following]) & np.uint32(0x3F))
        place += length
        kept = (
            table[code]
            if code < CODE_POINTS
            else np.uint16(code & np.uint32(0xFFFF))
            if code >= 0x20000
            else np.uint16(0)
        )
        if kept:
            chars[count] = kept
            count += 1


def encode_texts(texts: Sequence[str], vocabulary: Mapping[str, int], lexemes: Mapping[str, int]) -> EncodedTexts:
    """Encode texts as they are typed. `vocabulary` gives the rows of known tokens; its length is the unknown row."""
    unknown = len(vocabulary)
    seen: dict[str, int] = {}
    codes: list[tuple[int, int, int, int]] = []
    signatures: list[int] = []
    token_counts = np.zeros(len(texts), np.int64)
    all_tokens: list[int] = []
    normalised = [normalise(text) for text in texts]
    for place, keyword in enumerate(normalised):
        found = tokens(keyword)
        token_counts[place] = len(found)
        for token in found:
            number = seen.get(token)
            if number is None:
                number = seen[token] = len(codes)
                codes.append(
                    (token_hash(token), vocabulary.get(token, unknown), token_kind(token), lexemes.get(token, 0))
                )
                signatures.append(spelling_signature(token))
            all_tokens.append(number)
    numbers = np.array(all_tokens, np.int64)
    columns = np.array(codes, np.int32).reshape(-1, 4)[numbers]
    return EncodedTexts(
        *encode_characters(normalised),
        offsets_from_counts(token_counts),
        np.ascontiguousarray(columns[:, 0]),
        np.ascontiguousarray(columns[:, 1]),
        columns[:, 2].astype(np.uint8),
        np.array(signatures, np.uint64)[numbers],
        np.ascontiguousarray(columns[:, 3]),
    )


def encode_distinct(
    texts: Iterable[str], vocabulary: Mapping[str, int], lexemes: Mapping[str, int]
) -> tuple[EncodedTexts, Array]:
    """Encode each distinct text once; also the row of each text in them, int64 (n,)."""
    place: dict[str, int] = {}
    rows = np.array([place.setdefault(text, len(place)) for text in texts], np.int64)
    return encode_texts(list(place), vocabulary, lexemes), rows
