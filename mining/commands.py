"""The offline commands; heavy libraries are imported inside them."""

import datetime
from pathlib import Path

import click

from indexes.errors import UsageError
from indexes.terminal import print_json, say, step

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command()
@click.option("--size", type=click.Choice(["small", "medium", "large"]), default="small", show_default=True)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed gives the same bytes."
)
@click.option("--out", type=FOLDER, required=True, help="Writes OUT/raw, which ingest reads, and OUT/truth.")
@click.option(
    "--format",
    "raw_format",
    type=click.Choice(["parquet", "csv", "jsonl", "sogouq", "ubi"]),
    default="parquet",
    show_default=True,
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def simulate(size: str, seed: int, out: Path, raw_format: str, as_json: bool) -> None:
    """Simulate a search market in Chinese and English, with the truth behind it."""
    from mining.simulator import simulate as simulate_market

    with step(f"simulate a {size} market, seed {seed}"):
        summary = simulate_market(size, seed, out, raw_format)
    if as_json:
        print_json(summary)


@click.command()
@click.argument("adapter", type=click.Choice(["sogouq", "csv", "parquet", "jsonl", "ubi", "taxonomy"]))
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--out", type=FOLDER, required=True, help="Folder of the canonical tables.")
@click.option("--mapping", type=click.Path(path_type=Path, dir_okay=False), help="TOML file that maps your columns.")
@click.option("--table", help="Canonical table of a single file, such as searches.")
@click.option("--encoding", help="Text encoding; default: UTF-8, else GB18030 for sogouq.")
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Day of a log that holds times only (sogouq).")
@click.option(
    "--max-rejected", type=click.FloatRange(0, 1), default=0.05, show_default=True, help="Share that may be rejected."
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def ingest(
    adapter: str,
    path: Path,
    out: Path,
    mapping: Path | None,
    table: str | None,
    encoding: str | None,
    date: datetime.datetime | None,
    max_rejected: float,
    as_json: bool,
) -> None:
    """Read a log into the canonical tables; rows that break the schema go to OUT/rejects with the reason."""
    from mining.ingest import TooManyRejectsError
    from mining.ingest import ingest as ingest_log

    try:
        with step(f"ingest {adapter} {path}"):
            report = ingest_log(
                adapter,
                path,
                out,
                mapping=mapping,
                table=table,
                encoding=encoding,
                date=date.date() if date else None,
                max_rejected=max_rejected,
            )
    except TooManyRejectsError as error:
        if as_json:
            print_json(error.report.as_dict())
        raise
    say(f"  read {report.read:,}, kept {report.kept:,}, rejected {report.rejected:,}")
    for reason, count in report.reasons.items():
        say(f"    {reason}: {count:,}")
    if as_json:
        print_json(report.as_dict())


@click.command()
@click.option("--logs", type=FOLDER, required=True, help="Folder of the canonical tables.")
@click.option("--out", type=FOLDER, required=True, help="Folder of the mined tables.")
@click.option(
    "--engine",
    default="duckdb",
    show_default=True,
    help="Where the mining runs: duckdb, local[N] (Spark in this machine) or spark://HOST:PORT (docs/spark.md).",
)
@click.option("--days", type=FOLDER, help="Keep what is mined of each day in this folder, and mine only changed days.")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="A setting of the miners; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the mining report as JSON.")
def mine(logs: Path, out: Path, engine: str, days: Path | None, assignments: tuple[str, ...], as_json: bool) -> None:
    """Mine the logs: sessions, statistics, pairs from sessions, clicks, pages and purchases, recall tables, bursts."""
    from mining.mine import mine as mine_logs
    from mining.settings import mining_settings

    with step(f"mine {logs}"):
        report = mine_logs(logs, out, mining_settings(assignments), engine, days)
    if days:
        say(f"    days mined: {report['days_mined']:,}, reused: {report['days_reused']:,}")
    for name, count in report["counts"].items():
        say(f"    {name}: {count:,}")
    if as_json:
        print_json(report)


@click.command()
@click.option("--mined", type=FOLDER, required=True, help="Folder of the mined tables.")
@click.option("--store", type=FOLDER, help="Snapshot store; default KR_STORE or var/store.", envvar="KR_STORE")
@click.option("--lexicon", "lexicons", type=click.Path(path_type=Path), multiple=True, help="Your own unsafe terms.")
@click.option("--recommend-model", type=FOLDER, help="Folder of a model made by train recommend.")
@click.option("--json", "as_json", is_flag=True, help="Print the snapshot's facts as JSON.")
def build(
    mined: Path, store: Path | None, lexicons: tuple[Path, ...], recommend_model: Path | None, as_json: bool
) -> None:
    """Build a snapshot of the mined tables and publish it."""
    from mining.build import build as build_snapshot

    with step(f"build a snapshot of {mined}"):
        facts = build_snapshot(mined, store or Path("var/store"), lexicons, recommend_model)
    say(f"  snapshot {facts['snapshot']}: {facts['keywords']:,} keywords, {facts['bytes'] / 1e6:,.1f} MB")
    if as_json:
        print_json(facts)


@click.command("miners")
@click.option("--mined", type=FOLDER, required=True, help="Folder of the mined tables.")
@click.option("--truth", type=FOLDER, required=True, help="Folder of the simulator's planted truth.")
@click.option("--fusion", type=FOLDER, help="Folder of a fusion model, which is judged too.")
@click.option("--markdown", type=FILE, help="Write the scoreboard into this page, in the section of --title.")
@click.option("--title", default="Planted relations", show_default=True, help="Section of the page.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def evaluate_miners(
    mined: Path, truth: Path, fusion: Path | None, markdown: Path | None, title: str, as_json: bool
) -> None:
    """Precision and recall of each miner against the planted truth."""
    from mining.evaluation import evaluate_miners as evaluate
    from mining.evaluation import table

    rows = evaluate(mined, truth, fusion)
    if markdown:
        from mining.scoreboard import miners_section, write_section

        write_section(markdown, title, miners_section(rows, _command_line()))
    if as_json:
        print_json({"rows": rows})
    else:
        click.echo(table(rows))


@click.command("related")
@click.option("--mined", type=FOLDER, required=True, help="Folder of the mined tables.")
@click.option("--truth", type=FOLDER, required=True, help="Folder of the simulator's planted truth.")
@click.option("--store", type=FOLDER, required=True, help="Snapshot store that was built from the tables.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def evaluate_related(mined: Path, truth: Path, store: Path, as_json: bool) -> None:
    """Precision, coverage and diversity of related searches as served, beside each miner alone."""
    import sys

    from mining.evaluation import table
    from mining.related_evaluation import COLUMNS
    from mining.related_evaluation import evaluate_related as evaluate

    rows = evaluate(mined, truth, store, [sys.executable, sys.argv[0]])
    if as_json:
        print_json({"rows": rows})
    else:
        click.echo(table(rows, COLUMNS))


@click.command("forecast")
@click.option("--logs", type=FOLDER, required=True, help="Folder of the canonical tables.")
@click.option("--truth", type=FOLDER, help="Truth of the simulation that made them; default beside the logs.")
@click.option("--origins", type=click.IntRange(1, 12), default=3, show_default=True, help="Rolling origins.")
@click.option("--markdown", type=FILE, help="Write the table into this page, in the section of --title.")
@click.option("--title", default="Forecasts of held-out weeks", show_default=True, help="Section of the page.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def evaluate_forecast(
    logs: Path, truth: Path | None, origins: int, markdown: Path | None, title: str, as_json: bool
) -> None:
    """Coverage and error of forecasts over held-out weeks, beside naive ones; the bids are tried in the simulator."""
    import sys

    from mining.evaluation import table
    from mining.forecast_evaluation import COLUMNS
    from mining.forecast_evaluation import evaluate_forecast as evaluate
    from mining.forecast_pages import write_forecast_section

    rows = evaluate(logs, truth or logs.parent / "truth", origins, [sys.executable, sys.argv[0]])
    if markdown:
        write_forecast_section(markdown, title, _command_line(), rows)
    if as_json:
        print_json({"rows": rows})
    else:
        named = [{**row, "system": f"{row['system']}: {row['rows']}, {row['metric']}"} for row in rows]
        click.echo(table(named, COLUMNS))


@click.command("budget")
@click.option("--logs", type=FOLDER, required=True, help="Folder of the canonical tables.")
@click.option("--truth", type=FOLDER, help="Truth of the simulation that made them; default beside the logs.")
@click.option("--origins", type=click.IntRange(1, 12), default=2, show_default=True, help="Rolling origins.")
@click.option("--markdown", type=FILE, help="Write the table into this page, in the section of --title.")
@click.option("--title", default="Sets under a budget", show_default=True, help="Section of the page.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def evaluate_budget(
    logs: Path, truth: Path | None, origins: int, markdown: Path | None, title: str, as_json: bool
) -> None:
    """What sets chosen under a budget bring in held-out weeks, beside top-N lists that spend as much."""
    import sys

    from mining.budget_evaluation import COLUMNS
    from mining.budget_evaluation import evaluate_budget as evaluate
    from mining.evaluation import table
    from mining.forecast_pages import write_budget_section

    rows = evaluate(logs, truth or logs.parent / "truth", origins, [sys.executable, sys.argv[0]])
    if markdown:
        write_budget_section(markdown, title, _command_line(), rows)
    if as_json:
        print_json({"rows": rows})
    else:
        click.echo(table(rows, COLUMNS))


@click.command("seeds")
@click.option("--mined", type=FOLDER, required=True, help="Folder of the mined tables.")
@click.option("--truth", type=FOLDER, required=True, help="Folder of the simulator's planted truth.")
@click.option("--store", type=FOLDER, required=True, help="Snapshot store that was built from the tables.")
@click.option("--markdown", type=FILE, help="Write the scoreboard into this page, in the section of --title.")
@click.option("--title", default="Seed queries", show_default=True, help="Section of the page.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def evaluate_seeds(mined: Path, truth: Path, store: Path, markdown: Path | None, title: str, as_json: bool) -> None:
    """Seed queries of industries and accounts: whether they belong, and what they lead to."""
    from mining.evaluation import table
    from mining.seed_evaluation import COLUMNS
    from mining.seed_evaluation import evaluate_seeds as evaluate

    rows = evaluate(mined, truth, store)
    if markdown:
        from mining.scoreboard import seeds_section, write_section

        write_section(markdown, title, seeds_section(rows, _command_line()))
    if as_json:
        print_json({"rows": rows})
    else:
        click.echo(table(rows, COLUMNS))


@click.command("sessions")
@click.option("--logs", type=FOLDER, required=True, help="Folder of the canonical tables.")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="A setting of the miners; repeatable.")
@click.option("--share", type=SHARE, default=0.8, show_default=True, help="Of the days, so many are learned from.")
@click.option("--markdown", type=FILE, help="Write the scoreboard into this page, in the section of --title.")
@click.option("--title", help="Section of the page; default: the name of the logs' folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def evaluate_sessions(
    logs: Path, assignments: tuple[str, ...], share: float, markdown: Path | None, title: str | None, as_json: bool
) -> None:
    """Next-query prediction in held-out sessions: every miner, all together, the fusion, and peers."""
    from mining.next_query_evaluation import evaluate_sessions as evaluate
    from mining.scoreboard import sessions_section, text_table, write_section
    from mining.settings import mining_settings

    result = evaluate(logs, mining_settings(assignments), share)
    if markdown:
        write_section(markdown, title or logs.name, sessions_section(result, _command_line()))
    if as_json:
        print_json(result)
    else:
        click.echo(text_table(result))


@click.command("fusion")
@click.option("--logs", type=FOLDER, required=True, help="Folder of the canonical tables.")
@click.option("--out", type=FOLDER, required=True, help="Folder for the model.")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="A setting of the miners; repeatable.")
@click.option("--share", type=SHARE, default=0.8, show_default=True, help="Of the days, so many are mined.")
@click.option("--json", "as_json", is_flag=True, help="Print what was learned from as JSON.")
def train_fusion(logs: Path, out: Path, assignments: tuple[str, ...], share: float, as_json: bool) -> None:
    """Learn how strong pairs are from all that the miners say of them: mine the first days, judge by the others."""
    from mining.fusion_model import MODEL
    from mining.fusion_training import train_fusion as train
    from mining.output_folder import output_folder
    from mining.settings import mining_settings

    with output_folder(out, MODEL) as folder:
        model = train(logs, mining_settings(assignments), share)
        model.write(folder)
    card = model.card
    say(f"  {card['pairs']:,} pairs of {card['keywords']:,} keywords, {card['confirmed']['any']:,} came true")
    say(f"  The model is in {out}; use it with manage.py mine --set fusion_model={out}.")
    if as_json:
        print_json(card)


@click.command("recommend")
@click.option("--logs", type=FOLDER, required=True, help="Folder of the canonical tables.")
@click.option("--out", type=FOLDER, required=True, help="Folder for the model.")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="A setting of the miners; repeatable.")
@click.option("--share", type=SHARE, default=0.7, show_default=True, help="Of the days, so many are mined.")
@click.option("--json", "as_json", is_flag=True, help="Print what was learned from as JSON.")
def train_recommend(logs: Path, out: Path, assignments: tuple[str, ...], share: float, as_json: bool) -> None:
    """Learn to blend recommendations: mine the first days, and put first what accounts bought on the others."""
    from mining.output_folder import output_folder
    from mining.recommend_model import MODEL, write_blend
    from mining.recommend_training import train_recommend as train
    from mining.settings import mining_settings

    with output_folder(out, MODEL) as folder:
        model = train(logs, mining_settings(assignments), share)
        write_blend(folder, model)
    card = model["card"]
    say(f"  {card['candidates']:,} candidates of {sum(card['lists'].values()):,} lists, {card['bought']:,} bought")
    say(f"  The model is in {out}; use it with manage.py build --recommend-model {out}.")
    if as_json:
        print_json(card)


