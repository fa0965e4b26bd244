"""The commands of planning; heavy libraries are imported inside them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexes.errors import UsageError
from indexes.terminal import print_json, progress, say
from kr.planning.forecast_commands import budget, forecast

if TYPE_CHECKING:
    from kr.planning.accounting import ImportReport, Rejection
    from kr.planning.importing import PlanImport
    from kr.planning.plan import Plan
    from kr.planning.plan_row import PlanRow
    from kr.service import KeywordService
    from kr.types import Request

FORMATS = ("csv", "xlsx", "google_ads_editor", "microsoft_bulk", "google_keyword_planner", "jsonl")
WAYS = ("stem", "meaning", "both", "intent")
SHOWN_REJECTIONS = 20
_OUT = click.Path(path_type=Path, dir_okay=False)
_LANGUAGES = ("zh", "en", "other")


@click.group()
def plan() -> None:
    """Keywords of a plan: read them from files, write them to files."""


@plan.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=_OUT, help="Write the rows that were taken: .jsonl, .csv or .xlsx; all or nothing.")
@click.option(
    "--rejects", type=_OUT, help="Write the other rows as JSON lines; default beside --out, if there are any."
)
@click.option("--encoding", help="Read text in this encoding instead of finding it out: gb18030, big5, …")
@click.option("--drop-duplicates", is_flag=True, help="Reject rows that say the same as an earlier one; else marked.")
@click.option("--max-rows", type=click.IntRange(1), help="Most rows; default KR_PLAN_MAX_ROWS or 1,000,000.")
@click.option("--json", "as_json", is_flag=True, help="Print the accounting as JSON.")
def import_file(
    file: Path,
    out: Path | None,
    rejects: Path | None,
    encoding: str | None,
    drop_duplicates: bool,
    max_rows: int | None,
    as_json: bool,
) -> None:
    """Read FILE, whatever its format, and account for every row.

    Google Ads Editor, Microsoft bulk, Keyword Planner, keyword reports, SEMrush, plain CSV, XLSX and XLS are told apart
    by their content. Rows that cannot be taken are written with line, field and reason.
    """
    from kr.planning.accounting import Rejection
    from kr.planning.exporting import Export, write_whole
    from kr.planning.importing import PlanImport
    from kr.planning.source_file import SourceFile
    from kr.settings import load_settings

    settings = load_settings(plan_max_rows=max_rows)
    source = SourceFile.at(file, settings.plan_max_bytes)
    if out:
        output_format = format_of(out)
    importing = PlanImport(source, max_rows=settings.plan_max_rows, encoding=encoding, drop_duplicates=drop_duplicates)
    first: list[Rejection] = []
    rejects = rejects or (out.with_name(out.name + ".rejects.jsonl") if out else None)
    with _RejectsFile(rejects) as rejects_file:

        def rows() -> "Iterator[PlanRow]":
            for item in _with_progress(importing):
                if isinstance(item, Rejection):
                    rejects_file.write(item)
                    if len(first) < SHOWN_REJECTIONS:
                        first.append(item)
                else:
                    yield item

        if out:
            export = Export(output_format, importing.months())
            write_whole(out, export.chunks(rows()))
        else:
            for _ in rows():
                pass
    _print_accounting(importing.report, first, out, rejects_file.path, as_json)


def _with_progress(importing: "PlanImport") -> "Iterator[PlanRow | Rejection]":
    with progress("rows") as advance:
        for item in importing:
            advance(1)
            yield item


class _RejectsFile:
    """JSON lines of the rows that were not taken; the file exists only if there are some, and the import succeeds."""

    def __init__(self, path: Path | None) -> None:
        self._wanted = path
        self._lines: Any = None
        self.path: Path | None = None

    def __enter__(self) -> "_RejectsFile":
        import tempfile

        self._lines = tempfile.TemporaryFile("w+", encoding="utf-8")
        return self

    def write(self, rejection: "Rejection") -> None:
        """Add a row."""
        import json

        if self._wanted:
            self._lines.write(json.dumps(rejection.as_dict(), ensure_ascii=False) + "\n")

    def __exit__(self, kind: object, *_: object) -> None:
        from kr.planning.exporting import write_whole

        if self._wanted and kind is None:
            self._lines.flush()
            if self._lines.tell():
                self._lines.seek(0)
                write_whole(self._wanted, (line.encode() for line in self._lines))
                self.path = self._wanted
            else:
                # What an earlier import left there would be taken for this one's.
                self._wanted.unlink(missing_ok=True)
        self._lines.close()


def _print_accounting(
    report: "ImportReport", first: "list[Rejection]", out: Path | None, rejects: Path | None, as_json: bool
) -> None:
    from kr.planning.accounting import REASON_TEXTS, WARNING_TEXTS

    if as_json:
        files = {"out": str(out) if out else None, "rejects": str(rejects) if rejects else None}
        print_json({**report.as_dict(), **files, "rejections": [rejection.as_dict() for rejection in first]})
        return
    click.echo(f"{report.format}: {report.read:,} rows read, {report.kept:,} kept, {report.rejected:,} rejected")
    for counted, texts in ((report.reasons, REASON_TEXTS), (report.warnings, WARNING_TEXTS)):
        for name, count in counted.most_common():
            click.echo(f"  {count:>9,}  {name}: {texts[name][0]} / {texts[name][1]}")
    for rejection in first:
        shown = rejection.as_dict()
        place = f"{shown['sheet']} " if "sheet" in shown else ""
        say(f"  {place}line {shown['line']}, {shown['field'] or 'row'}: {shown['text_en']}: {shown['value'][:60]}")
    if rejects:
        say(f"all rejected rows: {rejects}")


@plan.command("export")
@click.argument("query", nargs=-1)
@click.option(
    "--from", "from_file", type=click.Path(path_type=Path), help="Write the rows of this file; no QUERY then."
)
@click.option("--out", type=_OUT, required=True, help="The file to write.")
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


def format_of(path: Path) -> str:
    """The format that a file's name asks for. UsageError if it asks for none."""
    found = path.suffix.lower().removeprefix(".")
    if found not in ("csv", "xlsx", "jsonl"):
        raise UsageError(f"{path.name} does not end in .csv, .xlsx or .jsonl.", "Name it so, or say --format.")
    return found


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
    rows = (item for item in _with_progress(importing) if isinstance(item, PlanRow))
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


