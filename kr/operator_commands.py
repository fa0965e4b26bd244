"""Commands of those who run the platform: marketing rules and lexicons; heavy libraries are imported inside them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexes.errors import UsageError
from indexes.terminal import print_json, say

if TYPE_CHECKING:
    from kr.store.database import Database

_database = click.option("--database", help="Database URL; default KR_DATABASE or sqlite:///var/kr.db.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_live = click.option("--live", is_flag=True, help="Put it in force at once; otherwise it waits on the operator's page.")
_in_force = click.option("--in-force", is_flag=True, help="What is in force instead of the latest version.")


def _open(database: str | None) -> tuple[Any, "Database"]:
    from kr.settings import load_settings
    from kr.store.database import open_database
    from kr.store.migrating import check_revision

    settings = load_settings(database=database)
    opened = open_database(settings.database)
    check_revision(opened)
    return settings, opened


@click.group()
def rules() -> None:
    """Keep the marketing rules of the database; docs/marketing-rules.md explains them."""


@rules.command("list")
@_in_force
@_database
@_json
def list_rules(in_force: bool, database: str | None, as_json: bool) -> None:
    """List the rules in the order in which they apply."""
    from kr.marketing.rule_book import read_book
    from kr.pipelines.keyword_search import SOURCES

    _, opened = _open(database)
    with opened.reading() as session:
        book = read_book(session, SOURCES)
    shown = book.live_rules if in_force else book.rules
    if as_json:
        rows = [
            {"id": each.id, **each.rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)} for each in shown
        ]
        print_json({"version": book.version, "live_version": book.live_version, "rules": rows})
        return
    for place, each in enumerate(shown, start=1):
        state = "" if in_force else f"  {book.state(each)}"
        click.echo(f"{place:3}  {each.rule.action:6} {'on ' if each.rule.enabled else 'off'}{state}  {each.rule.name}")
    say(f"version {book.version}; in force: {book.live_version or 'none'}")


@rules.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_in_force
@_database
def export_rules(file: Path, in_force: bool, database: str | None) -> None:
    """Write the rules into the TOML FILE, as the setting `rules` reads them; - is standard output."""
    from kr.marketing.rule_book import read_book
    from kr.marketing.rules_file import rules_as_toml
    from kr.pipelines.keyword_search import SOURCES

    _, opened = _open(database)
    with opened.reading() as session:
        book = read_book(session, SOURCES)
    text = rules_as_toml([each.rule for each in (book.live_rules if in_force else book.rules)])
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    if file.exists():
        raise UsageError(f"{file} exists.", "Name a new file.")
    file.write_text(text, encoding="utf-8")


@rules.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_live
@_database
@_json
def import_rules(file: Path, live: bool, database: str | None, as_json: bool) -> None:
    """Replace the rules of the database by those of the TOML FILE; the version before stays."""
    from kr.marketing.rule_book import put_rules_live, read_book, replace_rules
    from kr.marketing.rules import load_rules
    from kr.pipelines.keyword_search import SOURCES
    from kr.store.accounts import utc_now
    from kr.store.changes import Change, ChangeKind
    from kr.store.control_versions import command_line_author

    settings, opened = _open(database)
    found = load_rules(file, SOURCES)
    with opened.writing() as session:
        by = command_line_author(session, utc_now())
        replace_rules(
            session, read_book(session, SOURCES).version, found, Change(ChangeKind.READ_FROM_FILE, file.name), by
        )
        session.flush()
        version = read_book(session, SOURCES).version
        if live:
            put_rules_live(session, SOURCES, load_rules(settings.rules, SOURCES), version, by)
    if as_json:
        print_json({"rules": len(found), "version": version, "live": live})
    say(f"{len(found)} rules are version {version}{', in force' if live else '; not in force yet'}.")


@click.group()
def lexicon() -> None:
    """Keep the lists of unsafe terms of the database, and ask what would be caught."""


@lexicon.command("list")
@_database
@_json
def list_lexicons(database: str | None, as_json: bool) -> None:
    """List the lists and how many terms each has."""
    from kr.audit.lexicon_book import read_lexicon_book

    _, opened = _open(database)
    with opened.reading() as session:
        book = read_lexicon_book(session)
    rows = [
        {"name": each.name, "terms": len(each.parsed().terms), "exceptions": len(each.parsed().exceptions)}
        for each in book.lists
    ]
    if as_json:
        print_json({"version": book.version, "live_version": book.live_version, "lists": rows})
        return
    for row in rows:
        click.echo(f"{row['terms']:7,} terms  {row['exceptions']:5,} exceptions  {row['name']}")
    say(f"version {book.version}; in force: {book.live_version or 'none'}")


@lexicon.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", help="Name of the list; default the file's.")
@_live
@_database
@_json
def import_lexicon(file: Path, name: str | None, live: bool, database: str | None, as_json: bool) -> None:
    """Take the lexicon FILE as a list, instead of the one of the same name if there is one."""
    from indexes.unsafe_lexicon import read_lexicon
    from kr.audit.lexicon_book import put_lexicons_live, read_lexicon_book, save_list
    from kr.store.accounts import utc_now
    from kr.store.control_versions import command_line_author

    settings, opened = _open(database)
    read_lexicon(file)
    text = file.read_text(encoding="utf-8-sig")
    with opened.writing() as session:
        by = command_line_author(session, utc_now())
        save_list(session, read_lexicon_book(session).version, name or file.stem, text, by)
        session.flush()
        version = read_lexicon_book(session).version
        if live:
            put_lexicons_live(session, settings.lexicons, version, by)
    if as_json:
        print_json({"list": name or file.stem, "version": version, "live": live})
    say(f"The list is in version {version}{', in force' if live else '; not in force yet'}.")


@lexicon.command("export")
@click.argument("name")
@_in_force
@_database
def export_lexicon(name: str, in_force: bool, database: str | None) -> None:
    """Print the list NAME."""
    from kr.audit.lexicon_book import read_lexicon_book

    _, opened = _open(database)
    with opened.reading() as session:
        book = read_lexicon_book(session)
    lists = {each.name: each for each in (book.live_lists if in_force else book.lists)}
    if name not in lists:
        raise UsageError(f"There is no list {name!r}.", f"There are: {', '.join(lists) or 'none'}.")
    click.echo(lists[name].text, nl=False)


@lexicon.command("test")
@click.argument("text")
@_database
@_json
def test_lexicon(text: str, database: str | None, as_json: bool) -> None:
    """Say which unsafe terms are found in TEXT, and through which disguise, by the lists in force."""
    from dataclasses import asdict

    from kr.audit.lexicon_book import caught_in
    from kr.audit.stored_lists import decode_lists
    from kr.settings import load_settings
    from kr.store.live_controls import LiveControls
    from kr.store.operator_schema import Control

    settings = load_settings(database=database)
    controls = LiveControls(settings.database)
    content = controls.content(Control.LEXICONS)[1] if controls.sequences()[Control.LEXICONS] else ""
    found = caught_in(text, settings.lexicons, decode_lists(content))
    if as_json:
        print_json({"text": text, "caught": [asdict(each) for each in found]})
        return
    for each in found:
        how = ", ".join(each.disguises) or "as listed"
        click.echo(f"{each.category} {each.severity}  {each.term}  at “{each.where}”: {how}")
    say(f"{len(found)} unsafe terms were found.")


@click.command("controls")
@click.option("--store", type=click.Path(path_type=Path), default=Path("var/demo/store"), show_default=True)
@click.option("--asks", type=click.IntRange(10), default=20_000, show_default=True)
@click.option("--database", help="URL of an upgraded database; default a fresh SQLite file.")
@_json
def bench_controls(store: Path, asks: int, database: str | None, as_json: bool) -> None:
    """Time the look-up, at each request, of which rules and lists of unsafe terms are in force."""
    from indexes.bench_table import table
    from kr.store.live_controls_bench import run_controls_bench

    rows = run_controls_bench(store, asks, database)
    if as_json:
        print_json({"rows": rows})
    else:
        click.echo(table(rows))


COMMANDS: list[click.Command] = [rules, lexicon]
BENCH_COMMANDS: list[click.Command] = [bench_controls]
