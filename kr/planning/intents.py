"""What a keyword is searched for: eight intents, and `general` where nothing tells.

An intent is told by *markers*, words that say it whatever the product is ("near me", 批发, 怎么选; they stand in
`word_lists/intent_markers.toml`), by the *places* that KR knows, and by what people did:

- a *name* is a word of which the log's users asked, at least twice and in a tenth of the keywords that hold it, what
  one asks of a company (its official site, its shop, its hotline, whether it can be trusted). A keyword that holds one
  is `navigational`: ads for one's own and for competitors' names are bid on, worded and measured apart;
- a keyword that names no place, but nine in ten of whose searches come from one region, is `local` there.

If several intents are told, the first in the order of `Intent` counts: a complaint about a price is a complaint.
"""

import itertools
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from ahocorasick_rs import AhoCorasick, MatchKind

from indexes.opened import Indexes
from indexes.text import normalise, tokens, words
from indexes.text.segment import simplified
from kr.relevance.match import PARTICLES
from kr.relevance.terms import PLACES_FILE
from kr.relevance.text_lines import numbered_lines

LOCAL_SHARE = 0.9
"""Share of a keyword's searches from one region from which it is local without naming a place."""
LOCAL_SEARCHES = 30
"""Searches below which a share by region is chance."""
TIMES_ASKED = 2
"""Different questions that must have been asked of a word before it counts as a name."""
LONGEST_CHINESE_NAME = 5
SHORTEST_NAME = 2
REMEMBERED = 200_000
"""Keywords whose intents are remembered; a new snapshot has a new reader."""
MOST_OF_NAME = 2_000
"""Keywords that hold a name, of which as many are counted."""


class Intent(StrEnum):
    """What a search is for, the one that counts first where several are told."""

    NAVIGATIONAL = "navigational"
    """A company, a shop or a site that the person has in mind."""
    SUPPORT = "support"
    """Something bought already: complaints, refunds, repairs."""
    SUPPLY = "supply"
    """Trade: wholesale, factories, franchises."""
    LOCAL = "local"
    """Near the person, or in a place."""
    INFORMATIONAL = "informational"
    """To learn: how, what, why, guides, pictures."""
    COMMERCIAL = "commercial"
    """To compare before buying: which, best, reviews, rankings."""
    PRICE = "price"
    """What it costs, or to have it cheaply."""
    TRANSACTIONAL = "transactional"
    """To buy, book or apply."""
    GENERAL = "general"
    """A product or service, and nothing that tells more."""


INTENT_NAMES: dict[Intent, tuple[str, str]] = {
    Intent.NAVIGATIONAL: ("names", "品牌"),
    Intent.SUPPORT: ("after-sales", "售后"),
    Intent.SUPPLY: ("trade", "批发货源"),
    Intent.LOCAL: ("local", "本地"),
    Intent.INFORMATIONAL: ("information", "资讯"),
    Intent.COMMERCIAL: ("comparison", "比较"),
    Intent.PRICE: ("price", "价格"),
    Intent.TRANSACTIONAL: ("purchase", "购买"),
    Intent.GENERAL: ("general", "通用"),
}
"""What people call each, in English and Chinese."""

MARKERS_FILE = Path(__file__).parent / "word_lists" / "intent_markers.toml"


def _literal_length(pattern: str) -> int:
    """Characters that a marker matches, without what it looks ahead for."""
    return len(re.sub(r"\(\?.*?\)|[$^\[\]]", "", pattern))


@cache
def _markers() -> tuple[tuple[Intent, re.Pattern[str], re.Pattern[str]], ...]:
    """The markers of each intent, in the order in which they count: those of Latin and those of Chinese text."""
    lists = tomllib.loads(MARKERS_FILE.read_text(encoding="utf-8"))
    return tuple(
        (
            intent,
            re.compile(f"(?<![a-z])(?:{'|'.join(lists[intent.value]['en'])})(?![a-z])"),
            # The longest first: 排行榜, not 排行, is taken away from what a keyword is about.
            re.compile("|".join(sorted(lists[intent.value]["zh"], key=_literal_length, reverse=True))),
        )
        for intent in Intent
        if intent.value in lists
    )


