"""Next-query prediction on held-out sessions: what is asked, and how answers are judged.

Asked is every place of a held-out session at which a keyword is searched that the session had not had before: it is to
be named from the keyword just before it (variant `current`), or from all keywords of the session so far (`session`). A
system names ten keywords at most, none that it was given. MRR@10 is the mean of 1 / place of the right one, 0 where it
is not named; recall@10 the share of questions where it is; coverage the share where anything is named at all. Nothing
is left out: a keyword that the earlier log never saw cannot be answered for, and counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from indexes.arrays import Array, offsets_from_counts
from mining.paired_tests import bootstrap_intervals
from mining.session_sequences import SessionSequences

CUT = 10
UNKNOWN = -1
BANDS = ("head", "torso", "tail")
CURRENT, SESSION = "current", "session"
VARIANTS = (CURRENT, SESSION)
MEASURES = ("mrr_at_10", "recall_at_10", "coverage", *(f"mrr_at_10_{band}" for band in BANDS))


@dataclass(frozen=True)
class Histories:
    """What systems are given, CSR: places of known keywords int64, the latest last; unknown ones are left out."""

    offsets: Array
    keyword: Array

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def owner(self) -> Array:
        """The history of each entry, int64."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    @property
    def age(self) -> Array:
        """Steps from each entry to the last one of its history, int64."""
        return self.offsets[1:][self.owner] - 1 - np.arange(len(self.keyword))


class NextQuerySystem(Protocol):
    """Names keywords that may come next."""

    name: str

    def predict(self, histories: Histories) -> Array:
        """Places of keywords int64 (histories, CUT), the likeliest first, UNKNOWN where there are no more.

        None of a history's own keywords is named.
        """
        ...


@dataclass(frozen=True)
class Questions:
    """All questions of the held-out sessions, in order.

    `target` and `current` int64 are places among the known keywords, UNKNOWN for others; `user` int64; `histories` are
    the known keywords before, each once, by its latest place.
    """

    target: Array
    current: Array
    user: Array
    histories: Histories

    def __len__(self) -> int:
        return len(self.target)

    def given(self, variant: str) -> tuple[Histories, Array]:
        """What a variant gives to the systems, and which of these histories each question has, int64."""
        if variant == SESSION:
            return self.histories, np.arange(len(self))
        # Many questions have the same keyword before them.
        distinct, question = np.unique(self.current, return_inverse=True)
        known = distinct != UNKNOWN
        return Histories(offsets_from_counts(known), distinct[known]), question


def ask(sessions: SessionSequences, known: Array) -> Questions:
    """The questions of held-out sessions; `known` is the place of each of their keywords among the known ones."""
    target, current, user, history = [], [], [], []
    for session in range(len(sessions)):
        keywords = sessions.keyword[sessions.offsets[session] : sessions.offsets[session + 1]].tolist()
        seen: dict[int, None] = {}
        for before, keyword in zip([None, *keywords], keywords, strict=False):
            if before is not None and keyword not in seen:
                target.append(keyword)
                current.append(before)
                user.append(sessions.user[session])
                history.append(list(seen))
            seen.pop(keyword, None)  # the latest place counts
            seen[keyword] = None
    counts = np.array([len(row) for row in history], np.int64)
    flat = np.array([keyword for row in history for keyword in row], np.int64)
    places = np.append(known, UNKNOWN)
    flat_places = places[flat]
    kept = np.bincount(np.repeat(np.arange(len(counts)), counts)[flat_places != UNKNOWN], minlength=len(counts))
    return Questions(
        places[np.array(target, np.int64)],
        places[np.array(current, np.int64)],
        np.array(user, np.int64),
        Histories(offsets_from_counts(kept), flat_places[flat_places != UNKNOWN]),
    )


def bands_of(searches: Array, current: Array) -> Array:
    """The band of each current keyword, by its place in BANDS, int8.

    Keywords in the order of their searches are cut where a third and two thirds of all searches are reached; keywords
    that were never searched before belong to the tail.
    """
    order = np.argsort(-searches, kind="stable")
    before = np.cumsum(searches[order]) - searches[order]
    of_keyword = np.empty(len(searches) + 1, np.int8)
    of_keyword[order] = np.minimum(before * len(BANDS) // max(int(searches.sum()), 1), len(BANDS) - 1)
    of_keyword[UNKNOWN] = len(BANDS) - 1
    return of_keyword[current]


def reciprocal_ranks(predicted: Array, target: Array) -> Array:
    """1 / place of the target among the keywords named, float64 (n,), 0 where it is not among them."""
    hit = (predicted == target[:, None]) & (target[:, None] != UNKNOWN)
    return np.where(hit.any(axis=1), 1.0 / (hit.argmax(axis=1) + 1), 0.0)


def metrics(predicted: Sequence[Array], questions: Questions, band: Array) -> list[dict[str, Any]]:
    """For each system's answers: MRR@10, recall@10, coverage, and MRR@10 by band, with 95 % intervals."""
    columns: list[Array] = []
    for named in predicted:
        ranks = reciprocal_ranks(named, questions.target)
        columns += [ranks, (ranks > 0).astype(np.float64), (named != UNKNOWN).any(axis=1).astype(np.float64)]
        columns += [np.where(band == place, ranks, np.nan) for place in range(len(BANDS))]
    values = np.stack(columns, axis=1)
    intervals = bootstrap_intervals(values, questions.user)
    counts = np.maximum((~np.isnan(values)).sum(axis=0), 1)
    means = (np.nansum(values, axis=0) / counts).tolist()
    rows = []
    for begin in range(0, len(columns), len(MEASURES)):
        row: dict[str, Any] = {}
        for place, name in enumerate(MEASURES, begin):
            row[name] = round(means[place], 4) if intervals[place] else None
            row[f"{name}_interval"] = intervals[place]
        rows.append(row)
    return rows


def best_of_rows(row: Array, column: Array, score: Array, rows: int) -> Array:
    """The columns of the CUT greatest scores of each row, ties by column, int64 (rows, CUT) padded with UNKNOWN."""
    order = np.lexsort((column, -score, row))
    row, column = row[order], column[order]
    counts = np.bincount(row, minlength=rows)
    place = np.arange(len(row)) - np.repeat(offsets_from_counts(counts)[:-1], counts)
    best = np.full((rows, CUT), UNKNOWN, np.int64)
    kept = place < CUT
    best[row[kept], place[kept]] = column[kept]
    return best
