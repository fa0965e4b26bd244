"""Negative keywords worth adding: words of searches that the plan would pay for and that mean something else.

A search that the keywords of a campaign reach is *unwanted* if it is unsafe, if it names a company that no keyword of
the campaign names, if it is searched with another purpose (to learn, to complain, to trade) than any keyword of the
campaign, or if what it is about is unlike every keyword. Within a campaign, a search that is a keyword of one ad group
is unwanted in every other, so that the ad shown is the one that was written for it.

A word is suggested if nine tenths of the searches that hold it are unwanted, and never if it would keep a keyword of
its own scope away. Words are taken greedily, the one that keeps most unwanted searches away first; what no word covers
is suggested whole, as an exact negative keyword.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.opened import Indexes
from indexes.term_vectors import SCALE
from indexes.text import normalise, tokens, words
from indexes.text.segment import simplified
from kr.audit.stage import UnsafeKeywordAudit
from kr.pages.stop_words import STOP_WORDS
from kr.planning.intents import Intent, IntentReader, core_words
from kr.planning.matching import REMEMBERED, NegativeKeywords, blocks_text, variant_of
from kr.planning.operations import AddNegatives
from kr.planning.plan import Plan, PlanKeyword
from kr.planning.plan_row import MatchType, Status
from kr.planning.reach import Reached, SearchTexts, reached

UNWANTED_SHARE = 0.9
"""Share of the searches holding a word that must be unwanted."""
LEAST_SEARCHES = 5.0
"""Unwanted searches a month that a negative keyword must keep away."""
LEAST_LIKENESS = 0.2
"""Cosine to the nearest keyword below which a search is about something else."""
MOST_REACHED = 3_000
"""Searches looked at for a campaign, and for an ad group: the most searched ones."""
MOST_OF_GROUP_KEYWORD = 300
"""Searches looked at for one keyword of an ad group."""
MOST_SUGGESTED = 100
"""For one campaign or ad group."""
EXAMPLES = 3
_BUYING = frozenset({Intent.GENERAL, Intent.COMMERCIAL, Intent.PRICE, Intent.TRANSACTIONAL, Intent.LOCAL})


class NegativeReason(StrEnum):
    """Why a search is unwanted; the first that holds counts."""

    UNSAFE = "unsafe"
    OTHER_NAME = "other_name"
    OTHER_INTENT = "other_intent"
    OTHER_PRODUCT = "other_product"
    SIBLING = "sibling"


NEGATIVE_TEXTS: dict[NegativeReason, tuple[str, str]] = {
    NegativeReason.UNSAFE: ("unsafe", "不安全内容"),
    NegativeReason.OTHER_NAME: ("looks for another company", "在找别的公司"),
    NegativeReason.OTHER_INTENT: ("searched for another purpose", "搜索目的不同"),
    NegativeReason.OTHER_PRODUCT: ("about something else", "与推广内容无关"),
    NegativeReason.SIBLING: ("a keyword of another ad group", "属于其他广告组的关键词"),
}
"""The reasons in English and Chinese."""


@dataclass(frozen=True)
class NegativeSuggestion:
    """A negative keyword, for a campaign or, with `ad_group`, for one of its ad groups.

    `searches` a month are those unwanted ones that it keeps away, in `queries` different searches; `sibling` is the ad
    group that the most searched of them belong to.
    """

    text: str
    match_type: MatchType
    campaign: int
    ad_group: int | None
    reason: NegativeReason
    searches: float
    queries: int
    examples: tuple[str, ...]
    sibling: int | None = None

    def operation(self) -> AddNegatives:
        """What adds it to the plan."""
        scope: dict[str, Any] = {"campaign": self.campaign} if self.ad_group is None else {"ad_group": self.ad_group}
        return AddNegatives(keywords=(self.text,), match_type=self.match_type, **scope)

    def as_dict(self) -> dict[str, Any]:
        """As the API shows it."""
        english, chinese = NEGATIVE_TEXTS[self.reason]
        return {
            "text": self.text,
            "match_type": self.match_type.value,
            "campaign": self.campaign,
            "ad_group": self.ad_group,
            "reason": self.reason.value,
            "text_en": english,
            "text_zh": chinese,
            "avg_monthly_searches": round(self.searches, 1),
            "queries": self.queries,
            "examples": list(self.examples),
            "sibling": self.sibling,
        }


@dataclass(frozen=True)
class _Unwanted:
    reason: NegativeReason
    sibling: int | None = None


class NegativeFinder:
    """Finds negative keywords for plans over one snapshot."""

    def __init__(self, indexes: Indexes, audit: UnsafeKeywordAudit, intents: IntentReader) -> None:
        self._indexes = indexes
        self._audit = audit
        self._intents = intents

    def find(self, plan: Plan) -> list[NegativeSuggestion]:
        """Suggestions by campaign, those for all of it first; within, what keeps most searches away first."""
        found: list[NegativeSuggestion] = []
        search_texts = SearchTexts(self._indexes)
        for campaign in plan.campaigns:
            bid_on = [item for item in plan.positive() if item.campaign == campaign and item.status != Status.REMOVED]
            negatives = [item for item in plan.negative() if item.campaign in (campaign, None)]
            common = [item for item in negatives if item.ad_group is None]
            if not bid_on:
                continue
            of_campaign = self._of_campaign(campaign, bid_on, common, search_texts)
            found += of_campaign
            groups: dict[int, list[PlanKeyword]] = {}
            owners: dict[str, int] = {}
            for item in bid_on:
                if item.ad_group is not None:
                    groups.setdefault(item.ad_group, []).append(item)
                    owners.setdefault(variant_of(normalise(item.text)), item.ad_group)
            if len(groups) < 2:
                continue
            everywhere = [*_as_texts(common), *((item.text, item.match_type) for item in of_campaign)]
            own: dict[int, list[PlanKeyword]] = {}
            for item in negatives:
                if item.ad_group is not None:
                    own.setdefault(item.ad_group, []).append(item)
            shared = NegativeKeywords(everywhere)
            sums = _token_sums_of([normalise(item.text) for item in bid_on if item.ad_group is not None], search_texts)
            for group in sorted(groups):
                mine = own.get(group)
                away = NegativeKeywords([*everywhere, *_as_texts(mine)]) if mine else shared
                found += self._of_group(campaign, group, groups[group], away, owners, sums, search_texts)
        return found

    def _of_campaign(
        self,
        campaign: int,
        bid_on: Sequence[PlanKeyword],
        negatives: Sequence[PlanKeyword],
        search_texts: SearchTexts,
    ) -> list[NegativeSuggestion]:
        searches = reached(self._indexes, bid_on, MOST_REACHED, texts=search_texts)
        if not searches.texts:
            return []
        texts = [normalise(item.text) for item in bid_on]
        own = set(map(variant_of, texts))
        purposes = {purpose(intent) for intent in self._intents.intents(texts)}
        names = {self._intents.name_in(text) for text in texts}
        shown = self._audit.is_shown(searches.ids)
        likeness = self._likeness(searches.texts, texts)
        intents = self._intents.intents(searches.texts)
        judged: list[_Unwanted | None] = []
        for place, text in enumerate(searches.texts):
            name = self._intents.name_in(text)
            reason = None
            if variant_of(text) in own:
                pass
            elif not shown[place]:
                reason = NegativeReason.UNSAFE
            elif name and name not in names:
                reason = NegativeReason.OTHER_NAME
            elif not name and purpose(intents[place]) not in purposes:
                reason = NegativeReason.OTHER_INTENT
            elif likeness[place] < LEAST_LIKENESS:
                reason = NegativeReason.OTHER_PRODUCT
            judged.append(_Unwanted(reason) if reason else None)
        away = NegativeKeywords(_as_texts(negatives))
        return _suggest(searches, judged, texts, away, campaign, None, self._name_word)

    def _of_group(
        self,
        campaign: int,
        group: int,
        mine: Sequence[PlanKeyword],
        away: NegativeKeywords,
        owners: dict[str, int],
        sums: Array,
        search_texts: SearchTexts,
    ) -> list[NegativeSuggestion]:
        searches = reached(self._indexes, mine, MOST_REACHED, MOST_OF_GROUP_KEYWORD, search_texts)
        texts = [normalise(item.text) for item in mine]
        own = set(map(variant_of, texts))
        judged: list[_Unwanted | None] = [None] * len(searches.texts)
        # Texts are compared where the tokens are the same, since few are.
        for place in np.flatnonzero(np.isin(self._token_sums(searches.ids), sums)).tolist():
            variant = variant_of(searches.texts[place])
            owner = owners.get(variant)
            if owner is not None and owner != group and variant not in own:
                judged[place] = _Unwanted(NegativeReason.SIBLING, owner)
        return _suggest(searches, judged, texts, away, campaign, group, None)

    def _token_sums(self, ids: Array) -> Array:
        """A number uint64 for each of the snapshot's keywords that is the same if its tokens are, in whatever order."""
        counts, held = self._indexes.forward.tokens_of(ids)
        ends = np.cumsum(counts)
        running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_mixed(held), dtype=np.uint64)])
        return running[ends] - running[ends - counts]

    def _likeness(self, searches: Sequence[str], keywords: Sequence[str]) -> np.ndarray:
        """The cosine of each search to the keyword nearest in meaning; 1 where there is nothing to compare."""
        theirs, ours = self._vectors(keywords), self._vectors(searches)
        result = np.ones(len(searches))
        if theirs.any():
            known = ours.any(axis=1)
            result[known] = (ours[known] @ theirs.T).max(axis=1)
        return result

    def _vectors(self, texts: Sequence[str]) -> np.ndarray:
        of_texts = [[part for word in core_words(text) for part in tokens(word)] for text in texts]
        return self._indexes.term_vectors.codes(of_texts)[0] / np.float32(SCALE)

    def _name_word(self, search: str) -> str | None:
        return self._intents.name_in(search)


