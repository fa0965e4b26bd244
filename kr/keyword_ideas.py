"""Keyword search on one opened snapshot: from a request to the reply with its rows, notices and corrections."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import orjson

from indexes.text import tokens
from kr.audit.stage import shows_adult
from kr.explain import explanation
from kr.facets import count_facets
from kr.grouping import group_names, shared_terms
from kr.industries import as_data
from kr.industry_seeds import industries_of, with_industries
from kr.json_rows import texts
from kr.opened import Opened
from kr.pipeline import PipelineResult
from kr.reasons import Notice, Removal
from kr.relaxations import Relaxation, relaxations
from kr.reply import Correction, NoticeText, Reply, notice
from kr.types import Candidates, Request

EXPORT_BATCH_ROWS = 500
EXPANSION_EXAMPLES = 3
EXPANSION_CANDIDATES = 100
"""The most searched keywords that hold a seed's words, among which safe examples are looked for."""


FILTER_REMOVALS = (
    *range(Removal.FILTER_SEARCHES, Removal.DISMISSED + 1),
    *(Removal.FILTER_INTENT, Removal.FILTER_MATCH_TYPE, Removal.FILTER_GROUP),
)


class KeywordIdeas:
    """Answers keyword search from one snapshot; a reply has `max_rows` rows at most, on all pages together."""

    def __init__(self, opened: Opened, max_rows: int) -> None:
        self._opened = opened
        self._max_rows = max_rows

    def reply(self, request: Request, facets: bool) -> Reply:
        """Answer one request; seeds must be normalised (`kr.seeds.parse_seeds`).

        With facets the whole result is counted, and each row has its `group` and its `intent`.
        """
        opened = self._opened
        if not facets:
            reply, candidates = self._answer(request)
            return self._with_rows(request, reply, candidates)
        everything = replace(request, offset=0, limit=self._max_rows, explain=False)
        reply, candidates = self._answer(everything)
        answered = answered_request(everything, reply)
        ids = candidates.keyword_id
        page = slice(request.offset, request.offset + request.limit)
        shown = candidates.take(np.arange(len(ids))[page])
        counted = replace(reply, facets=count_facets(opened.indexes, opened.intents, answered, ids))
        if request.explain:
            counted = replace(counted, explain=self._answer(request)[0].explain)
        if not len(shown):
            return counted
        groups = group_names(opened.indexes, shared_terms(opened.indexes, answered, ids))[page]
        more = {
            "group": list(map(orjson.dumps, groups)),
            "intent": texts(intent.value for intent in opened.intents.named(shown.keyword_id)),
        }
        return replace(counted, rows=opened.rows.rows(answered, shown, more))

    def _with_rows(self, request: Request, reply: Reply, candidates: Candidates) -> Reply:
        if not len(candidates):
            return reply
        return replace(reply, rows=self._opened.rows.rows(answered_request(request, reply), candidates))

    def batches(self, request: Request, batch_rows: int) -> tuple[Reply, Iterator[Sequence[dict[str, Any]]]]:
        """The reply without its rows, and the rows in batches, all from one snapshot: thousands are never held at once.

        The path has run when this returns, so that what fails fails before the first row.
        """
        opened = self._opened
        reply, candidates = self._answer(request)
        answered = answered_request(request, reply)
        places = range(0, len(candidates), batch_rows)
        batches = (candidates.take(np.arange(at, min(at + batch_rows, len(candidates)))) for at in places)
        return reply, (opened.rows.rows(answered, batch) for batch in batches)

    def _answer(self, request: Request) -> tuple[Reply, Candidates]:
        """The reply but for its rows, and the candidates that they are written from."""
        opened = self._opened
        request = with_industries(request, opened.indexes, opened.audit)
        industries = tuple(map(as_data, industries_of(opened.indexes, request.industry_seed)))
        empty = Reply(opened.indexes.snapshot_id, request.seeds, industries=industries)
        if not request.seeds and request.industry_seed:
            return replace(empty, notices=(notice(Notice.INDUSTRY_WITHOUT_KEYWORDS),)), Candidates.empty()
        if not request.seeds and request.page_topics:
            return replace(empty, notices=(notice(Notice.PAGE_WITHOUT_KEYWORDS),)), Candidates.empty()
        if not request.seeds:
            return replace(empty, notices=(notice(Notice.QUERY_EMPTY),)), Candidates.empty()
        seeds, notices = usable_seeds(opened, request)
        if not seeds:
            return replace(empty, notices=tuple(notices)), Candidates.empty()
        request = replace(request, seeds=seeds)
        corrections = self._corrections(request)
        result = opened.pipeline.run(request)
        if not _admitted(result) and corrections:
            corrected = {item.seed: item.correction for item in corrections}
            request = replace(request, seeds=tuple(dict.fromkeys(corrected.get(seed, seed) for seed in seeds)))
            notices += [
                notice(Notice.SPELLING_CORRECTED, query=item.seed, correction=item.correction) for item in corrections
            ]
            result = opened.pipeline.run(request)
        else:
            notices += self._seed_notices(request, result)
        total = result.trace.stages[-1].rows_in
        relaxed: tuple[Relaxation, ...] = ()
        if not total and (filtered := _filtered(result)):
            notices.append(notice(Notice.ALL_FILTERED, count=filtered))
            relaxed = relaxations(request, lambda asked: self._total(asked))
        reply = Reply(
            snapshot=opened.indexes.snapshot_id,
            seeds=request.seeds,
            total=min(total, self._max_rows),
            corrections=corrections,
            notices=tuple(notices),
            explain=explanation(opened.indexes, result) if request.explain else None,
            relaxations=relaxed,
            industries=industries,
        )
        return reply, result.candidates

    def _total(self, request: Request) -> int:
        return min(self._opened.pipeline.run(request).trace.stages[-1].rows_in, self._max_rows)

    def _corrections(self, request: Request) -> tuple[Correction, ...]:
        found = ((seed, self._opened.corrections.find(seed)) for seed in _typed(request))
        return tuple(Correction(seed, text) for seed, text in found if text)

    def _seed_notices(self, request: Request, result: PipelineResult) -> list[NoticeText]:
        """What there is to say of seeds that nobody searched."""
        opened = self._opened
        notices = []
        for seed in _typed(request):
            if opened.indexes.keywords.find(seed) >= 0:
                continue
            holders = opened.anchors.holding_all_words(seed, EXPANSION_CANDIDATES)
            safe = holders[opened.audit.is_shown(holders)][:EXPANSION_EXAMPLES]
            if len(safe) and _admitted(result):
                names = [f"“{text}”" for text in opened.indexes.keywords.take(safe)]
                filled = notice(Notice.QUERY_NEVER_SEARCHED, query=seed, expansion=", ".join(names))
                chinese = notice(Notice.QUERY_NEVER_SEARCHED, query=seed, expansion="、".join(names)).text_zh
                notices.append(replace(filled, text_zh=chinese))
            elif not _admitted(result):
                notices.append(notice(Notice.QUERY_UNKNOWN, query=seed))
        return notices


