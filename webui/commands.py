"""The commands of the web application; heavy libraries are imported inside them."""

import os
import sys
from pathlib import Path

import click

from indexes.terminal import print_json, say

_host_option = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
_port_option = click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
_workers_option = click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes that answer requests."
)


@click.command()
@click.option("--store", type=click.Path(path_type=Path), help="Snapshot store; default KR_STORE or var/store.")
@click.option("--database", help="Database URL; default KR_DATABASE or sqlite:///var/kr.db.")
@_host_option
@_port_option
@_workers_option
def serve(store: Path | None, database: str | None, host: str, port: int, workers: int) -> None:
    """Serve the search page and the API until interrupted.

    A newly published snapshot is taken over within a second, without a restart.
    """
    from kr.settings import load_settings
    from webui.serving import serve as serve_until_interrupted

    serve_until_interrupted(load_settings(store=store, database=database), host, port, workers)


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("var/demo"),
    show_default=True,
    help="Where the simulated market, its logs and its store are kept.",
)
@click.option("--size", type=click.Choice(["small", "medium"]), default="medium", show_default=True)
@_host_option
@_port_option
@click.option("--no-serve", is_flag=True, help="Stop when the snapshot is published.")
@click.option(
    "--trained", is_flag=True, help="Also learn the order of recommendations from what accounts bought later."
)
@click.pass_context
def demo(context: click.Context, folder: Path, size: str, host: str, port: int, no_serve: bool, trained: bool) -> None:
    """From nothing to keyword recommendations in the browser: simulate, ingest, mine, build, publish, serve.

    Steps that are already done with the same parameters are not repeated.
    """
    from indexes.compile_kernels import compiling_beside
    from webui.demo_accounts import database_url, ensure_accounts
    from webui.demo_steps import claim_folder, demo_steps, pending

    if not no_serve:
        from webui.serving import check_address

        # Before the long part: a port in use is better learnt now.
        check_address(host, port)
    claim_folder(folder)
    steps = demo_steps(folder, size, trained)
    with compiling_beside():
        for number, (step, must_run) in enumerate(pending(folder, steps), start=1):
            if not must_run:
                say(f"[{number}/{len(steps)}] {step.command}: done before, kept")
                continue
            say(f"[{number}/{len(steps)}] {step.command}")
            context.invoke(_command_named(context, step.command), **step.parameters)
    store = folder / "store"
    accounts = ensure_accounts(folder)
    say(f"  to sign in: {accounts} names ready accounts and their password")
    if not trained:
        say("  recommendations stand in the order of a fixed rule; demo --trained learns a better one from the log")
    if no_serve:
        say(f"▸ published; `python manage.py serve --store {store}` serves it")
        return
    sys.stdout.flush()
    sys.stderr.flush()
    # A new process: what mining left in memory and its threads do not stay with the server.
    arguments = [sys.argv[0], "serve", "--store", str(store), "--database", database_url(folder)]
    arguments += ["--host", host, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, *arguments])


def _command_named(context: click.Context, name: str) -> click.Command:
    """A command of the whole command line by its words, with the defaults of the options that are not given."""
    command = context.find_root().command
    for word in name.split():
        assert isinstance(command, click.Group)
        found = command.get_command(context, word)
        assert found is not None, name
        command = found
    return command


@click.command("http")
@click.option("--store", type=click.Path(path_type=Path), default=Path("var/demo/store"), show_default=True)
@click.option("--requests", type=click.IntRange(1), default=2000, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def bench_http(store: Path, requests: int, as_json: bool) -> None:
    """Serve a store with one worker and with two, and ask each for pages of 100 rows over loopback."""
    from indexes.bench_table import table
    from webui.http_bench import run_http_bench

    rows = run_http_bench(store, requests)
    if as_json:
        print_json({"rows": rows})
    else:
        click.echo(table(rows))


@click.command("page")
@click.option("--store", type=click.Path(path_type=Path), default=Path("var/demo/store"), show_default=True)
@click.option("--no-browser", is_flag=True, help="Only weigh the pages.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def bench_page(store: Path, no_browser: bool, as_json: bool) -> None:
    """What the pages weigh (gzip), and milliseconds from request to paint in Debian's Chromium."""
    from webui.page_bench import run_page_bench

    rows = run_page_bench(store, not no_browser)
    if as_json:
        print_json({"rows": rows})
        return
    for row in rows:
        painted = "" if row["paint_ms"] is None else f", {row['paint_ms']:.0f} ms from request to paint"
        click.echo(
            f"{row['page']}: {row['bytes']:,} bytes in {row['requests']} requests "
            f"({row['external_requests']} external), script {row['script_bytes']:,} bytes{painted}"
        )


COMMANDS: list[click.Command] = [demo, serve]
BENCH_COMMANDS: list[click.Command] = [bench_http, bench_page]
