"""`plan export`; heavy libraries are imported inside it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexes.errors import UsageError
from indexes.terminal import print_json, say
from kr.planning.command_files import OUT_FILE, format_of, with_progress

if TYPE_CHECKING:
    from kr.service import KeywordService
    from kr.types import Request

FORMATS = ("csv", "xlsx", "google_ads_editor", "microsoft_bulk", "google_keyword_planner", "jsonl")
_LANGUAGES = ("zh", "en", "other")


@click.command("export")
@click.argument("query", nargs=-1)
@click.option(
    "--from", "from_file", type=click.Path(path_type=Path), help="Write the rows of this file; no QUERY then."
)
@click.option("--out", type=OUT_FILE, required=True, help="The file to write.")
@click.option("--format", "format_name", type=click.Choice(FORMATS), help="Default: by the ending of --out.")
@click.option("--store", type=click.Path(path_type=Path), help="Snapshot store; default KR_STORE or var/store.")
@click.option("--limit", type=click.IntRange(1), help="Most rows; default and most is KR_MAX_ROWS or 10,000.")
@click.option("--sort", default="rank", show_default=True, help="As in `search`.")
@click.option("--language", "languages", type=click.Choice(_LANGUAGES), multiple=True, help="Only these languages.")
@click.option("--device", "devices", multiple=True, help="Only keywords searched on this device; may be repeated.")
@click.option("--region", "regions", multiple=True, help="Only keywords searched from this region; may be repeated.")
@click.option("--min-searches", type=click.IntRange(0), help="Only keywords with as many searches a month.")
@click.option("--t", "quality_weight", type=click.FloatRange(0, 1), help="1 ranks by relevance only, 0 by demand only.")
@click.option("--texts", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Headings and reasons.")
@click.option("--campaign", default="", help="Campaign of all keywords.")
@click.option("--ad-group", default="", help="Ad group of all keywords.")
@click.option(
    "--match-type",
    type=click.Choice(["broad", "phrase", "exact"]),
    help="Of all keywords; default what is suggested for each.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def export_file(
    query: tuple[str, ...],
    from_file: Path | None,
    out: Path,
    format_name: str | None,
    store: Path | None,
    limit: int | None,
    sort: str,
    languages: tuple[str, ...],
    devices: tuple[str, ...],
    regions: tuple[str, ...],
    min_searches: int | None,
    quality_weight: float | None,
    texts: str,
    campaign: str,
    ad_group: str,
    match_type: str | None,
    as_json: bool,
) -> None:
    """Write the keywords for a search, each QUERY one seed, or the rows of a file, in another format."""
    format_name = format_name or format_of(out)
    if bool(query) == bool(from_file):
        raise UsageError("Nothing to export was named, or two things.", "Give a QUERY or --from FILE.")
    if from_file:
        _convert(from_file, out, format_name, texts, as_json)
        return
    from kr.rank.order import SORTS
    from kr.seeds import parse_seeds
    from kr.service import KeywordService
    from kr.settings import load_settings
    from kr.types import Filters, Request

    if sort.removeprefix("-") not in SORTS or sort == "-rank":
        raise UsageError(f"--sort {sort} is not a column.", f"Use one of {', '.join(SORTS)}.")
    settings = load_settings(store=store)
    if limit is not None and limit > settings.max_rows:
        raise UsageError(f"--limit {limit} is more than {settings.max_rows:,}.", "KR_MAX_ROWS sets the most rows.")
    request = Request(
        seeds=parse_seeds(query, settings),
        filters=Filters(min_searches=min_searches, languages=languages, devices=devices, regions=regions),
        limit=limit or settings.max_rows,
        sort=sort,
        parameters={} if quality_weight is None else {"t": quality_weight},
    )
    export_search(
        KeywordService(settings),
        request,
        out,
        format_name,
        texts=texts,
        campaign=campaign,
        ad_group=ad_group,
        match_type=match_type,
        as_json=as_json,
    )


def export_search(
    service: "KeywordService",
    request: "Request",
    out: Path,
    format_name: str,
    *,
    texts: str = "en",
    campaign: str = "",
    ad_group: str = "",
    match_type: str | None = None,
    as_json: bool = False,
) -> None:
    """Answer a request into a file, and say what was written."""
    from kr.planning.exporting import ExportReport, write_whole
    from kr.planning.plan_row import MatchType
    from kr.planning.search_export import search_export

    found = search_export(
        service,
        request,
        format_name,
        language=texts,
        campaign=campaign,
        ad_group=ad_group,
        match_type=MatchType(match_type.upper()) if match_type else None,
    )
    for note in found.reply.notices:
        say(f"{note.text_en}\n{note.text_zh}")
    report = ExportReport(format_name)
    write_whole(out, found.export.chunks(found.rows, report))
    _print_export(report, out, as_json, found.reply.total, found.reply.snapshot)


def _convert(from_file: Path, out: Path, format_name: str, texts: str, as_json: bool) -> None:
    from kr.planning.exporting import Export, ExportReport, write_whole
    from kr.planning.importing import PlanImport
    from kr.planning.plan_row import PlanRow
    from kr.planning.source_file import SourceFile
    from kr.settings import load_settings

    settings = load_settings()
    source = SourceFile.at(from_file, settings.plan_max_bytes)
    importing = PlanImport(source, max_rows=settings.plan_max_rows)
    report = ExportReport(format_name)
    rows = (item for item in with_progress(importing) if isinstance(item, PlanRow))
    write_whole(out, Export(format_name, importing.months(), texts).chunks(rows, report))
    for reason, count in importing.report.reasons.most_common():
        say(f"{count:,} rows of {from_file.name} were not taken: {reason} (`plan import` shows them)")
    _print_export(report, out, as_json)


def _print_export(report: Any, out: Path, as_json: bool, total: int | None = None, snapshot: str | None = None) -> None:
    not_held = dict(sorted(report.not_held.items()))
    if as_json:
        print_json(
            {
                "out": str(out),
                "format": report.format,
                "rows": report.rows,
                "total": total,
                "snapshot": snapshot,
                "not_held": not_held,
            }
        )
        return
    say(f"{report.rows:,} rows in {out} ({report.format})")
    for name, count in not_held.items():
        say(f"  {report.format} has no column for {name}: left out of {count:,} rows")
