"""The commands of this package; heavy libraries are imported inside them."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexes.errors import CorruptError, UsageError
from indexes.terminal import print_json

if TYPE_CHECKING:
    from indexes.snapshot_manifest import Problem

SERVE_ANOTHER = "Serve a whole snapshot: `python manage.py index rollback --to ID`, or build again."

_store_option = click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/store"),
    envvar="KR_STORE",
    show_default=True,
    show_envvar=True,
    help="The snapshot store.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_wait_option = click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Seconds to wait for another publisher to end.",
)


@click.group()
def index() -> None:
    """List, verify, publish and roll back index snapshots."""


@index.command("list")
@_store_option
@_json_option
def list_command(store: Path, as_json: bool) -> None:
    """List the store's snapshots, the current one last."""
    from indexes.snapshot import list_snapshots, verify_current

    rows = list_snapshots(store)
    if as_json:
        print_json({"store": str(store), "snapshots": [asdict(row) for row in rows]})
    else:
        for row in rows:
            mark = "current" if row.is_current else ""
            size = f"{row.bytes / 1e6:.1f} MB" if row.bytes is not None else "unreadable"
            click.echo(f"{row.id}  {row.published_at or 'not served':20}  {size:>12}  {mark}".rstrip())
    for problem in verify_current(store):
        raise CorruptError(f"{store}/{problem.file}: {problem.what}.", SERVE_ANOTHER)


@index.command("verify")
@click.argument("snapshot_id", required=False)
@_store_option
@_json_option
def verify_command(snapshot_id: str | None, store: Path, as_json: bool) -> None:
    """Read every byte of one snapshot, or of CURRENT and all snapshots, and name each file that was changed.

    Exits with 4 if anything is damaged.
    """
    from indexes.snapshot import list_snapshots, verify, verify_current

    checked = [snapshot_id] if snapshot_id else [row.id for row in list_snapshots(store)]
    damaged: dict[str, list[Problem]] = {} if snapshot_id else {"CURRENT": verify_current(store)}
    damaged |= {name: verify(store, name) for name in checked}
    problems = [
        {"snapshot": None if name == "CURRENT" else name, "file": problem.file, "problem": problem.what}
        for name, found in damaged.items()
        for problem in found
    ]
    if as_json:
        print_json({"store": str(store), "checked": checked, "ok": not problems, "problems": problems})
    else:
        for problem in problems:
            place = f"snapshots/{problem['snapshot']}/{problem['file']}" if problem["snapshot"] else problem["file"]
            click.echo(f"{store}/{place}: {problem['problem']}")
        if not problems:
            click.echo(f"whole: {', '.join(checked)}")
    if problems:
        raise CorruptError(f"{len(problems)} problem(s) in {store}.", SERVE_ANOTHER)


@index.command("publish")
@click.argument("folder", type=click.Path(path_type=Path))
@_store_option
@click.option("--keep", type=click.IntRange(min=1), default=3, show_default=True, help="How many snapshots stay.")
@_wait_option
@_json_option
def publish_command(folder: Path, store: Path, keep: int, wait_seconds: float, as_json: bool) -> None:
    """Copy the snapshot FOLDER, one from a build machine for instance, into the store and make it current.

    FOLDER must still be named by the snapshot's id. Every byte is verified before and after it is copied.
    """
    from indexes.snapshot import publish_copy

    _print_current(store, publish_copy(store, folder, keep=keep, wait_seconds=wait_seconds), as_json)


@index.command("rollback")
@click.option("--to", metavar="ID", help="The snapshot to serve; the one served before the current one if left out.")
@_store_option
@_wait_option
@_json_option
def rollback_command(to: str | None, store: Path, wait_seconds: float, as_json: bool) -> None:
    """Serve an earlier snapshot again, after reading every byte of it."""
    from indexes.snapshot import rollback

    _print_current(store, rollback(store, to, wait_seconds=wait_seconds), as_json)


def _print_current(store: Path, snapshot_id: str, as_json: bool) -> None:
    if as_json:
        print_json({"store": str(store), "current": snapshot_id})
    else:
        click.echo(snapshot_id)