@plan.command("group")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--by", type=click.Choice(WAYS), help="Group this way; without it every way is measured and none shown.")
@click.option("--least", type=click.IntRange(1), default=2, show_default=True, help="Keywords of the smallest group.")
@click.option("--store", type=click.Path(path_type=Path), help="Snapshot store; default KR_STORE or var/store.")
@click.option("--out", type=_OUT, help="Write the file's rows in their new ad groups: .jsonl, .csv or .xlsx.")
@click.option("--texts", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Names of intents.")
@click.option("--json", "as_json", is_flag=True, help="Print groups and measures as JSON.")
def group_file(
    file: Path, by: str | None, least: int, store: Path | None, out: Path | None, texts: str, as_json: bool
) -> None:
    """Group the keywords of FILE into ad groups; none mixes intents or languages.

    stem: by words in common; meaning: by meaning and by what people searched and clicked; both: by the mean of the two;
    intent: by intent alone.
    """
    from dataclasses import asdict

    from kr.planning.exporting import Export, write_whole
    from kr.planning.plan_rows import months_of, plan_rows
    from kr.service import KeywordService
    from kr.settings import load_settings

    if out and by is None:
        raise UsageError("--out needs one way to group.", f"Say --by {', '.join(WAYS)}.")
    read = _plan_of(file)
    planner = KeywordService(load_settings(store=store)).planner
    ways = [by] if by else list(WAYS)
    found = [planner.plan_grouping(read, way, texts == "zh", least) for way in ways]  # type: ignore[arg-type]
    if out:
        from kr.planning.operations import perform

        grouped = read.edited(perform(read, found[0].operations))
        write_whole(out, Export(format_of(out), months_of(grouped), texts).chunks(plan_rows(grouped)))
    rows: list[dict[str, Any]] = [
        {
            "by": grouping.by,
            "measure": asdict(grouping.measure),
            "groups": [
                {
                    "name": group.title(texts == "zh"),
                    "intent": group.intent.value,
                    "language": group.language,
                    "rest": group.is_rest,
                    "keywords": list(group.keywords),
                }
                for group in grouping.groups
            ],
        }
        for grouping in found
    ]
    if as_json:
        print_json({"snapshot": planner.indexes.snapshot_id, "groupings": rows, "out": str(out) if out else None})
        return
    for row in rows:
        click.echo(f"{row['by']}: " + ", ".join(f"{name} {value}" for name, value in row["measure"].items()))
        if by:
            for group in row["groups"]:
                shown = ", ".join(group["keywords"][:8]) + (" …" if len(group["keywords"]) > 8 else "")
                click.echo(f"  {group['name']} ({len(group['keywords'])}): {shown}")


@plan.command("diagnose")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--store", type=click.Path(path_type=Path), help="Snapshot store; default KR_STORE or var/store.")
@click.option("--fix", is_flag=True, help="Do every fix, one after the other, and write the mended rows to --out.")
@click.option("--out", type=_OUT, help="Where --fix writes: .jsonl, .csv or .xlsx.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings with their evidence and fixes as JSON.")
def diagnose_file(file: Path, store: Path | None, fix: bool, out: Path | None, as_json: bool) -> None:
    """Find what is wrong with the account in FILE: each finding with its evidence and its fix. FILE stays as it is."""
    from collections import Counter

    from kr.planning.exporting import Export, write_whole
    from kr.planning.plan_rows import months_of, plan_rows
    from kr.service import KeywordService
    from kr.settings import load_settings

    if fix != (out is not None):
        raise UsageError("--fix and --out go together.", "Say --fix --out mended.csv.")
    read = _plan_of(file)
    service = KeywordService(load_settings(store=store))
    planner = service.planner
    findings = service.diagnose(read)
    shown = [finding.as_dict(read) for finding in findings]
    mended = 0
    if out:
        format_name = format_of(out)
        read, mended = planner.mended(read)
        write_whole(out, Export(format_name, months_of(read)).chunks(plan_rows(read)))
    counts = dict(Counter(finding.code.value for finding in findings))
    if as_json:
        print_json(
            {
                "snapshot": planner.indexes.snapshot_id,
                "keywords": len(read.positive()),
                "negatives": len(read.negative()),
                "counts": counts,
                "findings": shown,
                "fixed": mended,
                "out": str(out) if out else None,
            }
        )
        return
    for row in shown:
        place = " › ".join(item["name"] or "–" for item in (row["campaign"], row["ad_group"]) if item)
        click.echo(f"{row['severity']:6}  {row['code']}  {place or 'plan'}: {row['text_en']} / {row['text_zh']}")
    say(f"{len(shown)} findings: " + (", ".join(f"{name} {count}" for name, count in counts.items()) or "none"))


def _plan_of(file: Path) -> "Plan":
    """The plan that a keyword file describes; rows that cannot be taken are counted on stderr."""
    from kr.planning.importing import PlanImport
    from kr.planning.operations import MOST_KEYWORDS
    from kr.planning.plan import Plan, PlanEditor
    from kr.planning.plan_row import PlanRow
    from kr.planning.plan_rows import add_rows
    from kr.planning.source_file import SourceFile
    from kr.settings import load_settings

    settings = load_settings()
    importing = PlanImport(SourceFile.at(file, settings.plan_max_bytes), max_rows=MOST_KEYWORDS)
    editor = PlanEditor(Plan())
    add_rows(editor, (item for item in _with_progress(importing) if isinstance(item, PlanRow)))
    for reason, count in importing.report.reasons.most_common():
        say(f"{count:,} rows of {file.name} were not taken: {reason} (`plan import` shows them)")
    return editor.plan()


@click.command("grouping")
@click.option("--truth", type=click.Path(path_type=Path), required=True, help="The truth folder of a simulation.")
@click.option("--store", type=click.Path(path_type=Path), help="Snapshot store; default KR_STORE or var/store.")
@click.option("--keywords", type=click.IntRange(10, 20_000), default=3_000, show_default=True, help="Keywords drawn.")
@click.option("--industry", help="Only keywords of this industry, as one advertiser has them.")
@click.option("--seed", type=int, default=20240630, show_default=True, help="Of the draw.")
@click.option("--json", "as_json", is_flag=True, help="Print rows as JSON.")
def evaluate_grouping_command(
    truth: Path, store: Path | None, keywords: int, industry: str | None, seed: int, as_json: bool
) -> None:
    """How well ad groups find the planted products and intents, beside k-means told their number."""
    from kr.planning.grouping_evaluation import evaluate_grouping
    from kr.settings import load_settings

    rows = evaluate_grouping(load_settings(store=store).store, truth, keywords, industry, seed)
    if as_json:
        print_json({"rows": rows})
        return
    click.echo("\t".join(rows[0]))
    for row in rows:
        click.echo("\t".join(str(value) for value in row.values()))


plan.add_command(forecast)
plan.add_command(budget)

COMMANDS: list[click.Command] = [plan]
EVALUATE_COMMANDS: list[click.Command] = [evaluate_grouping_command]
