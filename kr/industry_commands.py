"""Commands of the industry browser; heavy libraries are imported inside them."""

from pathlib import Path
from typing import Any

import click

from indexes.terminal import print_json, say
from kr.store_options import snapshot_option, store_and_snapshot, store_option


@click.group()
def industries() -> None:
    """The operator's industry tree, and what the advertisers of each industry buy."""


@industries.command("list")
@store_option
@snapshot_option
@click.option("--parent", help="Id of an industry whose own are listed; default: those above which there is none.")
@click.option("--query", default="", help="List the industries whose name holds this text.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's envelope.")
def list_industries(store: Path | None, snapshot: Path | None, parent: str | None, query: str, as_json: bool) -> None:
    """The industries right below one, or found by name, with the keywords and advertisers of each."""
    from kr.envelope import industries_envelope
    from kr.service import KeywordService
    from kr.settings import load_settings

    store, snapshot_id = store_and_snapshot(store, snapshot)
    browser = KeywordService(load_settings(store=store), snapshot_id=snapshot_id).opened().industries
    view = browser.view(parent, 0) if parent else browser.roots()
    found = browser.find(query) if query else view.children
    if as_json:
        print_json(industries_envelope(view, found))
        return
    for row in found:
        click.echo(_line(row))
    say(f"{len(found)} industries, snapshot {view.snapshot}")


@industries.command("show")
@click.argument("industry_id", metavar="ID")
@store_option
@snapshot_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Keywords at most.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's envelope.")
def show(industry_id: str, store: Path | None, snapshot: Path | None, limit: int, as_json: bool) -> None:
    """One industry: the way to it, what is below it, its top keywords and those that are rising."""
    from kr.envelope import industry_envelope
    from kr.service import KeywordService
    from kr.settings import load_settings

    store, snapshot_id = store_and_snapshot(store, snapshot)
    service = KeywordService(load_settings(store=store), snapshot_id=snapshot_id)
    view = service.opened().industries.view(industry_id, limit)
    if as_json:
        print_json(industry_envelope(view))
        return
    assert view.industry is not None
    click.echo(" > ".join(_name(row) for row in (*view.path, view.industry)))
    for row in view.children:
        click.echo(f"  {_line(row)}")
    for title, rows in (("Top keywords", view.keywords), ("Rising", view.rising)):
        click.echo(f"{title}:" if rows else f"{title}: none")
        for row in rows:
            click.echo(f"  {row['text']}  ({'; '.join(reason['text_en'] for reason in row['reasons'])})")
    say(f"snapshot {view.snapshot}")


def _name(row: dict[str, Any]) -> str:
    return str(row["name_en"] or row["name_zh"] or row["id"])


def _line(row: dict[str, Any]) -> str:
    names = " · ".join(name for name in (row["name_en"], row["name_zh"]) if name)
    more = " and more" if row["more_keywords"] else ""
    counts = f"{row['keywords']:,}{more} keywords, {row['advertisers']:,} advertisers, {row['children']:,} below"
    return f"{row['id']}  {names}  ({counts})"


COMMANDS: list[click.Command] = [industries]
