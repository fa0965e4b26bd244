"""The commands of the online path; heavy libraries are imported inside them."""

from pathlib import Path
from typing import Any

import click

from indexes.errors import UsageError
from indexes.terminal import print_json, say
from kr import industry_commands, operator_commands, search_options
from kr.pages import commands as pages
from kr.pipelines import commands as pipelines
from kr.planning import commands as planning
from kr.planning.command_files import format_of
from kr.planning.export_commands import export_search
from kr.relevance import commands as relevance
from kr.relevance import feedback_commands as relevance_feedback
from kr.store import commands as store_commands
from kr.store_options import snapshot_option, store_and_snapshot, store_option

LANGUAGES = ("zh", "en", "other")


@click.command()
@click.argument("query", nargs=-1)
@search_options.seed_options
@store_option
@snapshot_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Rows to answer.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Rows to pass over.")
@click.option("--sort", default="rank", show_default=True, help="rank, searches, competition, bid, relevance, trend, "
              "keyword; - in front for descending.")  # fmt: skip
@click.option("--language", "languages", type=click.Choice(LANGUAGES), multiple=True, help="Only these languages.")
@click.option("--device", "devices", multiple=True, help="Only keywords searched on this device; may be repeated.")
@click.option("--region", "regions", multiple=True, help="Only keywords searched from this region; may be repeated.")
@search_options.filter_options
@click.option("--facets", is_flag=True, help="Also count the whole result by word, group and intent.")
@click.option("--t", "quality_weight", type=click.FloatRange(0, 1), help="1 ranks by relevance only, 0 by demand only.")
@click.option("--industry", "industries", multiple=True, help="Also what advertisers of this industry buy; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's envelope.")
@click.option("--explain", is_flag=True, help="Add what each source found and why each other keyword is not shown.")
@click.option(
    "--export",
    "export_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the rows to this file instead: .csv, .xlsx or .jsonl; `plan export` knows more formats.",
)
def search(
    query: tuple[str, ...],
    store: Path | None,
    snapshot: Path | None,
    limit: int,
    offset: int,
    sort: str,
    languages: tuple[str, ...],
    devices: tuple[str, ...],
    regions: tuple[str, ...],
    quality_weight: float | None,
    industries: tuple[str, ...],
    as_json: bool,
    explain: bool,
    facets: bool,
    export_file: Path | None,
    **options: Any,
) -> None:
    """Recommend keywords for seeds: each QUERY is one; --url, --site, --seeds-file and --industry add others."""
    from kr.envelope import envelope
    from kr.rank.order import SORTS
    from kr.seeds import parse_seeds
    from kr.service import KeywordService
    from kr.settings import load_settings
    from kr.types import Filters, Request

    options = dict(options)
    seed_options = {name: options.pop(name) for name in search_options.SEED_NAMES}
    adult = options.pop("adult")
    if sort.removeprefix("-") not in SORTS or sort == "-rank":
        raise UsageError(f"--sort {sort} is not a column.", f"Use one of {', '.join(SORTS)}.")
    if not query and not industries and not any(seed_options.values()):
        raise UsageError("There is nothing to search for.", "Give a QUERY, --url, --site, --seeds-file or --industry.")
    store, snapshot_id = store_and_snapshot(store, snapshot)
    settings = load_settings(store=store)
    seeds = parse_seeds(query, settings)
    service = KeywordService(settings, snapshot_id=snapshot_id)
    request = Request(
        seeds=seeds,
        filters=Filters(languages=languages, devices=devices, regions=regions, **options),
        limit=limit,
        offset=offset,
        sort=sort,
        parameters=search_options.parameters(quality_weight, adult),
        explain=explain,
        industry_seed=tuple(dict.fromkeys(industries)),
    )
    request, read = search_options.with_seeds(service, request, **seed_options)
    request = service.with_page(request, *read) if read else request
    if export_file:
        export_search(service, request, export_file, format_of(export_file), as_json=as_json)
        return
    reply = service.by_url(request, *read, facets=facets) if read else service.keyword_ideas(request, facets)
    if as_json:
        print_json(envelope(reply, request))
        return
    for note in reply.notices:
        say(f"{note.text_en}\n{note.text_zh}")
    for each in reply.relaxations:
        say(f"  without {each.filter}: {each.total:,} keywords")
    if reply.facets:
        for name, counts in (("words", reply.facets.words), ("intents", reply.facets.intents)):
            say(f"{name}: {', '.join(f'{each.value} {each.count:,}' for each in counts)}")
    for row in reply.rows:
        click.echo(line_of(row))
        if explain:
            for reason in row["reasons"]:
                click.echo(f"    {reason['text_en']}")
    say(f"{len(reply.rows)} of {reply.total} keywords, snapshot {reply.snapshot}")
    if explain and reply.explain:
        for stage in reply.explain["stages"]:
            removed = ", ".join(f"{name} {count}" for name, count in stage["removed_by"].items()) or "nothing"
            say(f"  {stage['name']}: {stage['rows_in']} → {stage['rows_out']}, removed: {removed}")


def line_of(row: dict[str, Any]) -> str:
    """A keyword as a person reads it on a terminal."""
    monthly = row["avg_monthly_searches"]
    demand = f"{row['searches']:,} in the log" if monthly is None else f"{monthly:,.0f} a month"
    stand = f"{row['direction']}, {row['suggested_match_type'].lower()}"
    return f"{row['relevance']:.2f}  {row['text']}  ({demand}, {row['competition'] or 'competition unknown'}, {stand})"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--seed", "query", multiple=True, help="A search that the keywords are scored against; repeatable.")
