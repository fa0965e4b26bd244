"""Seed queries for industries, accounts and everyone (SPEC §1.12): S = Q^t · U^(1−t), made at build.

Where candidates come from: what an industry's advertisers buy, what an account buys or might (the recall tables), the
most searched keywords, and the keywords of recent bursts, which join every context that they fit.

    Q  quality: the root of coherence · relevance
       coherence  cosine of the seed's vector and the context's, which is the sum of its keywords' vectors by score;
                  1 for everyone
       relevance  mean √strength of the RETRIEVED strongest keywords that the seed returns, all miners joined; those
                  that it lacks count 0
    U  utility: log(1 + good results) on the scale where the most useful candidate has 1. A good result is a safe
       keyword, each group of close variants once, of at least GOOD_STRENGTH. Fewer than MIN_RESULTS: no seed.

Q and U are stored apart, since t is the caller's. They are made at build and not with the other tables, because they
read what the build makes: vectors of keywords, and strengths of all miners joined.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from indexes.arrays import Array, ArrayFolder
from indexes.forward import Forward
from indexes.neighbors import FUSION, Neighbors, joint_strength
from indexes.seed_queries import (
    COLUMNS,
    EVERYONE,
    Origin,
    SeedRows,
    account_context,
    industry_context,
    write_seed_queries,
)
from indexes.term_vectors import SCALE, TermVectors, unit_codes
from indexes.vocabulary import Vocabulary
from mining.build_tables import MinedTables, numbers
from mining.text_ids import TextIds

RETRIEVED = 10
GOOD_STRENGTH = 0.15
MIN_RESULTS = 5
MIN_COHERENCE = 0.5
"""Of the keyword of a burst with an industry or account, from which on it belongs there."""
RECENT_DAYS = 90
"""Bursts that ended so many days before the log's end are news no longer."""
MOST_NEIGHBORS = 200
POPULAR_SEEDS = 1000
KEPT = 50
"""Seeds kept for each context: those with the greatest Q · U."""
AT_A_TIME = 4096


def write_seeds(mined: MinedTables, ids: TextIds, canonical: Array, severity: Array, folder: Path) -> int:
    """Write the seeds of all contexts into a snapshot's folder, whose other parts are there; return their contexts.

    `canonical` int32 and `severity` uint8 are those of the statistics and of the audit, a keyword a row.
    """
    bursts = _recent_bursts(mined, ids)
    bases = {EVERYONE: _popular(folder, mined)} | dict(_industries(mined, ids)) | dict(_accounts(mined, ids))
    candidates = np.unique(np.concatenate([base["keyword"] for base in (*bases.values(), bursts)]))
    candidates = candidates[severity[candidates] == 0]
    worth = _Worth(folder, candidates, canonical, severity)
    contexts = {name: _seeds(name, base, bursts, worth, canonical) for name, base in bases.items()}
    write_seed_queries(folder, contexts)
    return len(contexts)


Base = dict[str, Array]
"""Columns keyword, score, origin, count, of, first_day, last_day of one context's candidates."""


def _base(keyword: Array, score: Array, origin: Array | Origin, **evidence: Array) -> Base:
    none = np.full(len(keyword), -1, np.int32)
    columns = {"count": none, "of": none, "first_day": none, "last_day": none, **evidence}
    return {
        "keyword": keyword,
        "score": score.astype(np.float64),
        "origin": np.broadcast_to(np.asarray(origin, np.uint8), len(keyword)),
        **{name: column.astype(np.int32) for name, column in columns.items()},
    }


def _popular(folder: Path, mined: MinedTables) -> Base:
    keyword = np.asarray(ArrayFolder(folder).array("popular.npy"))[:POPULAR_SEEDS].astype(np.int64)
    searches = mined.column("keyword_statistics", "searches", np.int64)[keyword]
    return _base(keyword, searches, Origin.POPULAR, count=searches)