@click.command("recommend")
@click.option("--logs", type=FOLDER, required=True, help="Folder of the canonical tables.")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="A setting of the miners; repeatable.")
@click.option("--share", type=SHARE, default=0.8, show_default=True, help="Of the days, so many are learned from.")
@click.option("--markdown", type=FILE, help="Write what was measured into this page, in the section of --title.")
@click.option("--title", help="Section of the page; default: the name of the logs' folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def evaluate_recommend(
    logs: Path, assignments: tuple[str, ...], share: float, markdown: Path | None, title: str | None, as_json: bool
) -> None:
    """What accounts buy later, recommended before: each origin, both blends, and peers."""
    from mining.recommend_evaluation import evaluate_recommend as evaluate
    from mining.recommend_page import recommend_section, recommend_table
    from mining.scoreboard import write_section
    from mining.settings import mining_settings

    result = evaluate(logs, mining_settings(assignments), share)
    if markdown:
        write_section(markdown, title or logs.name, recommend_section(result, _command_line()))
    if as_json:
        print_json(result)
    else:
        click.echo(recommend_table(result))


@click.command("build")
@click.option("--keywords", type=click.IntRange(1000, 2**31 - 1), default=1_000_000, show_default=True)
@click.option("--work", type=FOLDER, help="Keep tables and parts in this folder; tables found there are used again.")
@click.option("--processes", type=click.IntRange(1), help="Processes that read the keywords' texts.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def bench_build(keywords: int, work: Path | None, processes: int | None, as_json: bool) -> None:
    """Build all parts of a snapshot from tables made for it: seconds, bytes and peak of memory of each part."""
    import tempfile

    from indexes.bench_table import table
    from mining.build_bench import run_build_bench

    if work and (work / "parts").exists():
        raise UsageError(f"{work} holds parts already.", "Name another folder, or remove its folder parts.")
    with tempfile.TemporaryDirectory(prefix="kr-bench-") as temporary:
        rows = run_build_bench(keywords, work or Path(temporary), processes)
    if as_json:
        print_json({"keywords": keywords, "rows": rows})
    else:
        click.echo(table(rows))


def _command_line() -> str:
    """What was typed, for pages that say how they were made."""
    import shlex
    import sys

    return shlex.join(["python", "manage.py", *sys.argv[1:]])


@click.command("cooccurrence")
@click.option("--rows", type=click.IntRange(1000, 2**31 - 1), default=2_000_000, show_default=True)
@click.option("--work", type=FOLDER, help="Keep the made searches in this new folder.")
@click.option("--spark", is_flag=True, help="Also on Spark, local[2].")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def bench_cooccurrence(rows: int, work: Path | None, spark: bool, as_json: bool) -> None:
    """Find pairs searched in the same sessions with KR's own step and with hand-written DuckDB SQL, in turn.

    A row's `ratio` is how many times KR's mean it takes; `agrees` whether its pairs and their numbers are KR's.
    """
    import tempfile

    from indexes.bench_table import table
    from mining.cooccurrence_bench import run_cooccurrence_bench

    if work and work.exists() and any(work.iterdir()):
        raise UsageError(f"{work} is not empty.", "Name a new folder.")
    with tempfile.TemporaryDirectory(prefix="kr-bench-") as temporary:
        folder = work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        measured = run_cooccurrence_bench(rows, folder, spark)
    if as_json:
        print_json({"rows": measured})
    else:
        click.echo(table(measured))


COMMANDS: list[click.Command] = [simulate, ingest, mine, build]
TRAIN_COMMANDS: list[click.Command] = [train_fusion, train_recommend]
EVALUATE_COMMANDS: list[click.Command] = [
    evaluate_miners,
    evaluate_related,
    evaluate_sessions,
    evaluate_forecast,
    evaluate_budget,
    evaluate_recommend,
    evaluate_seeds,
]
BENCH_COMMANDS: list[click.Command] = [bench_build, bench_cooccurrence]
