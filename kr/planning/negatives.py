"""Negative keywords worth adding: words of searches that the plan would pay for and that mean something else.

A search that the keywords of a campaign reach is *unwanted* if it is unsafe, if it names a company that no keyword of
the campaign names, if it is searched with another purpose (to learn, to complain, to trade) than any keyword of the
campaign, or if what it is about is unlike every keyword. Within a campaign, a search that is a keyword of one ad group
is unwanted in every other, so that the ad shown is the one that was written for it.

A word is suggested if nine tenths of the searches that hold it are unwanted, and never if it would keep a keyword of
its own scope away. Words are taken greedily, the one that keeps most unwanted searches away first; what no word covers
is suggested whole, as an exact negative keyword.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from indexes.opened import Indexes
from indexes.term_vectors import SCALE
from indexes.text import fingerprint, normalise, tokens, words
from kr.audit.stage import UnsafeKeywordAudit
from kr.pages.stop_words import STOP_WORDS
from kr.planning.intents import Intent, IntentReader, core_words
from kr.planning.matching import blocks, blocks_text
from kr.planning.operations import AddNegatives
from kr.planning.plan import Plan, PlanKeyword
from kr.planning.plan_row import MatchType, Status
from kr.planning.reach import Reached, reached

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
        for campaign in plan.campaigns:
            bid_on = [item for item in plan.positive() if item.campaign == campaign and item.status != Status.REMOVED]
            negatives = [item for item in plan.negative() if item.campaign in (campaign, None)]
            common = [item for item in negatives if item.ad_group is None]
            if not bid_on:
                continue
            found += self._of_campaign(campaign, bid_on, common)
            kept_away = [item.operation() for item in found if item.campaign == campaign]
            words_away = _kept_away(
                [(text, operation.match_type) for operation in kept_away for text in operation.keywords]
            )
            groups = sorted({item.ad_group for item in bid_on if item.ad_group is not None})
            if len(groups) < 2:
                continue
            owners: dict[str, int] = {}
            for item in bid_on:
                if item.ad_group is not None:
                    owners.setdefault(fingerprint(normalise(item.text)), item.ad_group)
            for group in groups:
                mine = [item for item in bid_on if item.ad_group == group]
                own = [item for item in negatives if item.ad_group in (None, group)]
                found += self._of_group(campaign, group, mine, own, owners, words_away)
        return found

    def _of_campaign(
        self, campaign: int, bid_on: Sequence[PlanKeyword], negatives: Sequence[PlanKeyword]
    ) -> list[NegativeSuggestion]:
        searches = reached(self._indexes, bid_on, MOST_REACHED)
        if not searches.texts:
            return []
        texts = [normalise(item.text) for item in bid_on]
        own = {fingerprint(text) for text in texts}
        purposes = {purpose(intent) for intent in self._intents.intents(texts)}
        names = {self._intents.name_in(text) for text in texts}
        shown = self._audit.is_shown(searches.ids)
        likeness = self._likeness(searches.texts, texts)
        intents = self._intents.intents(searches.texts)
        judged: list[_Unwanted | None] = []
        for place, text in enumerate(searches.texts):
            name = self._intents.name_in(text)
            reason = None
            if fingerprint(text) in own:
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
        return _suggest(searches, judged, texts, negatives, _kept_away([]), campaign, None, self._name_word)

    def _of_group(
        self,
        campaign: int,
        group: int,
        mine: Sequence[PlanKeyword],
        negatives: Sequence[PlanKeyword],
        owners: dict[str, int],
        words_away: Callable[[str], bool],
    ) -> list[NegativeSuggestion]:
        searches = reached(self._indexes, mine, MOST_REACHED, MOST_OF_GROUP_KEYWORD)
        texts = [normalise(item.text) for item in mine]
        own = {fingerprint(text) for text in texts}
        judged: list[_Unwanted | None] = []
        for text in searches.texts:
            owner = owners.get(fingerprint(text))
            is_siblings = owner is not None and owner != group and fingerprint(text) not in own
            judged.append(_Unwanted(NegativeReason.SIBLING, owner) if is_siblings else None)
        return _suggest(searches, judged, texts, negatives, words_away, campaign, group, None)

    def _likeness(self, searches: Sequence[str], keywords: Sequence[str]) -> np.ndarray:
        """The cosine of each search to the keyword nearest in meaning; 1 where there is nothing to compare."""
        theirs, ours = self._vectors(keywords), self._vectors(searches)
        result = np.ones(len(searches))
        if theirs.any():
            known = ours.any(axis=1)
            result[known] = (ours[known] @ theirs.T).max(axis=1)
        return result

    def _vectors(self, texts: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(texts), self._indexes.term_vectors.dims), np.float32)
        for row, text in enumerate(texts):
            code = self._indexes.term_vectors.code([part for word in core_words(text) for part in tokens(word)])
            if code is not None:
                found[row] = code / np.float32(SCALE)
        return found

    def _name_word(self, search: str) -> str | None:
        return self._intents.name_in(search)


def purpose(intent: Intent) -> Intent:
    """To buy in whatever way is one purpose: a price or a place asked for is no reason to stay away."""
    return Intent.GENERAL if intent in _BUYING else intent


def _suggest(
    searches: Reached,
    judged: Sequence[_Unwanted | None],
    own: Sequence[str],
    negatives: Sequence[PlanKeyword],
    words_away: Callable[[str], bool],
    campaign: int,
    group: int | None,
    name_of: Callable[[str], str | None] | None,
) -> list[NegativeSuggestion]:
    if not any(judged):
        return []
    unwanted: dict[int, set[str]] = {}
    volume: dict[str, float] = {}
    bad: dict[str, float] = {}
    for place, (text, by, verdict) in enumerate(zip(searches.texts, searches.by, judged, strict=True)):
        if any(blocks(item, text) for item in negatives) or words_away(text):
            continue
        added = _added_words(text, by)
        name = name_of(text) if verdict and verdict.reason is NegativeReason.OTHER_NAME and name_of else None
        if name:
            added = {name}
        for word in added:
            volume[word] = volume.get(word, 0.0) + searches.demand[place]
            if verdict:
                bad[word] = bad.get(word, 0.0) + searches.demand[place]
        if verdict:
            unwanted[place] = added
    usable = {
        word
        for word, searched in bad.items()
        if searched >= LEAST_SEARCHES
        and searched >= UNWANTED_SHARE * volume[word]
        and not any(blocks_text(word, MatchType.PHRASE, text) for text in own)
    }
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


def _kept_away(negatives: Sequence[tuple[str, MatchType]]) -> Callable[[str], bool]:
    """Whether a search is kept away already by one of these; remembered, since ad groups reach the same searches."""
    known: dict[str, bool] = {}

    def is_kept_away(search: str) -> bool:
        if search not in known:
            known[search] = any(blocks_text(text, match_type, search) for text, match_type in negatives)
        return known[search]

    return is_kept_away


def _added_words(search: str, by: str) -> set[str]:
    """What a search says beyond the keyword that reaches it; single Chinese characters say too little alone."""
    there = set(words(by)) | set(tokens(by))
    plain = {word for word in search.split() if word.isascii()} | {word for word in words(search) if not word.isascii()}
    return {
        word
        for word in plain
        if word not in there
        and word not in STOP_WORDS
        and not set(words(word)) & there
        and (len(word) > 1 and not word.isdigit())
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