def _industries(mined: MinedTables, ids: TextIds) -> Iterator[tuple[str, Base]]:
    names = ("advertisers", "industry_advertisers", "first_date", "last_date")
    for industry, keyword, columns in _groups(mined, ids, "industry_keywords", "industry_id", ("score", *names)):
        advertisers, of, first_day, last_day = (columns[name] for name in names)
        evidence = {"count": advertisers, "of": of, "first_day": first_day, "last_day": last_day}
        yield industry_context(industry), _base(keyword, columns["score"], Origin.INDUSTRY, **evidence)


def _accounts(mined: MinedTables, ids: TextIds) -> Iterator[tuple[str, Base]]:
    names = ("similar_advertisers", "first_date", "last_date")
    for account, keyword, columns in _groups(
        mined, ids, "account_keywords", "advertiser_id", ("score", "owned", *names)
    ):
        similar, first_day, last_day = (columns[name] for name in names)
        origin = np.where(columns["owned"], Origin.OWNED, Origin.ACCOUNT)
        evidence = {"count": similar, "first_day": first_day, "last_day": last_day}
        yield account_context(account), _base(keyword, columns["score"], origin, **evidence)


def _groups(
    mined: MinedTables, ids: TextIds, table: str, key: str, names: tuple[str, ...]
) -> Iterator[tuple[str, Array, dict[str, Array]]]:
    """The rows of each key of a table, which is sorted by it: the key, keyword ids, columns. Nothing if it is missing:
    a log without advertisers has none.
    """
    if not mined.has(table):
        return
    texts: list[str] = []
    keyword = [np.empty(0, np.int64)]
    columns = {name: [np.empty(0)] for name in names}
    for batch in mined.batches(table, [key, *names], ["keyword"]):
        texts += batch[key].to_pylist()
        keyword.append(ids.of(table, batch["keyword"]))
        for name in names:
            columns[name].append(numbers(batch[name]).astype(np.float64))
    all_keywords = np.concatenate(keyword)
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    # Rows are sorted by the key.
    starts = [row for row in range(len(texts)) if row == 0 or texts[row] != texts[row - 1]]
    for start, end in pairwise([*starts, len(texts)]):
        yield texts[start], all_keywords[start:end], {name: column[start:end] for name, column in whole.items()}


def _recent_bursts(mined: MinedTables, ids: TextIds) -> Base:
    """The latest burst of each keyword, if it is recent."""
    last_day = int(np.datetime64(mined.report["window"]["last_ts"][:10], "D").astype(np.int64))
    found: list[Base] = []
    if mined.has("bursts"):
        names = ["first_date", "last_date", "observed", "expected", "score"]
        for batch in mined.batches("bursts", names, ["keyword"]):
            first, last, observed, expected, score = (numbers(batch[name]) for name in names)
            base = _base(
                ids.of("bursts", batch["keyword"]), score, Origin.BURST,
                count=observed, of=np.rint(expected), first_day=first, last_day=last,
            )  # fmt: skip
            recent = last >= last_day - RECENT_DAYS
            found.append({name: column[recent] for name, column in base.items()})
    if not found:
        return _base(np.empty(0, np.int64), np.empty(0), Origin.BURST)
    joined = {name: np.concatenate([base[name] for base in found]) for name in found[0]}
    order = np.lexsort((-joined["last_day"], joined["keyword"]))
    keyword = joined["keyword"][order]
    latest = order[np.concatenate([[True], keyword[1:] != keyword[:-1]])] if len(order) else order
    return {name: column[latest] for name, column in joined.items()}


