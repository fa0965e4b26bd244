"""The industry browser: a node of the operator's tree with what its advertisers buy, and what of that is rising."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.industries import Industries, Industry
from indexes.opened import Indexes
from indexes.seed_queries import Origin, industry_context
from indexes.text import normalise
from kr.audit.stage import UnsafeKeywordAudit
from kr.industry_seeds import UnknownIndustryError
from kr.reasons import Reason
from kr.row_reasons import EPOCH, industry_reason, reason, span_en, span_zh
from kr.rows import RowWriter

TOP_KEYWORDS = 50
RISING_KEYWORDS = 10
LEAST_RISE = 0.1
"""Of the searches of CHANGE_MONTHS months against those before."""
CHANGE_MONTHS = 3
LEAST_DEVIATIONS = 2.0
"""A rise is so many standard deviations of chance at least."""
FOUND_INDUSTRIES = 100

Row = dict[str, Any]


@dataclass(frozen=True)
class IndustryView:
    """One node, None for the whole tree: the way down to it, what is right below, top and rising keywords."""

    snapshot: str
    industry: Row | None
    path: tuple[Row, ...]
    children: tuple[Row, ...]
    keywords: tuple[Row, ...] = ()
    rising: tuple[Row, ...] = ()


class IndustryBrowser:
    """Reads the tree of one snapshot; keywords that few people search or that the audit removes are not shown."""

    def __init__(self, indexes: Indexes, audit: UnsafeKeywordAudit, rows: RowWriter, min_users: int) -> None:
        self._indexes = indexes
        self._audit = audit
        self._rows = rows
        self._min_users = min_users

    def roots(self) -> IndustryView:
        """The whole tree: the industries above which there is none."""
        tree = self._indexes.industries
        children = tuple(map(as_data, tree.children())) if tree else ()
        return IndustryView(self._indexes.snapshot_id, None, (), children)

    def find(self, text: str) -> tuple[Row, ...]:
        """The industries whose name in either language, or id, holds a text; each with its path, at most 100."""
        wanted, tree = normalise(text), self._indexes.industries
        return tuple(self._matching(tree, wanted)) if tree and wanted else ()

    def _matching(self, tree: Industries, wanted: str) -> Iterator[Row]:
        holding = (number for number, names in enumerate(self._names) if wanted in names)
        for number in islice(holding, FOUND_INDUSTRIES):
            yield {**as_data(tree[number]), "path": [as_data(each) for each in tree.above(number)]}

    @cached_property
    def _names(self) -> list[str]:
        """The names and id of each industry, normalised, on lines of their own; made when first asked for."""
        tree = self._indexes.industries
        assert tree is not None
        industries = map(tree.__getitem__, range(len(tree)))
        return ["\n".join(map(normalise, (each.name_en, each.name_zh, each.id))) for each in industries]

    def view(self, industry_id: str, most: int = TOP_KEYWORDS) -> IndustryView:
        """One industry with at most so many keywords. Raises UnknownIndustryError."""
        tree = self._indexes.industries
        number = tree.find(industry_id) if tree else -1
        if tree is None or number < 0:
            raise UnknownIndustryError(industry_id)
        industry, columns = tree[number], tree.keywords(number)
        shown = np.flatnonzero(self._is_shown(columns["keyword"]))
        _, first = np.unique(self._indexes.stats.canonical[columns["keyword"][shown]], return_index=True)
        shown = shown[np.sort(first)]
        reasons = {row: self._bought(industry, columns, row) for row in shown.tolist()}
        top = shown[:most]
        rising = self._rising(industry, columns, shown)
        return IndustryView(
            self._indexes.snapshot_id,
            as_data(industry),
            tuple(map(as_data, tree.above(number))),
            tuple(map(as_data, tree.children(number))),
            self._written(columns["keyword"][top], [[reasons[row]] for row in top.tolist()]),
            self._written(np.array([keyword for keyword, _ in rising], np.int64), [why for _, why in rising]),
        )

    def _is_shown(self, keywords: Array) -> Array:
        shown: Array = self._audit.is_shown(keywords) & (self._indexes.stats.users[keywords] >= self._min_users)
        return shown

    def _bought(self, industry: Industry, columns: dict[str, Array], row: int) -> Row:
        found = {name: columns[name][row].item() for name in ("advertisers", "of", "first_day", "last_day")}
        return industry_reason(industry, found)

    def _rising(self, industry: Industry, columns: dict[str, Array], shown: Array) -> list[tuple[int, list[Row]]]:
        """Keywords with their reasons: recent bursts, the latest first, then what gained most searches."""
        stats = self._indexes.stats
        found: dict[int, list[Row]] = {}
        seeds = self._indexes.seeds.of(industry_context(industry.id)) if self._indexes.seeds else None
        if seeds is not None:
            bursts = seeds.take(seeds["origin"] == Origin.BURST)
            bursts = bursts.take(self._is_shown(bursts["keyword"]))
            order = np.lexsort((bursts["keyword"], -bursts["last_day"].astype(np.int64)))
            for row in order.tolist():
                evidence = {name: bursts[name][row].item() for name in ("count", "of", "first_day", "last_day")}
                found[int(bursts["keyword"][row])] = [_burst_reason(evidence)]
        keywords = columns["keyword"][shown]
        change = stats.change_3m[keywords].astype(np.float64)
        whole = np.flatnonzero(self._indexes.complete_months)[-CHANGE_MONTHS:]
        latest = stats.monthly_searches[keywords][:, whole].sum(axis=1)
        before = np.divide(latest, 1 + change, out=np.full(len(keywords), np.nan), where=change > -1)
        gain = latest - before
        # A keyword of three searches that has seven now tells nothing: chance alone moves counts by their root.
        rose = np.flatnonzero((change >= LEAST_RISE) & (gain >= LEAST_DEVIATIONS * np.sqrt(latest + before)))
        for place in rose[np.lexsort((keywords[rose], -np.round(gain[rose], 6)))].tolist():
            keyword = int(keywords[place])
            found.setdefault(keyword, []).append(_change_reason(float(change[place])))
            if len(found) >= RISING_KEYWORDS:
                break
        return list(found.items())[:RISING_KEYWORDS]

    def _written(self, keywords: Array, reasons: Sequence[list[Row]]) -> tuple[Row, ...]:
        rows = self._rows.attributes(keywords, months=True)
        return tuple({**row, "reasons": why} for row, why in zip(rows, reasons, strict=True))


def as_data(industry: Industry) -> Row:
    """An industry as the API tells it; names that the operator did not give are None."""
    return {
        "id": industry.id,
        "name_en": industry.name_en or None,
        "name_zh": industry.name_zh or None,
        "advertisers": industry.advertisers,
        "keywords": industry.keywords,
        "more_keywords": industry.more_keywords,
        "children": industry.children,
    }


def _burst_reason(found: Row) -> Row:
    first, last = (date.fromordinal(EPOCH.toordinal() + found[f"{end}_day"]) for end in ("first", "last"))
    counts = {"count": found["count"], "of": found["of"]}
    evidence = {**counts, "first_date": first.isoformat(), "last_date": last.isoformat()}
    shown = {name: f"{value:,}" for name, value in counts.items()}
    english, chinese = {**shown, "dates": span_en(first, last)}, {**shown, "dates": span_zh(first, last)}
    return reason(Reason.SEED_BURST, "bursts", None, evidence, english, chinese)


def _change_reason(change: float) -> Row:
    words = {"change": f"{change:.0%}"}
    return reason(Reason.RISING, "keyword_statistics", None, {"change_3m": round(change, 4)}, words, words)
