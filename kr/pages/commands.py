"""The commands that read pages; heavy libraries are imported inside them."""

import sys
from pathlib import Path
from typing import Any

import click

from indexes.errors import NotFoundError, UsageError
from indexes.terminal import print_json, say
from kr.store_options import snapshot_option, store_and_snapshot, store_option


@click.command("url")
@click.argument("address", default="")
@click.option("--address", "address_option", help="The address, beside --file.")
@click.option(
    "--file", "file", type=click.Path(path_type=Path), help="Read the page from this file; nothing is opened."
)
@click.option("--fresh", is_flag=True, help="Fetch the page even if the platform's crawl has it.")
@store_option
@snapshot_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Rows to answer.")
@click.option("--json", "as_json", is_flag=True, help="Print the page and the API's envelope.")
@click.option("--explain", is_flag=True, help="Add what each source found and why each other keyword is not shown.")
def url(
    address: str,
    address_option: str | None,
    file: Path | None,
    fresh: bool,
    store: Path | None,
    snapshot: Path | None,
    limit: int,
    as_json: bool,
    explain: bool,
) -> None:
    """Recommend keywords for the page at ADDRESS: what it says is read, turned into topics, and searched for.

    A page that the platform has crawled is answered from there. A refused address is not opened: exit code 1.
    """
    from kr.envelope import envelope
    from kr.pages.address import parse_address
    from kr.pages.problems import PageError
    from kr.service import KeywordService
    from kr.settings import load_settings
    from kr.types import Request

    if address and address_option and address != address_option:
        raise UsageError("Two addresses are given.", "Name the page's address once.")
    named = address or address_option or ""
    if not named:
        raise UsageError("No address is given.", "Name the page: manage.py url https://example.com/product.")
    store, snapshot_id = store_and_snapshot(store, snapshot)
    settings = load_settings(store=store)
    try:
        # Before anything else is opened: a refused address needs no snapshot to be refused.
        parse_address(named.strip(" "), settings.allow_loopback_pages)
        service = KeywordService(settings, snapshot_id=snapshot_id)
        page = service.read_page(named, fresh) if file is None else service.read_page_file(_bytes(file), named)
    except PageError as error:
        if as_json:
            texts = {"code": error.problem.value, "reason": error.text_en, "text_zh": error.text_zh}
            print_json({"refused": texts} if error.refused else {"failed": texts})
        else:
            say(f"{'refused: ' if error.refused else ''}{error.text_en}\n{error.text_zh}")
        sys.exit(error.exit_code)
    request = service.with_page(Request(seeds=(), limit=limit, explain=explain), page)
    reply = service.by_url(request, page)
    if as_json:
        document = envelope(reply, request)
        print_json({"page": document["data"].pop("page"), **document})
        return
    _print(page.as_data(), reply)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise NotFoundError(f"--file {file} does not exist.", "Name a saved page.") from None
    except OSError as error:
        raise UsageError(f"--file {file} cannot be read: {error}.", "Name a saved page.") from None


def _print(page: dict[str, Any], reply: Any) -> None:
    from kr.commands import line_of

    click.echo(page["title"] or page["address"])
    for topic in page["topics"]:
        click.echo(f"  {topic['weight']:.2f}  {topic['text']}  ({', '.join(topic['places'])})")
    for note in reply.notices:
        say(f"{note.text_en}\n{note.text_zh}")
    for row in reply.rows:
        click.echo(line_of(row))
        if row["reasons"]:
            click.echo(f"    {row['reasons'][0]['text_en']}")
    say(f"{len(reply.rows)} of {reply.total} keywords, snapshot {reply.snapshot}")


@click.command("pages")
@click.option(
    "--pages",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder with ground_truth.json and html/ID.html.gz.",
)
@click.option("--failures", is_flag=True, help="Name the words that were not found, page by page.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def evaluate_pages(folder: Path, failures: bool, as_json: bool) -> None:
    """How many of a page's brand and product words stand among its first topics, and how many topics hold one."""
    from kr.pages.evaluation import FIRST, evaluate_pages

    figures, scores = evaluate_pages(folder)
    if as_json:
        print_json(figures)
    else:
        for name, value in figures.items():
            click.echo(f"{name}\t{value}")
    if failures:
        for score in scores:
            wanted = score.brand_words | score.product_words
            if missed := sorted(wanted - score.found(wanted, max(FIRST))):
                say(f"{score.page[:12]}  {score.title[:60]}: {', '.join(missed)}")


COMMANDS: list[click.Command] = [url]
EVALUATE_COMMANDS: list[click.Command] = [evaluate_pages]