class _Worth:
    """What the candidates (ids, ascending) are worth: vectors float32 (n, dims), relevance and utility float64 (n,),
    good results int64 (n,)."""

    def __init__(self, folder: Path, candidates: Array, canonical: Array, severity: Array) -> None:
        reader = ArrayFolder(folder)
        self.candidates = candidates
        terms = TermVectors(reader, Vocabulary(reader, "terms"))
        counts, flat = Forward(reader).tokens_of(candidates)
        codes, _ = unit_codes(terms.contributions[flat], counts)
        self.vectors = codes.astype(np.float32) / SCALE
        self.relevance = np.zeros(len(candidates))
        self.results = np.zeros(len(candidates), np.int64)
        neighbors = Neighbors(reader)
        for begin in range(0, len(candidates), AT_A_TIME):
            part = slice(begin, begin + AT_A_TIME)
            self.relevance[part], self.results[part] = _retrieved(neighbors, candidates[part], canonical, severity)
        most = float(np.log1p(self.results.max(initial=0))) or 1.0
        self.utility = np.log1p(self.results) / most

    def places(self, keyword: Array) -> tuple[Array, Array]:
        """Where keywords stand among the candidates, int64, and which of them do, bool."""
        place = np.searchsorted(self.candidates, keyword)
        place = np.minimum(place, max(len(self.candidates) - 1, 0))
        known = self.candidates[place] == keyword if len(self.candidates) else np.zeros(len(keyword), bool)
        return place, known


def _retrieved(neighbors: Neighbors, keywords: Array, canonical: Array, severity: Array) -> tuple[Array, Array]:
    """Mean √strength of the RETRIEVED strongest results of each keyword, and how many good ones there are."""
    # A learned strength, where the snapshot has one, is on a scale of its own; the bars here are of the joined one.
    found = neighbors.of(keywords, MOST_NEIGHBORS)
    lists = {name: each for name, each in found.items() if name != FUSION}
    # Results of one group of close variants are one; the keyword's own group is none.
    span = len(canonical)
    keys = {name: each.position.astype(np.int64) * span + canonical[each.neighbor] for name, each in lists.items()}
    distinct = np.unique(np.concatenate([np.empty(0, np.int64), *keys.values()]))
    strengths = {}
    for name, each in lists.items():
        strengths[name] = np.zeros(len(distinct))
        safe = severity[each.neighbor] == 0
        np.maximum.at(strengths[name], np.searchsorted(distinct, keys[name][safe]), each.strength[safe])
    position, head = distinct // span, distinct % span
    strength = np.where(head == canonical[keywords][position], 0.0, joint_strength(strengths)) if strengths else head
    good = np.bincount(position[strength >= GOOD_STRENGTH], minlength=len(keywords))
    order = np.lexsort((-strength, position))
    place = np.arange(len(order)) - np.searchsorted(position[order], position[order])
    best = order[place < RETRIEVED]
    relevance = np.bincount(position[best], np.sqrt(strength[best]), len(keywords)) / RETRIEVED
    return relevance, good


def _seeds(name: str, base: Base, bursts: Base, worth: _Worth, canonical: Array) -> SeedRows:
    """The seeds of one context; a burst's reason is told before any other."""
    joined = {column: np.concatenate([bursts[column], base[column]]) for column in base}
    place, known = worth.places(joined["keyword"])
    if name == EVERYONE:
        coherence = np.ones(len(place))
    else:
        of_base = np.arange(len(place)) >= len(bursts["keyword"])
        weights = np.where(of_base & known, joined["score"], 0.0)
        centre = weights @ worth.vectors[place] if len(place) else np.zeros(worth.vectors.shape[1])
        length = float(np.linalg.norm(centre)) or 1.0
        coherence = np.clip(worth.vectors[place] @ (centre / length), 0, 1)
        known &= of_base | (coherence >= MIN_COHERENCE)
    quality = np.sqrt(coherence * worth.relevance[place])
    utility = worth.utility[place]
    known &= (worth.results[place] >= MIN_RESULTS) & (quality > 0)
    rows = np.flatnonzero(known)
    heads = canonical[joined["keyword"][rows]]
    _, first = np.unique(heads, return_index=True)
    rows = rows[np.sort(first)]
    best = rows[np.lexsort((joined["keyword"][rows], -np.round(quality[rows] * utility[rows], 9)))][:KEPT]
    columns = {"quality": quality, "utility": utility, "results": worth.results[place], **joined}
    return SeedRows({column: columns[column][best].astype(dtype) for column, dtype in COLUMNS.items()})
