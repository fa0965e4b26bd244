"""From what advertisers said of recommended keywords to training pairs, and how far they disagree.

"Irrelevant" speaks of the pair and is a negative label. "Not my business" speaks of the account: it never becomes a
label, and only the personal side reads it. Thumbs up and saving are positive. Of one account's verdicts on a pair the
last counts; of several accounts' the majority, and a tie is left out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array
from indexes.errors import UsageError
from indexes.text import normalise
from kr.relevance.pairs import LabelledPairs

LABELS = {"up": 1, "saved": 1, "irrelevant": 0}
PERSONAL = "not_my_business"


@dataclass(frozen=True)
class Verdict:
    """One row of the canonical table `feedback`; `ts` is seconds since 1970, UTC."""

    ts: float
    account_id: str
    query: str
    keyword: str
    verdict: str


@dataclass(frozen=True)
class Votes:
    """How many accounts say that a pair belongs together, and how many that it does not."""

    query: str
    keyword: str
    positive: int
    negative: int

    @property
    def contested(self) -> bool:
        """Whether accounts differ."""
        return bool(self.positive and self.negative)


@dataclass(frozen=True)
class FeedbackLabels:
    """What became of the rows: `rows` = `replaced` + `without_text` + `judgements` + `len(not_my_business)`."""

    rows: int
    accounts: int
    verdicts: dict[str, int]
    """Rows of each verdict."""
    replaced: int
    """Rows whose account spoke of the same pair again later."""
    without_text: int
    """Rows whose query or keyword has no visible character."""
    judgements: int
    """Last verdicts that are labels."""
    votes: tuple[Votes, ...]
    """Every judged pair once, by query and keyword: normalised."""
    pairs: LabelledPairs
    """Labelled 0 or 1 by the majority."""
    ties: int
    """Judged pairs without a majority, left out of `pairs`."""
    not_my_business: tuple[tuple[str, str, str], ...]
    """Account, query and keyword of the last verdicts that speak of the account only."""

    @property
    def personal(self) -> tuple[tuple[str, str], ...]:
        """(account, keyword) that the account never wants, each once."""
        return tuple(sorted({(account, keyword) for account, _, keyword in self.not_my_business}))

    @property
    def most_contested(self) -> tuple[Votes, ...]:
        """Pairs on which accounts differ, those with the largest minority first; then by the share of the minority."""
        contested = [each for each in self.votes if each.contested]
        return tuple(
            sorted(contested, key=lambda each: (-min(each.positive, each.negative), each.positive + each.negative))
        )

    def agreement(self) -> tuple[float | None, float | None]:
        """The observed agreement and Krippendorff's alpha; see `agreement_of`."""
        return agreement_of(np.array([[each.negative, each.positive] for each in self.votes], np.int64).reshape(-1, 2))


def labels_of_feedback(verdicts: Iterable[Verdict]) -> FeedbackLabels:
    """Labels from verdicts in any order. UsageError for a verdict of another name."""
    last: dict[tuple[str, str, str], Verdict] = {}
    accounts: set[str] = set()
    by_name: Counter[str] = Counter()
    without_text = 0
    for verdict in sorted(verdicts, key=lambda row: (row.ts, row.verdict)):
        if verdict.verdict not in LABELS and verdict.verdict != PERSONAL:
            raise UsageError(
                f"The verdict {verdict.verdict!r} of account {verdict.account_id} is unknown.",
                f"Use one of {', '.join([*LABELS, PERSONAL])}.",
            )
        accounts.add(verdict.account_id)
        by_name[verdict.verdict] += 1
        query, keyword = normalise(verdict.query), normalise(verdict.keyword)
        if not query or not keyword:
            without_text += 1
        else:
            last[verdict.account_id, query, keyword] = verdict
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    not_my_business = []
    for key, verdict in last.items():
        if verdict.verdict == PERSONAL:
            not_my_business.append(key)
        else:
            counts[key[1:]][LABELS[verdict.verdict]] += 1
    votes = tuple(Votes(*pair, found[1], found[0]) for pair, found in sorted(counts.items()))
    decided = [each for each in votes if each.positive != each.negative]
    rows = by_name.total()
    return FeedbackLabels(
        rows=rows,
        accounts=len(accounts),
        verdicts={name: by_name[name] for name in (*LABELS, PERSONAL)},
        replaced=rows - without_text - len(last),
        without_text=without_text,
        judgements=len(last) - len(not_my_business),
        votes=votes,
        pairs=LabelledPairs(
            tuple(each.query for each in decided),
            tuple(each.keyword for each in decided),
            np.array([each.positive > each.negative for each in decided], np.float64),
        ),
        ties=len(votes) - len(decided),
        not_my_business=tuple(sorted(not_my_business)),
    )


def agreement_of(counts: Array) -> tuple[float | None, float | None]:
    """How far judges agree, observed and beyond chance; whole `counts` (items, labels): judges of each item by label.

    Observed is the chance that two judges of the same item agree, every judgement of an item that was judged twice or
    more weighing alike. Krippendorff's alpha for nominal data (Computing Krippendorff's Alpha-Reliability, 2011), which
    lets every item have judges of its own, relates it to chance: 1 for always, 0 for as often as by chance, below 0 for
    less often. Both are None if no item was judged twice; alpha also if all judgements are one label, since chance then
    explains everything.
    """
    judged = counts.sum(axis=1)
    several = judged >= 2
    counts, judged = counts[several].astype(np.float64), judged[several]
    total = float(judged.sum())
    if not total:
        return None, None
    observed = float((counts * (counts - 1) / (judged - 1)[:, None]).sum() / total)
    by_label = counts.sum(axis=0)
    chance = float((by_label * (by_label - 1)).sum() / (total * (total - 1)))
    return observed, None if chance == 1 else (observed - chance) / (1 - chance)
