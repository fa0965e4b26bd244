"""The reasons of the rows of one page as JSON, written from columns: what `kr.row_reasons` says, byte for byte.

A miner gives many rows of a page the same sentence with other numbers. So each sentence is taken apart once, when this
module is loaded, and filled in with encoded values.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from string import Formatter
from typing import Any

import numpy as np
import orjson

from indexes.arrays import Array
from kr.json_rows import Encoded, numbers, rounded
from kr.reasons import REASON_TEXTS, Reason
from kr.row_matches import SeedMatch
from kr.row_reasons import COUNTED_EN, ReasonWriter, counted_noun, day_of, literal_reason, reason, span_en, span_zh
from kr.types import Candidates, Request

Columns = dict[str, Encoded]
DATES = ("first_date", "last_date")


class ReasonTemplate:
    """One kind of reason with places for the seed, for its evidence and for what its two texts say of it.

    The columns that fill it are named `seed` (JSON), `words` (the same inside a text), `evidence NAME`, and `en NAME`
    and `zh NAME` for the placeholders of its texts.
    """

    def __init__(self, code: Reason, source: str, evidence: Sequence[str]) -> None:
        self._columns: list[str] = []
        english, chinese = REASON_TEXTS[code]
        pattern = [
            _constant(orjson.dumps({"code": code.value, "source": source})[:-1] + b',"seed":'),
            self._place("seed"),
            _constant(b',"text_en":"'),
            *self._text("en", english),
            _constant(b'","text_zh":"'),
            *self._text("zh", chinese),
            _constant(b'","evidence":{'),
        ]
        for position, name in enumerate(evidence):
            pattern.append(_constant((b"," if position else b"") + orjson.dumps(name) + b":"))
            pattern.append(self._place(f"evidence {name}"))
        self._pattern = b"".join(pattern) + b"}}"

    def _place(self, column: str) -> bytes:
        self._columns.append(column)
        return b"%b"

    def _text(self, language: str, text: str) -> list[bytes]:
        pieces = []
        for constant, field, _, _ in Formatter().parse(text):
            pieces.append(_constant(inside_text(constant)))
            if field is not None:
                pieces.append(self._place("words" if field == "seed" else f"{language} {field}"))
        return pieces

    def fill(self, columns: Mapping[str, Encoded]) -> list[bytes]:
        """A reason a row."""
        pattern = self._pattern
        return [pattern % values for values in zip(*(columns[name] for name in self._columns), strict=True)]


def _constant(text: bytes) -> bytes:
    return text.replace(b"%", b"%%")


def inside_text(text: str) -> bytes:
    """A text as it stands inside a JSON string."""
    return orjson.dumps(text)[1:-1]


TOGETHER = ReasonTemplate(Reason.COOCCURRENCE, "cooccurrence", ("sessions", "users", *DATES))
FOLLOWS = ReasonTemplate(Reason.RULE, "association_rules", ("sessions", "users", "confidence", "lift", *DATES))
CLICKED = ReasonTemplate(Reason.CLUSTER, "click_clusters", ("shared_urls", "clicks", "users", *DATES))
ALIKE = ReasonTemplate(Reason.PAGE_TERMS, "page_terms", ("similarity", "users", *DATES))
LIKE = ReasonTemplate(Reason.SEMANTIC, "semantic", ("similarity",))


class JsonReasons:
    """Writes the reasons of a page's rows as JSON."""

    def __init__(self, writer: ReasonWriter) -> None:
        self._writer = writer

    def of_page(self, request: Request, candidates: Candidates, matches: Sequence[SeedMatch]) -> list[bytes]:
        """A JSON array a row, of what `ReasonWriter.of_page` says."""
        if request.page_topics or request.industry_seed:
            # What a page or an industry says takes the place of other reasons: decided on the reasons themselves.
            return [orjson.dumps(each) for each in self._writer.of_page(request, candidates, matches)]
        reasons = _literal(request, candidates["exact_seed"].tolist(), matches)
        self._add_mined(candidates, reasons)
        _add_likeness(request.seeds, candidates, reasons)
        if candidates["rules"].any():
            by_rule: list[list[dict[str, Any]]] = [[] for _ in matches]
            self._writer.add_rules(candidates["rules"], by_rule)
            for own, found in zip(reasons, by_rule, strict=True):
                own += map(orjson.dumps, found)
        return [b"[%b]" % b",".join(each) for each in reasons]

    def _add_mined(self, candidates: Candidates, reasons: list[list[bytes]]) -> None:
        """What the miners say, of each row the strongest first; of equals in the order of the miners."""
        named: dict[int, bytes] = {}
        found_rows, found_strengths, told = [], [], []
        not_exact = candidates["exact_seed"] < 0
        for miner in self._writer.miners:
            at = candidates[f"{miner}_row"]
            # That a seed is also its own anchors' neighbour tells the caller nothing.
            rows = ((at >= 0) & not_exact).nonzero()[0]
            if not len(rows):
                continue
            anchors = candidates[f"{miner}_anchor"][rows].tolist()
            for anchor in set(anchors) - named.keys():
                named[anchor] = orjson.dumps(self._writer.indexes.keywords[anchor])
            found_rows.append(rows)
            found_strengths.append(candidates[f"{miner}_strength"][rows])
            told += self._of_rows(miner, [named[anchor] for anchor in anchors], at[rows])
        if told:
            by_row = np.concatenate(found_rows)
            order = np.lexsort((-np.concatenate(found_strengths), by_row))
            for row, place in zip(by_row[order].tolist(), order.tolist(), strict=True):
                reasons[row].append(told[place])

    def _of_rows(self, miner: str, anchors: list[bytes], rows: Array) -> list[bytes]:
        found = self._writer.indexes.neighbors.evidence(miner, rows)
        columns: Columns = {"seed": anchors, "words": [anchor[1:-1] for anchor in anchors], **_dates(found)}
        template, of_miner = MINED[miner]
        told = template.fill(columns | of_miner(found))
        for place in np.flatnonzero(found["path"] >= 0).tolist() if "path" in found else ():
            row = {name: column[place].item() for name, column in found.items()}
            told[place] = orjson.dumps(self._writer.mined_reason(miner, orjson.loads(anchors[place]), row))
        return told


