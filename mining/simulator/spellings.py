"""How people get a query wrong, or write the same one differently: typing errors, homophones, pinyin, variants.

Which query gets which forms is drawn once; the simulation then replaces a few percent of the searches by one of them.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from indexes.text import normalise
from mining.simulator.catalogue import Catalogue
from mining.simulator.market import EN, ZH

# What a form is. The first leaves the keyword as it is (case, full-width, spaces); the next four give another keyword
# that is a close variant; the last two are mistakes.
KINDS = ("canonical", "spelling", "traditional", "spacing", "order", "plural", "misspelling", "pinyin")
CANONICAL, SPELLING, TRADITIONAL, SPACING, ORDER, PLURAL, MISSPELLING, PINYIN = range(len(KINDS))

_NEIGHBOURS = {
    "a": "s", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl",
    "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb",
    "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip


# Words round which nobody changes the order.
_FIXED_ORDER = frozenset(re.findall(r"\w+", "to for in vs how what which when why can do is are from near of on with"))


@dataclass(frozen=True)
class Spellings:
    """The other forms of canonical queries: raw text, the query it stands for and what kind of form it is.

    `of_query` (one longer than the catalogue) says where each query's forms start: they stand together.
    """

    text: list[str]
    base: np.ndarray
    kind: np.ndarray
    of_query: np.ndarray

    def __len__(self) -> int:
        return len(self.text)

    def draw(self, query: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """One form of each query, -1 where it has none; `uniform` in [0, 1)."""
        start, count = self.of_query[query], np.diff(self.of_query)[query]
        return np.where(count > 0, start + (uniform * count).astype(np.int64), -1)


def _swap(text: str, position: int) -> str:
    return text[:position] + text[position + 1] + text[position] + text[position + 2 :]


def _mistype_english(text: str, rng: np.random.Generator) -> str | None:
    """One slip of a finger inside a word of four letters or more, never on its first letter."""
    letters = [
        index
        for index in range(1, len(text) - 1)
        if text[index - 1 : index + 2].isalpha() and text[index - 1 : index + 2].isascii()
    ]
    if len(letters) < 2:
        return None
    position = letters[rng.integers(len(letters))]
    slip = rng.integers(4)
    if slip == 0:
        return _swap(text, position)
    if slip == 1:
        return text[:position] + text[position + 1 :]
    if slip == 2:
        return text[:position] + text[position] + text[position:]
    near = _NEIGHBOURS[text[position]]
    return text[:position] + near[rng.integers(len(near))] + text[position + 1 :]


def _pinyin_of(characters: set[str]) -> dict[str, str]:
    from pypinyin import lazy_pinyin

    ordered = sorted(characters)
    return {character: lazy_pinyin(character)[0] for character in ordered}


def _homophones(pinyin: dict[str, str]) -> dict[str, list[str]]:
    """Other characters of the market's own vocabulary that sound the same: what an input method offers first."""
    by_sound = defaultdict(list)
    for character, sound in sorted(pinyin.items()):
        by_sound[sound].append(character)
    return {
        character: [other for other in by_sound[sound] if other != character] for character, sound in pinyin.items()
    }


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


class _ChineseForms:
    """Slips and variants that need a dictionary: made once for all queries."""

    def __init__(self, texts: list[str]) -> None:
        import opencc

        self._to_traditional = opencc.OpenCC("s2t")
        self._pinyin = _pinyin_of({character for text in texts for character in text if _is_han(character)})
        self._homophones = _homophones(self._pinyin)

    def traditional(self, text: str, rng: np.random.Generator) -> str | None:
        return str(self._to_traditional.convert(text))

    def homophone(self, text: str, rng: np.random.Generator) -> str | None:
        positions = [index for index, character in enumerate(text) if self._homophones.get(character)]
        if not positions:
            return None
        position = positions[rng.integers(len(positions))]
        choices = self._homophones[text[position]]
        return text[:position] + choices[rng.integers(len(choices))] + text[position + 1 :]

    def pinyin(self, text: str, rng: np.random.Generator) -> str | None:
        if not all(_is_han(character) for character in text) or len(text) > 6:
            return None
        return "".join(self._pinyin[character] for character in text)


