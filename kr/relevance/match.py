"""How a keyword stands to a query: which terms match, which way it is broader, which variant, which match type.

Broader and narrower are said of words held: 鲜花 is broader than 鲜花速递. Close variants differ in order, plural,
width, script or spacing only (`indexes.text.fingerprint`), or sound alike.
"""

from dataclasses import dataclass
from enum import StrEnum

from indexes.text import fingerprint, normalise, tokens, words
from indexes.text.segment import simplified


class Direction(StrEnum):
    """What the keyword covers beside the query."""

    SAME = "same"
    BROADER = "broader"
    NARROWER = "narrower"
    OVERLAPPING = "overlapping"
    DISJOINT = "disjoint"


class Variant(StrEnum):
    """In what two spellings of one thing differ; the first that explains it, from the slightest on."""

    IDENTICAL = "identical"
    WIDTH_OR_CASE = "width_or_case"
    SPACING = "spacing"
    TRADITIONAL = "traditional"
    PLURAL = "plural"
    ORDER = "order"
    PINYIN = "pinyin"
    NONE = "none"


class MatchType(StrEnum):
    """Google Ads' match types."""

    EXACT = "exact"
    PHRASE = "phrase"
    BROAD = "broad"


@dataclass(frozen=True)
class Match:
    """How one keyword stands to one query. Terms are in order, without repeats."""

    matched: tuple[str, ...]
    missed: tuple[str, ...]
    """Terms of the query that the keyword lacks."""
    added: tuple[str, ...]
    """Terms of the keyword that the query lacks."""
    direction: Direction
    variant: Variant
    match_type: MatchType
    """The narrowest match type with which an ad on this keyword would show for this query."""


def match(query: str, keyword: str) -> Match:
    """Compare two texts as they are typed."""
    wanted, offered = normalise(query), normalise(keyword)
    of_query, of_keyword = tuple(dict.fromkeys(tokens(wanted))), tuple(dict.fromkeys(tokens(offered)))
    matched = tuple(term for term in of_query if term in of_keyword)
    missed = tuple(term for term in of_query if term not in of_keyword)
    added = tuple(term for term in of_keyword if term not in of_query)
    variant = _variant(query, keyword)
    return Match(
        matched, missed, added, _direction(matched, missed, added, variant), variant, _type(wanted, offered, variant)
    )


def _direction(
    matched: tuple[str, ...], missed: tuple[str, ...], added: tuple[str, ...], variant: Variant
) -> Direction:
    if variant is not Variant.NONE or (matched and not missed and not added):
        return Direction.SAME
    if not matched:
        return Direction.DISJOINT
    if missed and added:
        return Direction.OVERLAPPING
    return Direction.BROADER if missed else Direction.NARROWER


def _variant(query: str, keyword: str) -> Variant:
    wanted, offered = normalise(query), normalise(keyword)
    if not wanted or not offered:
        return Variant.NONE
    if query == keyword:
        return Variant.IDENTICAL
    if wanted == offered:
        return Variant.WIDTH_OR_CASE
    if wanted.replace(" ", "") == offered.replace(" ", ""):
        return Variant.SPACING
    if simplified(wanted).replace(" ", "") == simplified(offered).replace(" ", ""):
        return Variant.TRADITIONAL
    if words(wanted) and words(wanted) == words(offered):
        return Variant.PLURAL
    if fingerprint(wanted) == fingerprint(offered):
        return Variant.ORDER
    if _sound(wanted) == _sound(offered):
        return Variant.PINYIN
    return Variant.NONE


def _sound(text: str) -> list[str]:
    from pypinyin import lazy_pinyin

    return [syllable for syllable in lazy_pinyin(simplified(text)) if not syllable.isspace()]


def _type(wanted: str, offered: str, variant: Variant) -> MatchType:
    if variant is not Variant.NONE:
        return MatchType.EXACT
    query, keyword = words(wanted), words(offered)
    inside = any(query[place : place + len(keyword)] == keyword for place in range(len(query) - len(keyword) + 1))
    return MatchType.PHRASE if keyword and inside else MatchType.BROAD