@search_options.seed_options
@store_option
@snapshot_option
@click.option("--json", "as_json", is_flag=True, help="Print the API's envelope.")
def score(
    file: Path,
    query: tuple[str, ...],
    store: Path | None,
    snapshot: Path | None,
    as_json: bool,
    **seed_options: Any,
) -> None:
    """Score the keywords of FILE (CSV, XLSX, Google Ads …) in their order; none is added and none left out."""
    from kr.envelope import scores_envelope
    from kr.keyword_scores import STATUS_TEXTS
    from kr.planning.keyword_column import given_keywords
    from kr.seeds import parse_seeds
    from kr.service import KeywordService
    from kr.settings import load_settings
    from kr.types import Request

    store, snapshot_id = store_and_snapshot(store, snapshot)
    settings = load_settings(store=store)
    given, report = given_keywords(file, settings)
    service = KeywordService(settings, snapshot_id=snapshot_id)
    request, read = search_options.with_seeds(service, Request(parse_seeds(query, settings)), **seed_options)
    request = service.with_page(request, *read) if read else request
    notices = tuple(note for each in read for note in each.notices())
    scores = service.scores(request, given)
    if as_json:
        document = scores_envelope(scores, request, service.indexes.snapshot_id, notices=notices)
        print_json({**document, "file": report.as_dict()})
        return
    for note in notices:
        say(f"{note.text_en}\n{note.text_zh}")
    for each in scores:
        row = each.row
        if row is None:
            click.echo(f"  –   {each.given}  ({STATUS_TEXTS[each.status][0]})")
        elif "relevance" in row:
            click.echo(line_of(dict(row)))
        else:
            click.echo(f"  –   {each.text}  ({row['searches']:,} in the log)")
    say(f"{report.read:,} rows read, {report.kept:,} kept, {report.rejected:,} rejected")


@click.command()
@click.argument("query", default="")
@store_option
@snapshot_option
@click.option("--limit", type=click.IntRange(0, 1000), default=10, show_default=True, help="Rows to answer.")
@click.option("--own", type=click.Path(path_type=Path), help="File of the account's keywords, one a line.")
@click.option("--recent", multiple=True, help="A recent query of the account, the latest first; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's envelope.")
def suggest(
    query: str,
    store: Path | None,
    snapshot: Path | None,
    limit: int,
    own: Path | None,
    recent: tuple[str, ...],
    as_json: bool,
) -> None:
    """Suggest keywords that begin with QUERY: characters, pinyin, initials or a mixture, also with one typo.

    Without QUERY it answers the account's words and the most searched keywords.
    """
    from kr.envelope import suggest_envelope
    from kr.service import KeywordService
    from kr.settings import load_settings
    from kr.suggest.suggester import SuggestRequest

    words = tuple(pipelines.read_lines(own, "--own")) if own else ()
    store, snapshot_id = store_and_snapshot(store, snapshot)
    service = KeywordService(load_settings(store=store), snapshot_id=snapshot_id)
    request = SuggestRequest(query, limit, words, recent)
    answering, rows = service.suggest(request)
    if as_json:
        print_json(suggest_envelope(rows, request, answering))
        return
    for row in rows:
        end = row.highlights[0][1] if row.highlights else 0
        demand = "" if row.avg_monthly_searches is None else f"  {row.avg_monthly_searches:,.0f} a month"
        click.echo(f"{click.style(row.text[:end], bold=True)}{row.text[end:]}  ({row.kind}){demand}")
    say(f"{len(rows)} suggestions, snapshot {answering}")


@click.command("pipeline")
@click.option("--size", type=click.Choice(["small", "medium", "large"]), default="medium", show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), help="Folder to work in; default a new one.")
@click.option("--reuse", is_flag=True, help="Keep the store that WORK already holds and measure the path only.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def bench_pipeline(size: str, seed: int, work: Path | None, reuse: bool, as_json: bool) -> None:
    """The whole build on a simulated market, and the path's latency, beside rank-bm25."""
    import tempfile

    from indexes.bench_table import table
    from kr.pipeline_bench import run_pipeline_bench

    with tempfile.TemporaryDirectory(prefix="kr-bench-") as temporary:
        rows = run_pipeline_bench(work or Path(temporary), size, seed, reuse)
    if as_json:
        print_json({"rows": rows})
    else:
        click.echo(table(rows))


COMMANDS: list[click.Command] = [
    search,
    score,
    suggest,
    *industry_commands.COMMANDS,
    *pages.COMMANDS,
    *pipelines.COMMANDS,
    *planning.COMMANDS,
    *relevance_feedback.COMMANDS,
    *store_commands.COMMANDS,
    *operator_commands.COMMANDS,
]
TRAIN_COMMANDS: list[click.Command] = [*relevance.TRAIN_COMMANDS]
EVALUATE_COMMANDS: list[click.Command] = [
    *relevance.EVALUATE_COMMANDS,
    *pages.EVALUATE_COMMANDS,
    *planning.EVALUATE_COMMANDS,
]
BENCH_COMMANDS: list[click.Command] = [bench_pipeline, *relevance.BENCH_COMMANDS, *operator_commands.BENCH_COMMANDS]