def _print_bench(
    run: Callable[[int, Path], list[dict[str, Any]]], keywords: int, work: Path | None, as_json: bool
) -> None:
    """Run a bench in `work`, which must be new or empty, or in a folder that goes away; print its rows."""
    import tempfile

    from indexes.bench_table import table

    if work and work.exists() and any(work.iterdir()):
        raise UsageError(f"{work} is not empty.", "Name a new folder.")
    with tempfile.TemporaryDirectory(prefix="kr-bench-") as temporary:
        rows = run(keywords, work or Path(temporary))
    if as_json:
        print_json({"keywords": keywords, "rows": rows})
    else:
        click.echo(table(rows))


@click.command("retrieval")
@click.option("--keywords", type=click.IntRange(1000, 2**31 - 1), default=1_000_000, show_default=True)
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), help="Keep the indexes in this new folder.")
@_json_option
def bench_retrieval(keywords: int, work: Path | None, as_json: bool) -> None:
    """Find the 1,000 best keywords by BM25, with the installed peers in turn, on keywords made for it.

    Peers: tantivy, bm25s and SQLite FTS5 up to a million keywords, rank-bm25 up to 100,000. A row's `ratio` is how many
    times KR's mean it takes; `agrees` whether its results are right by its own variant of BM25, KR's to the last bit.
    """
    from indexes.retrieval_bench import run_retrieval_bench

    _print_bench(run_retrieval_bench, keywords, work, as_json)


@click.command("neighbors")
@click.option("--keywords", type=click.IntRange(1000, 2**31 - 1), default=1_000_000, show_default=True)
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), help="Keep the indexes in this new folder.")
@_json_option
def bench_neighbors(keywords: int, work: Path | None, as_json: bool) -> None:
    """Read the neighbours of 1 and of 20 keywords by all miners, on pairs made for it, and the evidence of 100.

    Peers: uncompressed columns, scipy.sparse, and SQLite up to a million keywords. A row's `ratio` is how many times
    KR's mean it takes; `agrees` whether its pairs, strengths and, for KR, evidence are the uncompressed columns'.
    """
    from indexes.neighbors_bench import run_neighbors_bench

    _print_bench(run_neighbors_bench, keywords, work, as_json)


@click.command("vectors")
@click.option("--keywords", type=click.IntRange(1000, 2**31 - 1), default=100_000, show_default=True)
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), help="Keep the indexes in this new folder.")
@_json_option
def bench_vectors(keywords: int, work: Path | None, as_json: bool) -> None:
    """Find the 100 nearest keywords by 8-bit vectors, with the installed peers in turn, on vectors made for it.

    Peers: looking at every vector with numpy up to two million keywords, usearch and faiss. A row's `ratio` is how many
    times KR's mean it takes; `recall_at_100` which share of the truly nearest it finds.
    """
    from indexes.vectors_bench import run_vectors_bench

    _print_bench(run_vectors_bench, keywords, work, as_json)


@click.command("start")
@click.option("--keywords", type=click.IntRange(1000, 2**31 - 2), default=1_000_000, show_default=True)
@_json_option
def bench_start(keywords: int, as_json: bool) -> None:
    """Start fresh processes that open an index of keywords made for it and answer one query.

    The index's pages are in memory, the kernels compiled before. `mean_ms` is from starting Python to the answer.
    """
    from indexes.start_bench import run_start_bench

    _print_bench(run_start_bench, keywords, None, as_json)


@click.command("suggest")
@click.option("--keywords", type=click.IntRange(1000, 2**31 - 1), default=1_000_000, show_default=True)
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), help="Keep the indexes in this new folder.")
@_json_option
def bench_suggest(keywords: int, work: Path | None, as_json: bool) -> None:
    """Find the 10 most searched keywords for a prefix, with the installed peers in turn, on keywords made for it.

    Peers match the written form: SQLite, and up to a million keywords marisa-trie and tantivy. KR has a row for each
    way of typing. A row's `ratio` is how many times KR's mean it takes; `agrees` whether its results are right.
    """
    from indexes.suggest_bench import run_suggest_bench

    _print_bench(run_suggest_bench, keywords, work, as_json)


COMMANDS: list[click.Command] = [index]
BENCH_COMMANDS: list[click.Command] = [bench_retrieval, bench_suggest, bench_neighbors, bench_vectors, bench_start]
