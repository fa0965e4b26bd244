"""Options that searching and scoring share on the command line; heavy libraries are imported when they are used."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexes.errors import UsageError

if TYPE_CHECKING:
    from kr.pages.reader import PageRead
    from kr.pages.site import SiteRead
    from kr.service import KeywordService
    from kr.types import Request

Command = Callable[..., Any]
SEED_NAMES = ("url", "fresh", "site", "seeds_file")
COMPETITIONS = ("LOW", "MEDIUM", "HIGH")
MATCH_TYPES = ("EXACT", "PHRASE", "BROAD")
INTENTS = (
    *("navigational", "support", "supply", "local", "informational"),
    *("commercial", "price", "transactional", "general"),
)


def _all_of(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


seed_options = _all_of(
    click.option("--url", help="A page to start from, beside or instead of keywords."),
    click.option("--fresh", is_flag=True, help="Fetch the page of --url even if the platform has crawled it."),
    click.option("--site", help="A site to start from, such as shop.example.com: its crawled pages."),
    click.option(
        "--seeds-file",
        type=click.Path(path_type=Path),
        help="A keyword file (CSV, XLSX, Google Ads …) to start from: its most searched keywords.",
    ),
)
filter_options = _all_of(
    click.option("--min-searches", type=click.IntRange(0), help="Only keywords with as many searches a month."),
    click.option("--max-searches", type=click.IntRange(0), help="Only keywords with at most as many."),
    click.option("--min-bid-micros", type=click.IntRange(0), help="Least top-of-page bid, in micros."),
    click.option("--max-bid-micros", type=click.IntRange(0), help="Most top-of-page bid, in micros."),
    click.option("--competition", type=click.Choice(COMPETITIONS), multiple=True, help="Only these; repeatable."),
    click.option("--contain", "must_contain", multiple=True, help="A word that must be in the keyword; repeatable."),
    click.option("--not-contain", "must_not_contain", multiple=True, help="One that must not be; repeatable."),
    click.option("--intent", "intents", type=click.Choice(INTENTS), multiple=True, help="Only these; repeatable."),
    click.option("--match-type", "match_types", type=click.Choice(MATCH_TYPES), multiple=True, help="Suggested ones."),
    click.option("--group", "groups", multiple=True, help="Only this group of the result (see --facets); repeatable."),
    click.option("--adult", is_flag=True, help="Show lawful goods for adults too."),
)


def parameters(quality_weight: float | None, adult: bool) -> dict[str, float]:
    """The parameters of a request."""
    from kr.audit.stage import ADULT_PARAMETER

    found: dict[str, float] = {} if quality_weight is None else {"t": quality_weight}
    return found | ({ADULT_PARAMETER: 1} if adult else {})


def with_seeds(
    service: "KeywordService",
    request: "Request",
    *,
    url: str | None,
    fresh: bool,
    site: str | None,
    seeds_file: Path | None,
) -> "tuple[Request, tuple[PageRead | SiteRead, ...]]":
    """The request with the seeds of a file, and the page and site that were read.

    Of a file as many keywords become seeds as there is room for, the most searched first. UsageError names what cannot
    be read.
    """
    from kr.pages.problems import PageError
    from kr.planning.keyword_column import read_keyword_column
    from kr.planning.source_file import SourceFile

    settings = service.settings
    if seeds_file is not None:
        source = SourceFile.at(seeds_file, settings.plan_max_bytes)
        column = read_keyword_column(
            source,
            most_keywords=settings.plan_max_rows,
            max_rows=settings.plan_max_rows,
            max_chars=settings.max_query_chars,
        )
        if not column.keywords:
            raise UsageError(f"No row of {source.name} names a keyword.", "Name a file with a keyword a line.")
        demand = [row["searches"] if row else 0 for row in service.attributes(column.keywords)]
        ranked = sorted(range(len(demand)), key=lambda place: (-demand[place], place))
        room = max(0, settings.max_seeds - len(request.seeds))
        listed = (column.keywords[place] for place in ranked[:room])
        request = replace(request, seeds=tuple(dict.fromkeys((*request.seeds, *listed))))
    read: list[PageRead | SiteRead] = []
    try:
        if url:
            read.append(service.read_page(url, fresh))
        if site:
            read.append(service.read_site(site))
    except PageError as error:
        raise UsageError(error.message, error.remedy) from error
    return request, tuple(read)