_OF_A_COMPANY = tuple(
    re.compile(pattern)
    for pattern in (
        "(.+?) ?(?:官方)?(?:官网|网址)|(.+) (?:official (?:site|website)|website|homepage)",
        "(.+?) ?(?:官方)?旗舰店|(.+) official (?:store|shop)",
        "(.+?) ?客服(?:电话|热线)?|(.+) (?:customer (?:service|support)|hotline)",
        "(.+?) ?(?:靠谱|可靠|正规|好)吗|is (.+) (?:legit|trustworthy|good|reliable)",
        "(.+?) ?登录|(.+) (?:log ?in|sign in)",
        "(.+) (?:discount|promo|coupon) codes?",
    )
)
"""What is asked of companies, each a kind; the group is whose it is asked."""
_COMPANY_TERMS = (
    *("官网", "网址", "旗舰", "旗舰店", "客服", "靠谱", "可靠", "正规", "好", "吗", "登录"),
    *("official", "website", "homepage", "hotline", "legit", "trustworthy", "good", "login", "log", "code", "customer"),
)
SHARE_OF_NAME = 0.1
"""Share of a name's keywords that ask such things; of a product's far fewer do."""


def marked_intents(text: str) -> list[Intent]:
    """The intents that a normalised keyword's markers tell, in the order in which they count."""
    plain = simplified(text)
    latin = any("a" <= character <= "z" for character in plain)
    chinese = not plain.isascii()
    return [
        intent
        for intent, english, other in _markers()
        if (latin and english.search(plain)) or (chinese and other.search(plain))
    ]


@lru_cache(maxsize=65_536)
def without_markers(text: str) -> str:
    """A normalised keyword without the words that tell its intent: what remains is what it is about."""
    plain = simplified(text)
    for _, english, other in _markers():
        plain = other.sub(" ", english.sub(" ", plain))
    return " ".join(plain.split())


@dataclass(frozen=True)
class Names:
    """Words to find in keywords: companies that the log's users look for, or those that the caller named."""

    automaton: AhoCorasick | None
    names: tuple[str, ...]

    @staticmethod
    def of(names: Iterable[str]) -> "Names":
        """Normalised; those of less than two characters are left out."""
        kept = tuple(sorted({name for raw in names if len(name := simplified(normalise(raw))) >= SHORTEST_NAME}))
        return Names(AhoCorasick(list(kept), matchkind=MatchKind.LeftmostLongest) if kept else None, kept)

    def find(self, text: str) -> str | None:
        """The first name in a normalised keyword; Latin names only as whole words."""
        if self.automaton is None:
            return None
        plain = simplified(text)
        for index, start, end in self.automaton.find_matches_as_indexes(plain):
            name = self.names[index]
            if not (_inside_word(plain, start - 1, start) or _inside_word(plain, end - 1, end)):
                return name
        return None


def _inside_word(text: str, left: int, right: int) -> bool:
    """Whether the places between two characters is inside a Latin word or a number."""
    if left < 0 or right >= len(text):
        return False
    one, other = text[left], text[right]
    return one.isascii() and other.isascii() and one.isalnum() and other.isalnum()


def names_in_log(indexes: Indexes) -> Names:
    """The names of companies that the log's users ask about: see the head of this module."""
    ids = [indexes.terms.find(term) for term in _COMPANY_TERMS]
    found = [indexes.postings.documents_of(term_id) for term_id in ids if term_id >= 0]
    holders = np.unique(np.concatenate(found)) if found else np.empty(0, np.int32)
    asked: dict[str, set[str]] = {}
    for text in indexes.keywords.take(holders):
        for pattern in _OF_A_COMPANY:
            match = pattern.fullmatch(simplified(text))
            name = next((group.strip() for group in match.groups() if group), "") if match else ""
            for beginning in _beginnings(name):
                asked.setdefault(beginning, set()).add(text)
    names = []
    for name, texts in asked.items():
        if len(texts) < TIMES_ASKED:
            continue
        distinct = tuple(dict.fromkeys(tokens(name)))
        ids = indexes.token_ids(distinct)
        if len(ids) == len(distinct) and len(texts) >= SHARE_OF_NAME * len(
            indexes.postings.holding_all(ids, MOST_OF_NAME)
        ):
            names.append(name)
    return Names.of(names)


