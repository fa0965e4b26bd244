"""How a keyword stands to a query: which terms it shares, which way it is broader, how it is spelt, which match type.

*Terms* are the tokens of retrieval, each once, without particles such as 的; of the overlapping tokens of a Chinese
word the longest is named. *Direction* is said of terms held: 鲜花 is broader than 鲜花速递. A *close variant* differs
in order, plural, width, script or spacing only (`indexes.text.fingerprint`), or is read alike; it is the query itself
in another spelling, so all its terms count as matched.

*The suggested match type* follows from direction and from how surely the keyword belongs to what was asked for. The
query says what the advertiser sells; phrase also shows the ad for longer searches that hold the keyword's words, broad
for what the platform takes for related:

| the keyword is | suggested | because |
|---|---|---|
| the same | EXACT | it is the business in a word; longer searches are rows of their own, with bids of their own |
| narrower | PHRASE | whatever stands around it, a search that it triggers holds all of the query's words |
| narrower by two terms, hardly searched | BROAD | the others would bring nobody; it is too special to lead far away |
| broader | PHRASE | much else holds its words already; broad would add what does not even do that |
| overlapping, surely relevant | PHRASE | its longer searches are special cases of what belongs to the business |
| overlapping otherwise, disjoint | EXACT | people made the link, not words: it is worth what it says and no more |
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from indexes.text import fingerprint, normalise, tokens, words
from indexes.text.readings import folded, pinyin, read_aloud, readings_of_character
from indexes.text.segment import simplified

HARDLY_SEARCHED = 1.0
"""Searches a month, close variants included, below which a keyword alone brings nobody."""
SPECIAL_TERMS = 2
"""Terms added to the query from which a keyword is so special that broad does not lead far away."""
SURELY_RELEVANT = 0.7
"""Relevance from which a keyword that shares only some terms belongs to what was asked for."""
PARTICLES = frozenset({"的", "地", "得", "了", "吗", "呢", "吧", "啊", "the"})
"""Terms that never change what a search is for."""


class Direction(StrEnum):
    """What the keyword covers beside the query."""

    SAME = "same"
    BROADER = "broader"
    NARROWER = "narrower"
    OVERLAPPING = "overlapping"
    DISJOINT = "disjoint"


class Variant(StrEnum):
    """In what two spellings of one thing differ: the last of these steps that it takes to make them equal."""

    WIDTH = "width"
    """Full-width or half-width, upper or lower case: one keyword, since `normalise` evens both out."""
    SPACING = "spacing"
    TRADITIONAL = "traditional"
    PLURAL = "plural"
    ORDER = "order"
    PINYIN = "pinyin"
    """Read alike: other characters of the same sound, or Latin letters that spell it."""


class MatchType(StrEnum):
    """Google Ads' match types."""

    EXACT = "EXACT"
    PHRASE = "PHRASE"
    BROAD = "BROAD"


class Side(NamedTuple):
    """One of the two texts: normalised, with its terms."""

    text: str
    terms: tuple[str, ...]

    @staticmethod
    def of(text: str) -> "Side":
        """A text as it is typed."""
        normal = normalise(text)
        return Side(normal, distinct_terms(tokens(normal)))


class Match(NamedTuple):
    """How one keyword stands to one query. Terms are in the order of their text."""

    matched: tuple[str, ...]
    missed: tuple[str, ...]
    """Terms of the query that the keyword lacks."""
    added: tuple[str, ...]
    """Terms of the keyword that the query lacks."""
    direction: Direction
    variant: Variant | None
    """None if the texts are equal, or are no variants of each other."""


def distinct_terms(of_text: Iterable[str]) -> tuple[str, ...]:
    """Each token once, without particles unless there is nothing else."""
    distinct = tuple(dict.fromkeys(of_text))
    if PARTICLES.isdisjoint(distinct):
        return distinct
    return tuple(term for term in distinct if term not in PARTICLES) or distinct


def match(query: str, keyword: str) -> Match:
    """Compare two texts as they are typed."""
    wanted, offered = Side.of(query), Side.of(keyword)
    found = compare(wanted, offered)
    if wanted.text and wanted.text == offered.text and query != keyword:
        return found._replace(variant=Variant.WIDTH)
    return found


def compare(query: Side, keyword: Side) -> Match:
    """Compare two normalised texts."""
    return Comparison(query).with_keyword(keyword)


