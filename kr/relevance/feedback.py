"""From what advertisers said of recommended keywords to training pairs, and how far they disagree.

"Irrelevant" speaks of the pair and is a negative label. "Not my business" speaks of the account: it never becomes a
label, and only the personal side reads it. Thumbs up and saving are positive. Of one account's verdicts on a pair the
last counts; of several accounts' the majority, and a tie is left out.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

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
class Disagreement:
    """A pair on which accounts differ."""

    query: str
    keyword: str
    positive: int
    negative: int


@dataclass(frozen=True)
class FeedbackLabels:
    """`pairs` labelled 0 or 1; `personal` (account, keyword) that the account never wants; `disagreements`, most
    contested first; `ties` were left out of `pairs`; `agreement` is the chance that two accounts that judged the same
    pair agree, None if no pair was judged twice."""

    pairs: LabelledPairs
    personal: tuple[tuple[str, str], ...]
    disagreements: tuple[Disagreement, ...]
    ties: int
    agreement: float | None


def labels_of_feedback(verdicts: Iterable[Verdict]) -> FeedbackLabels:
    """Labels from verdicts in any order. UsageError for a verdict of another name."""
    last: dict[tuple[str, str, str], Verdict] = {}
    for verdict in sorted(verdicts, key=lambda row: (row.ts, row.verdict)):
        if verdict.verdict not in LABELS and verdict.verdict != PERSONAL:
            raise UsageError(
                f"The verdict {verdict.verdict!r} of account {verdict.account_id} is unknown.",
                f"Use one of {', '.join([*LABELS, PERSONAL])}.",
            )
        last[verdict.account_id, normalise(verdict.query), normalise(verdict.keyword)] = verdict
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    personal = set()
    for (account, query, keyword), verdict in last.items():
        if verdict.verdict == PERSONAL:
            personal.add((account, keyword))
        else:
            counts[query, keyword][LABELS[verdict.verdict]] += 1
    decided = [(pair, int(votes[1] > votes[0])) for pair, votes in sorted(counts.items()) if votes[0] != votes[1]]
    contested = [Disagreement(*pair, votes[1], votes[0]) for pair, votes in sorted(counts.items()) if all(votes)]
    same = sum(votes[0] * (votes[0] - 1) + votes[1] * (votes[1] - 1) for votes in counts.values())
    judged = sum(sum(votes) * (sum(votes) - 1) for votes in counts.values())
    return FeedbackLabels(
        pairs=LabelledPairs(
            tuple(query for (query, _), _ in decided),
            tuple(keyword for (_, keyword), _ in decided),
            np.array([label for _, label in decided], np.float64),
        ),
        personal=tuple(sorted(personal)),
        disagreements=tuple(sorted(contested, key=lambda row: -min(row.positive, row.negative))),
        ties=len(counts) - len(decided),
        agreement=same / judged if judged else None,
    )