def _beginnings(name: str) -> list[str]:
    """A name, which may be a company's with a product's behind it, and what may be the company's alone."""
    if name.isascii():
        parts = name.split()
        return [" ".join(parts[:count]) for count in range(1, len(parts) + 1)]
    beginnings = itertools.accumulate(words(name))
    return [beginning for beginning in beginnings if SHORTEST_NAME <= len(beginning) <= LONGEST_CHINESE_NAME]


@lru_cache(maxsize=1)
def known_places() -> Names:
    """Every name of the places that KR ships."""
    lines = numbered_lines(PLACES_FILE, "list of places", "--terms")
    return Names.of(name for _, line in lines for name in line.split("\t"))


class IntentReader:
    """Tells the intents of keywords. The names of the log are found once, when first needed."""

    def __init__(self, indexes: Indexes | None, brands: Sequence[str] = ()) -> None:
        """`brands` are names that the caller knows: its own and its competitors'."""
        self._indexes = indexes
        self._named = Names.of(brands)
        self._of_log: Names | None = None
        self._known: dict[str, Intent] = {}

    def intents(self, keywords: Sequence[str]) -> list[Intent]:
        """The intent of each normalised keyword."""
        known = self._known
        new = [keyword for keyword in dict.fromkeys(keywords) if keyword not in known]
        if len(known) + len(new) > REMEMBERED:
            self._known = known = {}
            new = list(dict.fromkeys(keywords))
        for keyword, is_local in zip(new, self._local_by_behaviour(new), strict=True):
            known[keyword] = self._intent(keyword, is_local)
        return [known[keyword] for keyword in keywords]

    def intent(self, keyword: str) -> Intent:
        """The intent of one normalised keyword."""
        return self.intents([keyword])[0]

    def name_in(self, keyword: str) -> str | None:
        """The company that a normalised keyword names, if any."""
        return self._named.find(keyword) or self._log_names().find(keyword)

    def place_in(self, keyword: str) -> str | None:
        """The place that a normalised keyword names, if any."""
        return known_places().find(keyword)

    def _intent(self, keyword: str, is_local: bool) -> Intent:
        if self.name_in(keyword):
            return Intent.NAVIGATIONAL
        marked = marked_intents(keyword)
        if (is_local or self.place_in(keyword)) and not {Intent.NAVIGATIONAL, Intent.SUPPORT, Intent.SUPPLY} & set(
            marked
        ):
            return Intent.LOCAL
        return marked[0] if marked else Intent.GENERAL

    def _log_names(self) -> Names:
        if self._of_log is None:
            self._of_log = names_in_log(self._indexes) if self._indexes else Names.of(())
        return self._of_log

    def _local_by_behaviour(self, keywords: Sequence[str]) -> list[bool]:
        if self._indexes is None or not keywords:
            return [False] * len(keywords)
        ids = np.array([self._indexes.keywords.find(keyword) for keyword in keywords])
        result = np.zeros(len(ids), bool)
        known = np.flatnonzero(ids >= 0)
        if len(known) and len(self._indexes.regions) > 1:
            by_region = np.asarray(self._indexes.stats.searches_by_region[ids[known]], np.float64)
            total = by_region.sum(axis=1)
            result[known] = (total >= LOCAL_SEARCHES) & (by_region.max(axis=1) >= LOCAL_SHARE * total)
        return [bool(value) for value in result]


def core_words(keyword: str) -> tuple[str, ...]:
    """What a normalised keyword is about: its words without markers, particles and places; all words if none is left.

    `北京鲜花速递多少钱` gives 鲜花, 速递 where jieba cuts it so.
    """
    place = known_places().find(keyword)
    plain = without_markers(keyword)
    if place:
        plain = plain.replace(place, " ")
    kept = tuple(word for word in words(plain) if word not in _EMPTY)
    return kept or words(keyword) or (keyword,)


_EMPTY = (
    PARTICLES
    | {"和", "与", "及", "在", "是", "有", "呢"}
    | {"a", "an", "of", "for", "to", "in", "on", "at", "or", "my"}
)