def purpose(intent: Intent) -> Intent:
    """To buy in whatever way is one purpose: a price or a place asked for is no reason to stay away."""
    return Intent.GENERAL if intent in _BUYING else intent


def _suggest(
    searches: Reached,
    judged: Sequence[_Unwanted | None],
    own: Sequence[str],
    away: NegativeKeywords,
    campaign: int,
    group: int | None,
    name_of: Callable[[str], str | None] | None,
) -> list[NegativeSuggestion]:
    if not any(judged):
        return []
    unwanted: dict[int, set[str]] = {}
    bad: dict[str, float] = {}
    for place, verdict in enumerate(judged):
        if verdict is None or away.block(searches.texts[place]):
            continue
        name = name_of(searches.texts[place]) if verdict.reason is NegativeReason.OTHER_NAME and name_of else None
        unwanted[place] = {name} if name else _added_words(searches.texts[place], searches.by[place])
        for word in unwanted[place]:
            bad[word] = bad.get(word, 0.0) + searches.demand[place]
    candidates = {
        word
        for word, searched in bad.items()
        if searched >= LEAST_SEARCHES and not any(blocks_text(word, MatchType.PHRASE, text) for text in own)
    }
    volume = _volume(candidates, searches, judged, away)
    usable = {word for word in candidates if bad[word] >= UNWANTED_SHARE * (bad[word] + volume[word])}
    found: list[NegativeSuggestion] = []
    while unwanted and len(found) < MOST_SUGGESTED:
        gain: dict[str, float] = {}
        for place, added in unwanted.items():
            for word in added & usable:
                gain[word] = gain.get(word, 0.0) + float(searches.demand[place])
        if not gain:
            break
        word = min(gain, key=lambda item: (-round(gain[item], 6), item))
        if gain[word] < LEAST_SEARCHES:
            break
        covered = [place for place, added in unwanted.items() if word in added]
        found.append(_suggestion(word, MatchType.PHRASE, covered, searches, judged, campaign, group))
        for place in covered:
            del unwanted[place]
    texts = set(own)
    for place in sorted(unwanted, key=lambda item: (-searches.demand[item], item)):
        if len(found) >= MOST_SUGGESTED or searches.demand[place] < LEAST_SEARCHES:
            break
        if searches.texts[place] not in texts:
            found.append(
                _suggestion(searches.texts[place], MatchType.EXACT, [place], searches, judged, campaign, group)
            )
    return sorted(found, key=lambda item: (-item.searches, item.text))


