"""The spellings under which one unsafe term is looked for, and the rules by which a place in a text is such a spelling.

Latin letters: a term is a word or part of one; split spellings count if the word is split all through or by symbols,
so that "p o r n" is found and "pen is" is not. Chinese: a term is found anywhere, but where it is split, or spelt
partly in pinyin, its ends must be ends of words too, so that 赌 博 is found and 二手 枪钻 is not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from pypinyin import Style, lazy_pinyin

from indexes.errors import Message
from indexes.text.segment import words
from indexes.unsafe_disguises import LEET, Gap, Unit, is_han, is_latin, units
from indexes.unsafe_lexicon import Term

_SHORT_WORD = 3
"""A Latin word of so few letters counts as split only if it is split all through: `s-e-x`, not `s-ex`."""
_LEAST_LETTERS_IN_LEET = 2
"""True letters in a leetspeak spelling: p0rn has three; a55 and other model numbers are left alone."""
_ENGLISH_PLURAL = ("", "s", "es")
_ANY_RUN_IN_PINYIN = 3
"""In terms of up to so many characters any run may be written in pinyin; in longer ones a single character, or all."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to write a term: its folded characters, and the places inside where a gap needs no excuse.

    `word_starts` are the positions of the second and later words (syllables, if pinyin).
    """

    term: int
    chars: str
    word_starts: frozenset[int]
    match: str
    is_latin: bool
    """Whether it has no Chinese character."""
    is_pinyin: bool = False

    def stands_at(self, row: Sequence[Unit], start: int, is_leet: bool) -> bool:
        """Whether the characters at this position of a text, which equal the folded ones, are this spelling."""
        end = start + len(self.chars)
        if is_leet and not self._is_leetspeak(row, start):
            return False
        if self.match == "whole":
            return start == 0 and end == len(row)
        if self.is_latin:
            return self._stands_as_latin(row, start, end, is_leet)
        return self._stands_as_chinese(row, start, end)

    def _is_leetspeak(self, row: Sequence[Unit], start: int) -> bool:
        letters = disguised = 0
        for char, unit in zip(self.chars, row[start:], strict=False):
            if unit.plain == char:
                letters += is_latin(char)
            elif char in LEET.get(unit.plain, ""):
                disguised += 1
            else:
                return False
        return disguised > 0 and letters >= _LEAST_LETTERS_IN_LEET

    def _stands_as_latin(self, row: Sequence[Unit], start: int, end: int, is_leet: bool) -> bool:
        cuts = {at for at in range(1, len(self.chars)) if row[start + at].gap} - self.word_starts
        if cuts:
            return (
                _is_latin_edge(row, start - 1, start)
                and _is_latin_edge(row, end, end - 1)
                and self._is_split_on_purpose(row, start, cuts, is_leet)
            )
        if self.match == "substring" and not self.is_pinyin:
            return True
        endings = ("",) if self.is_pinyin else _ENGLISH_PLURAL
        return _is_latin_edge(row, start - 1, start) and any(
            _continues_with(row, end, ending) and _is_latin_edge(row, end + len(ending), end + len(ending) - 1)
            for ending in endings
        )

    def _is_split_on_purpose(self, row: Sequence[Unit], start: int, cuts: set[int], is_leet: bool) -> bool:
        """Whether each word of the spelling that has a gap inside is cut by symbols, or cut all through."""
        bounds = [0, *sorted(self.word_starts), len(self.chars)]
        for left, right in pairwise(bounds):
            inside = set(range(left + 1, right))
            found = cuts & inside
            has_space = any(row[start + at].gap & Gap.SPACE for at in found)
            if found and found != inside and (has_space or is_leet or right - left <= _SHORT_WORD):
                return False
        return True

    def _stands_as_chinese(self, row: Sequence[Unit], start: int, end: int) -> bool:
        for outside, inside in ((start - 1, start), (end, end - 1)):
            if not is_han(row[inside].char) and not _is_latin_edge(row, outside, inside):
                return False
        gaps = 0
        for unit in row[start + 1 : end]:
            gaps |= unit.gap
        if gaps & Gap.SYMBOL:
            return True
        if not gaps and not self.is_pinyin and self.match != "word":
            return True
        # 在线赌-博网: the words on both sides of the hyphen are no words; read through it, they are.
        across = (0, Gap.JOINER) if gaps == Gap.JOINER else (0,)
        return any(_is_chinese_edge(row, start, ignored) and _is_chinese_edge(row, end, ignored) for ignored in across)


def spellings_of(number: int, term: Term) -> list[Spelling]:
    """Every spelling of the term, the plain one first. Raises UsageError if the term would match nearly everything."""
    row = units(term.text)
    chars = "".join(unit.char for unit in row)
    if not chars:
        raise term.mistake(Message("has no letter, digit or Chinese character"), Message("Remove it."))
    is_chinese = any(map(is_han, chars))
    match = term.match or ("substring" if is_chinese else "word")
    least = {"whole": 1, "word": 2, "substring": 2 if is_chinese else 3}[match]
    if len(chars) < least:
        raise term.mistake(
            Message("is too short to be matched as {match}", match=match),
            Message("Put it into a section with match=whole."),
        )
    starts = {at for at in range(1, len(row)) if row[at].gap or is_han(chars[at]) != is_han(chars[at - 1])}
    plain = Spelling(number, chars, frozenset(starts), match, not is_chinese)
    if term.has_pinyin and len(chars) > 1 and all(map(is_han, chars)):
        return [plain, *_pinyin_spellings(plain)]
    return [plain]


def _pinyin_spellings(plain: Spelling) -> Iterator[Spelling]:
    """The term with runs of its characters, or all of them, written in pinyin without tones."""
    syllables = lazy_pinyin(plain.chars, style=Style.NORMAL)
    if len(syllables) != len(plain.chars) or not all(map(str.isascii, syllables)):
        return
    length = len(plain.chars)
    runs = [(left, right) for left in range(length) for right in range(left + 1, length + 1)]
    if length > _ANY_RUN_IN_PINYIN:
        runs = [(left, right) for left, right in runs if right - left in (1, length)]
    for left, right in runs:
        # ü is typed v or u.
        typed = [sorted({syllable, syllable.replace("v", "u")}) for syllable in syllables[left:right]]
        for choice in product(*typed):
            parts = [*plain.chars[:left], *choice, *plain.chars[right:]]
            starts, at = set(), 0
            for part in parts[:-1]:
                at += len(part)
                starts.add(at)
            yield Spelling(
                plain.term, "".join(parts), frozenset(starts), plain.match, right - left == length, is_pinyin=True
            )


def begins_a_word(row: Sequence[Unit], at: int) -> bool:
    """Whether a word may begin at this position: anywhere in Chinese, in Latin letters only where no word is cut."""
    return is_han(row[at].char) or _is_latin_edge(row, at - 1, at)


def _continues_with(row: Sequence[Unit], at: int, ending: str) -> bool:
    following = row[at : at + len(ending)]
    return "".join(unit.char for unit in following) == ending and not any(unit.gap for unit in following)


def _is_latin_edge(row: Sequence[Unit], outside: int, inside: int) -> bool:
    """Whether the word that has the unit `inside` ends there, `outside` being the position of the unit beside it.

    A digit beside a letter ends the word (casino88); beside a digit, or one that is read as a letter, it does not.
    """
    if outside < 0 or outside >= len(row) or row[max(outside, inside)].gap:
        return True
    beside = _kind(row[outside].plain)
    return beside != "letter" and (beside != "digit" or _kind(row[inside].plain) == "letter")


def _kind(char: str) -> str:
    if char.isdigit():
        return "digit"
    if is_han(char):
        return "other"
    return "letter" if char.isalpha() else "symbol"


def _is_chinese_edge(row: Sequence[Unit], at: int, ignored_gap: int) -> bool:
    """Whether a word ends before this position by the segmenter, shown the Chinese around it up to the next gap.

    Gaps that are nothing but `ignored_gap` are read through.
    """

    def is_one_run(place: int) -> bool:
        return (row[place].gap in (0, ignored_gap)) and is_han(row[place - 1].char) and is_han(row[place].char)

    if at <= 0 or at >= len(row) or not is_one_run(at):
        return True
    left, right = at - 1, at
    while left > 0 and is_one_run(left):
        left -= 1
    while right + 1 < len(row) and is_one_run(right + 1):
        right += 1
    edge = left
    for word in words("".join(unit.char for unit in row[left : right + 1])):
        edge += len(word)
        if edge >= at:
            return edge == at
    return True