class Comparison:
    """One query, ready to be compared with many keywords; both sides normalised, with each term once."""

    def __init__(self, query: Side) -> None:
        self.query = query
        self._wanted = frozenset(query.terms)
        self._joined = query.text.replace(" ", "")
        self._is_ascii = self._joined.isascii()
        self._shared: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...]]] = {}

    def with_keyword(self, keyword: Side) -> Match:
        """How a keyword stands to the query."""
        query, terms = self.query, keyword.terms
        added = tuple([term for term in terms if term not in self._wanted])
        held = len(terms) - len(added)
        same_terms = not added and held == len(self._wanted)
        variant = self._variant(keyword.text, same_terms)
        if variant is not None or (query.text and query.text == keyword.text):
            return Match(longest(query.terms), (), (), Direction.SAME, variant)
        matched, missed = self._matched_and_missed(terms) if held else ((), longest(query.terms))
        if not held:
            direction = Direction.DISJOINT
        elif same_terms:
            direction = Direction.OVERLAPPING if words_in_another_order(query.text, keyword.text) else Direction.SAME
        elif held < len(self._wanted):
            direction = Direction.OVERLAPPING if added else Direction.BROADER
        else:
            direction = Direction.NARROWER
        return Match(matched, missed, longest(added), direction, None)

    def _matched_and_missed(self, terms: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Most keywords of a page share the same terms with the query: what these leave over is found once."""
        matched = tuple([term for term in self.query.terms if term in terms])
        found = self._shared.get(matched)
        if found is None:
            missed = tuple([term for term in self.query.terms if term not in matched])
            found = self._shared[matched] = (longest(matched), longest(missed))
        return found

    def _variant(self, keyword: str, same_terms: bool) -> Variant | None:
        """`variant_of`, without asking where other terms, another length and the same script rule every kind out."""
        joined = keyword.replace(" ", "")
        if not same_terms and joined != self._joined:
            is_ascii = joined.isascii()
            if is_ascii == self._is_ascii and (is_ascii or len(joined) != len(self._joined)):
                return None
        return variant_of(self.query.text, keyword, same_terms)


@lru_cache(maxsize=16_384)
def longest(terms: tuple[str, ...]) -> tuple[str, ...]:
    """The terms without Chinese ones that are part of another: of 鲜花, 花店 and 鲜花店 the last says it all."""
    if len(terms) < 2:
        return terms
    return tuple(
        term for term in terms if term.isascii() or not any(len(other) > len(term) and term in other for other in terms)
    )


def variant_of(query: str, keyword: str, same_terms: bool) -> Variant | None:
    """Which variant of each other two normalised texts are; `same_terms` is whether they hold the same tokens."""
    if query == keyword or not query or not keyword:
        return None
    wanted, offered = query.replace(" ", ""), keyword.replace(" ", "")
    if wanted == offered:
        return Variant.SPACING
    # Most texts of one length are told apart by their first character, without converting or reading the whole.
    alike = len(wanted) == len(offered) and not wanted.isascii() and all(map(_share_reading, wanted, offered))
    if alike and simplified(wanted) == simplified(offered):
        return Variant.TRADITIONAL
    # Spellings with one fingerprint have the same words, and so the same tokens.
    if same_terms and words(query) and words(query) == words(keyword):
        return Variant.PLURAL
    if same_terms and fingerprint(query) == fingerprint(keyword):
        return Variant.ORDER
    if alike and _readings(wanted) == _readings(offered):
        return Variant.PINYIN
    return Variant.PINYIN if _is_romanised(wanted, offered) else None


def suggested_match_type(match: Match, relevance: float, monthly_searches: float | None) -> MatchType:
    """The match type with which to bid on a keyword that stands so to what the advertiser asked for.

    `relevance` is 0 to 1. `monthly_searches` are the keyword's, close variants included; None if unknown. What the
    rule is, and why, stands at the head of this module.
    """
    if match.direction is Direction.NARROWER:
        hardly_searched = monthly_searches is not None and monthly_searches < HARDLY_SEARCHED
        return MatchType.BROAD if hardly_searched and len(match.added) >= SPECIAL_TERMS else MatchType.PHRASE
    if match.direction is Direction.BROADER:
        return MatchType.PHRASE
    if match.direction is Direction.OVERLAPPING and relevance >= SURELY_RELEVANT:
        return MatchType.PHRASE
    return MatchType.EXACT


def words_in_another_order(query: str, keyword: str) -> bool:
    """Whether two texts of the same words mean something else: 北京到上海 and 上海到北京."""
    return sorted(words(query)) == sorted(words(keyword)) and fingerprint(query) != fingerprint(keyword)


def _is_romanised(one: str, other: str) -> bool:
    """Whether one of two texts without spaces is Latin letters that spell the other, which is Chinese."""
    if one.isascii() == other.isascii():
        return False
    latin, chinese = (one, other) if one.isascii() else (other, one)
    first, last = folded(chinese[0]), folded(chinese[-1])
    if not latin.startswith(readings_of_character(first)) or not latin.endswith(readings_of_character(last)):
        return False
    return pinyin(latin) == pinyin(chinese)


@lru_cache(maxsize=65_536)
def _share_reading(one: str, other: str) -> bool:
    if one == other:
        return True
    readings = readings_of_character(folded(one))
    return any(reading in readings for reading in readings_of_character(folded(other)))


def _readings(text: str) -> list[str]:
    return [reading for _, reading in read_aloud(text)]
