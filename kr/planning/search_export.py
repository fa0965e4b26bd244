"""A search's keyword ideas as an export: the path runs once, rows are made as they are written."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from kr.planning.exporting import Export
from kr.planning.idea_rows import idea_rows
from kr.planning.plan_row import MatchType, PlanRow
from kr.reply import Reply
from kr.service import KeywordService
from kr.types import Request

UPLOADED = ("google_ads_editor", "microsoft_bulk")
"""Formats of products that keywords are uploaded to."""


@dataclass(frozen=True)
class SearchExport:
    """What was found, without its rows; how it is written, and the rows, which can be read once."""

    reply: Reply
    export: Export
    rows: Iterator[PlanRow]

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the file."""
        return self.export.chunks(self.rows)


def search_export(
    service: KeywordService,
    request: Request,
    format: str,
    *,
    language: str = "en",
    campaign: str = "",
    ad_group: str = "",
    match_type: MatchType | None = None,
) -> SearchExport:
    """Answer a request as an export. UsageError for a format that is not written.

    The source of the figures is the snapshot, so that a file tells what it was made from. Files that are uploaded to a
    product must name campaign and ad group: where none is given, they are named after the first seed. The match type is
    the one suggested for each keyword unless one is given for all.
    """
    Export(format)
    reply, batches = service.keyword_idea_batches(request)
    if format in UPLOADED and reply.seeds:
        campaign, ad_group = campaign or f"KR {reply.seeds[0]}", ad_group or reply.seeds[0]
    rows = idea_rows(
        itertools.chain.from_iterable(batches),
        currency=service.settings.currency,
        source=f"KR {reply.snapshot}",
        language=language,
        campaign=campaign,
        ad_group=ad_group,
        match_type=match_type,
    )
    first = next(rows, None)
    months = tuple(first.months) if first else ()
    all_rows = itertools.chain([first] if first else [], rows)
    return SearchExport(reply, Export(format, months, language, only_ideas=True), all_rows)