def _literal(request: Request, exact: list[int], matches: Sequence[SeedMatch]) -> list[list[bytes]]:
    """What the texts say: most rows of a page share the same words with the seed."""
    told: dict[tuple[Any, ...], list[bytes]] = {}
    reasons = []
    for at, (place, match) in zip(exact, matches, strict=True):
        if at >= 0:
            reasons.append([orjson.dumps(reason(Reason.EXACT, "exact", request.seeds[at], {}, {}, {}))])
            continue
        key = (place, match.matched, match.missed, match.variant)
        if (found := told.get(key)) is None:
            said = literal_reason(request, request.seeds[place], match)
            found = told[key] = [] if said is None else [orjson.dumps(said)]
        reasons.append(found.copy())
    return reasons


def _add_likeness(seeds: Sequence[str], candidates: Candidates, reasons: list[list[bytes]]) -> None:
    places = candidates["semantic_seed"]
    rows = ((places >= 0) & (candidates["exact_seed"] < 0)).nonzero()[0]
    if not len(rows):
        return
    names = [orjson.dumps(seeds[place]) for place in places[rows].tolist()]
    similarity = rounded(candidates["semantic_similarity"][rows], 2)
    shown = _shown([f"{float(value):.2f}" for value in similarity], "similarity")
    columns: Columns = {"seed": names, "words": [name[1:-1] for name in names], "evidence similarity": similarity}
    for row, told in zip(rows.tolist(), LIKE.fill(columns | shown), strict=True):
        reasons[row].append(told)


def _counted(found: Mapping[str, Array], *names: str) -> Columns:
    """Counts as evidence, in English with their nouns, in Chinese as they are."""
    columns: Columns = {}
    for name in names:
        encoded, noun = numbers(found[name]), COUNTED_EN[name]
        columns[f"evidence {name}"] = columns[f"zh {name}"] = encoded
        columns[f"en {name}"] = [_with_noun(count, noun) for count in found[name].tolist()]
    return columns


@lru_cache(maxsize=16_384)
def _with_noun(count: int, noun: str) -> bytes:
    return counted_noun(count, noun).encode()


def _together(found: Mapping[str, Array]) -> Columns:
    return _counted(found, "sessions", "users")


def _follows(found: Mapping[str, Array]) -> Columns:
    confidence, lift = found["confidence"], found["lift"]
    return {
        **_counted(found, "sessions", "users"),
        "evidence confidence": rounded(confidence, 4),
        "evidence lift": rounded(lift, 2),
        **_shown([f"{value:.1%}" for value in confidence.tolist()], "confidence"),
        **_shown([f"{value:,.1f}" for value in lift.tolist()], "lift"),
    }


def _clicked(found: Mapping[str, Array]) -> Columns:
    return _counted(found, "shared_urls", "clicks", "users")


def _alike(found: Mapping[str, Array]) -> Columns:
    similarity = found["similarity"]
    shown = _shown([f"{value:.2f}" for value in similarity.tolist()], "similarity")
    return {**_counted(found, "users"), **shown, "evidence similarity": numbers(similarity)}


def _shown(values: Sequence[str], name: str) -> Columns:
    """Numbers that both languages write alike."""
    encoded = [value.encode() for value in values]
    return {f"en {name}": encoded, f"zh {name}": encoded}


def _dates(found: Mapping[str, Array]) -> Columns:
    names = ("evidence first_date", "evidence last_date", "en dates", "zh dates")
    spans = [_span(*days) for days in zip(found["first_day"].tolist(), found["last_day"].tolist(), strict=True)]
    return dict(zip(names, zip(*spans, strict=True), strict=True))


@lru_cache(maxsize=16_384)
def _span(first_day: int, last_day: int) -> tuple[bytes, bytes, bytes, bytes]:
    """First and last day as JSON, and how both languages write them in a text."""
    first, last = day_of(first_day), day_of(last_day)
    texts = (span_en(first, last).encode(), span_zh(first, last).encode())
    return orjson.dumps(first.isoformat()), orjson.dumps(last.isoformat()), *texts


MINED: Mapping[str, tuple[ReasonTemplate, Callable[[Mapping[str, Array]], Columns]]] = {
    "cooccurrence": (TOGETHER, _together),
    "association_rules": (FOLLOWS, _follows),
    "click_clusters": (CLICKED, _clicked),
    "page_terms": (ALIKE, _alike),
}
"""What fills the sentence of each miner: columns made of its evidence."""