def _reorder(text: str, rng: np.random.Generator) -> str | None:
    """The last word first, or the first two words swapped."""
    words = text.split(" ")
    if len(words) < 2 or _FIXED_ORDER & set(words):
        return None
    if len(words) == 2 or rng.integers(2):
        return " ".join([words[-1], *words[:-1]])
    return " ".join([words[1], words[0], *words[2:]])


def _other_number(text: str, rng: np.random.Generator) -> str | None:
    """The last word made plural, or singular again."""
    last = text.rsplit(" ", 1)[-1]
    if " for " in text or not last.isalpha() or len(last) < 4 or last.endswith(("ss", "us", "is")):
        return None
    return text[:-1] if last.endswith("s") else text + "s"


def _space(text: str, rng: np.random.Generator) -> str | None:
    """A space where the Chinese reader would pause: before the last two or three characters."""
    if len(text) < 5 or " " in text:
        return None
    cut = len(text) - (2 if rng.integers(2) else 3)
    if not (_is_han(text[cut]) and _is_han(text[cut - 1])):
        return None
    return f"{text[:cut]} {text[cut:]}"


def _full_width(text: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in text)


def _respell(text: str, rng: np.random.Generator) -> str | None:
    """The same keyword in another spelling: case, full-width letters, spaces at the ends or doubled."""
    choice = rng.integers(6)
    if choice == 0:
        return text.title() if text.isascii() else f"{text} "
    if choice == 1:
        return text.upper()
    if choice == 2:
        return text.capitalize()
    if choice == 3:
        return _full_width(text)
    if choice == 4:
        return text.replace(" ", "\u3000" if not text.isascii() else "  ")
    return f" {text}"


_Maker = Callable[[str, np.random.Generator], str | None]


def build_spellings(catalogue: Catalogue, popularity: np.ndarray, count: int, rng: np.random.Generator) -> Spellings:
    """Forms for the `count` most popular queries; `popularity` is the expected share of searches of each query.

    A form that means another query's keyword, or another form's, is dropped: every keyword keeps one meaning.
    """
    popular = np.sort(np.argsort(-popularity, kind="stable")[:count])
    chinese = _ChineseForms([catalogue.text[row] for row in popular])
    language = catalogue.groups.language[catalogue.group[popular]]
    makers: dict[int, tuple[tuple[int, _Maker, float], ...]] = {
        ZH: (
            (MISSPELLING, chinese.homophone, 0.8),
            (PINYIN, chinese.pinyin, 0.5),
            (TRADITIONAL, chinese.traditional, 0.5),
            (SPACING, _space, 0.5),
            (ORDER, _reorder, 0.6),
            (SPELLING, _respell, 0.5),
        ),
        EN: (
            (MISSPELLING, _mistype_english, 0.8),
            (MISSPELLING, _mistype_english, 0.4),
            (ORDER, _reorder, 0.5),
            (PLURAL, _other_number, 0.4),
            (SPELLING, _respell, 0.6),
        ),
    }
    keyword_owner = {text: row for row, text in enumerate(catalogue.text)}
    raw_taken = set(catalogue.text)
    texts: list[str] = []
    bases: list[int] = []
    kinds: list[int] = []
    for row, spoken in zip(popular.tolist(), language.tolist(), strict=True):
        text = catalogue.text[row]
        for kind, make, chance in makers[spoken]:
            if rng.random() >= chance:
                continue
            form = make(text, rng)
            if form is None or form in raw_taken:
                continue
            keyword = normalise(form)
            expected_owner = keyword_owner.get(keyword)
            if (expected_owner == row) != (kind == SPELLING) or (expected_owner is not None and kind != SPELLING):
                continue
            keyword_owner.setdefault(keyword, row)
            raw_taken.add(form)
            texts.append(form)
            bases.append(row)
            kinds.append(kind)
    base = np.array(bases, dtype=np.int64)
    of_query = np.searchsorted(base, np.arange(len(catalogue) + 1))
    return Spellings(texts, base, np.array(kinds, dtype=np.int8), of_query)
