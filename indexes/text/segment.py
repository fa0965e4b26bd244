"""From a normalised keyword to its words and to the tokens that retrieval matches."""

import re
from functools import cache, lru_cache
from typing import Protocol

import rjieba

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# A run of Chinese characters (group 1), or a run of other letters and digits; all else separates. jieba sees only pure
# Chinese runs: there rjieba and jieba agree, on symbols they don't.
_RUN = re.compile(rf"([{_HAN}]+)|((?:(?![{_HAN}])[^\W_])+)")


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


@cache
def _traditional_to_simplified() -> _Converter:
    import opencc

    converter: _Converter = opencc.OpenCC("t2s")
    return converter


def simplified(text: str) -> str:
    """The text with traditional Chinese characters replaced by simplified ones (OpenCC `t2s`)."""
    return text if text.isascii() else _traditional_to_simplified().convert(text)


def singular(word: str) -> str:
    """An English word without its plural ending (Harman's S-stemmer, 1991, with -sses, -xes, -ches, -shes added).

    Only an ending is cut, never a stem: `running` and `runner` stay apart, since advertisers pay for the difference.
    """
    if len(word) < 4 or word[-1] != "s" or not word.isascii() or not word.isalpha():
        return word
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    if word.endswith(("us", "ss", "is")):
        return word
    return word[:-1]


@lru_cache(maxsize=8192)
def words(keyword: str) -> tuple[str, ...]:
    """The words of a normalised keyword in order and without overlaps, traditional made simplified, plural singular."""
    result: list[str] = []
    for match in _RUN.finditer(simplified(keyword)):
        if match.group(1):
            result.extend(rjieba.cut(match.group(1)))
        else:
            result.append(singular(match.group(2)))
    return tuple(result)


@lru_cache(maxsize=8192)
def tokens(keyword: str) -> tuple[str, ...]:
    """The tokens by which a normalised keyword is retrieved: `words`, and the parts of long Chinese words.

    `鲜花店` gives 鲜花, 花店 and 鲜花店 (jieba's search mode), so that 鲜花 finds it.
    Empty for a keyword of symbols only.
    """
    result: list[str] = []
    for match in _RUN.finditer(simplified(keyword)):
        if match.group(1):
            result.extend(rjieba.cut_for_search(match.group(1)))
        else:
            result.append(singular(match.group(2)))
    return tuple(result)


def share_in_words(text: str) -> float:
    """The share of Chinese characters that stand in dictionary words of two or more; 0 where there are none.

    Of Chinese text most do; of other text read in a Chinese encoding hardly any.
    """
    pieces = [piece for piece in rjieba.cut(text, False) if "\u4e00" <= piece[0] <= "\u9fff"]
    return sum(len(piece) for piece in pieces if len(piece) > 1) / max(sum(map(len, pieces)), 1)