def usable_seeds(opened: Opened, request: Request) -> tuple[tuple[str, ...], list[NoticeText]]:
    """The seeds that may be answered, and what there is to say of the others."""
    notices, seeds = [], []
    for seed in request.seeds:
        if categories := opened.audit.unsafe_categories_of(seed, shows_adult(request)):
            notices.append(notice(Notice.QUERY_UNSAFE, query=seed, category=", ".join(categories)))
        elif not tokens(seed) and opened.indexes.keywords.find(seed) < 0:
            notices.append(notice(Notice.QUERY_WITHOUT_WORDS, query=seed))
        else:
            seeds.append(seed)
    return tuple(seeds), notices


def answered_request(request: Request, reply: Reply) -> Request:
    """The request whose rows are written: with the seeds that were searched."""
    typed = set(request.seeds)
    given = tuple(seed for seed in reply.seeds if seed not in typed) if request.industry_seed else ()
    return replace(request, seeds=reply.seeds, industry_keywords=given)


def _typed(request: Request) -> list[str]:
    """The seeds that the caller typed, without those that a page or an industry gave."""
    of_page = {*(topic.text for topic in request.page_topics), *request.industry_keywords}
    return [seed for seed in request.seeds if seed not in of_page]


def _admitted(result: PipelineResult) -> int:
    """Rows that relevance admitted."""
    return next(stage.rows_out for stage in result.trace.stages if stage.name == "relevance_admission")


def _filtered(result: PipelineResult) -> int:
    """Rows that only the caller's filters removed."""
    return sum(stage.removed_by_code.get(code, 0) for stage in result.trace.stages for code in FILTER_REMOVALS)