def _volume(
    candidates: set[str], searches: Reached, judged: Sequence[_Unwanted | None], away: NegativeKeywords
) -> dict[str, float]:
    """The wanted searches a month that would be lost with each word."""
    volume = dict.fromkeys(candidates, 0.0)
    if not candidates:
        return volume
    for place, (text, by, verdict) in enumerate(zip(searches.texts, searches.by, judged, strict=True)):
        if verdict is not None:
            continue
        plain = simplified(text)
        # To look for a word as a text is quicker than to cut the search into words, and most hold none.
        if any(word in plain or word in text for word in candidates) and not away.block(text):
            for word in candidates & _added_words(text, by):
                volume[word] += searches.demand[place]
    return volume


def _token_sums_of(texts: Sequence[str], known: SearchTexts) -> Array:
    """As `NegativeFinder._token_sums`, for any normalised texts; one with a word that nobody searched is no search."""
    found = set()
    for text in texts:
        held = tokens(text)
        ids = known.token_ids(held)
        if len(ids) == len(held):
            found.add(int(_mixed(np.array(ids, np.int64)).sum(dtype=np.uint64)))
    return np.array(sorted(found), np.uint64)


def _mixed(token_ids: Array) -> Array:
    """Numbers uint64 spread over their whole range, so that sums of different ones hardly meet."""
    spread = (token_ids.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return (spread ^ (spread >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)


def _as_texts(negatives: Iterable[PlanKeyword]) -> list[tuple[str, MatchType | None]]:
    return [(normalise(item.text), item.match_type) for item in negatives]


def _added_words(search: str, by: str) -> set[str]:
    """What a search says beyond the keyword that reaches it."""
    there = _said(by)
    return {word for word, parts in _telling_words(search).items() if word not in there and parts.isdisjoint(there)}


@lru_cache(maxsize=REMEMBERED)
def _said(keyword: str) -> frozenset[str]:
    return frozenset(words(keyword)) | frozenset(tokens(keyword))


@lru_cache(maxsize=REMEMBERED)
def _telling_words(search: str) -> dict[str, frozenset[str]]:
    """The words of a search that can be a negative keyword, with their parts; single characters say too little."""
    plain = {word for word in search.split() if word.isascii()} | {word for word in words(search) if not word.isascii()}
    return {
        word: frozenset(words(word))
        for word in plain
        if len(word) > 1 and not word.isdigit() and word not in STOP_WORDS
    }


def _suggestion(
    text: str,
    match_type: MatchType,
    places: Sequence[int],
    searches: Reached,
    judged: Sequence[_Unwanted | None],
    campaign: int,
    group: int | None,
) -> NegativeSuggestion:
    verdicts: dict[_Unwanted, float] = {}
    for place in places:
        verdict = judged[place]
        assert verdict is not None
        verdicts[verdict] = verdicts.get(verdict, 0.0) + float(searches.demand[place])
    most = max(verdicts, key=lambda item: (verdicts[item], item.reason.value, -(item.sibling or 0)))
    ordered = sorted(places, key=lambda place: (-searches.demand[place], place))
    return NegativeSuggestion(
        text,
        match_type,
        campaign,
        group,
        most.reason,
        float(sum(searches.demand[place] for place in places)),
        len(places),
        tuple(searches.texts[place] for place in ordered[:EXAMPLES]),
        most.sibling,
    )
