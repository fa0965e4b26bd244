"""Commands of the database and of its users; heavy libraries are imported inside them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexes.errors import UsageError
from indexes.terminal import print_json, say
from kr.relevance.feedback_commands import feedback

if TYPE_CHECKING:
    from kr.store.database import Database

_database = click.option("--database", help="Database URL; default KR_DATABASE or sqlite:///var/kr.db.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
ROLES = ("advertiser", "analyst", "operator", "admin")


def _open(database: str | None) -> "Database":
    from kr.settings import load_settings
    from kr.store.database import open_database

    return open_database(load_settings(database=database).database)


@click.group("db")
def database_group() -> None:
    """Keep the database of accounts, lists and feedback."""


@database_group.command("upgrade")
@_database
@_json
def upgrade_database(database: str | None, as_json: bool) -> None:
    """Bring the database to the tables of this version; an empty one is filled."""
    from kr.store.migrating import upgrade

    before, after = upgrade(_open(database))
    if as_json:
        print_json({"before": before, "after": after})
    say(f"The database was at revision {before or 'none'} and is at {after}.")


@database_group.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_database
@_json
def back_up_database(file: Path, database: str | None, as_json: bool) -> None:
    """Write everything into FILE, from one state; works for SQLite and PostgreSQL."""
    from kr.store.backup import back_up

    rows = back_up(_open(database), file)
    if as_json:
        print_json({"file": str(file), "rows": rows, "bytes": file.stat().st_size})
    say(f"{rows:,} rows are in {file}.")


@database_group.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_database
@_json
def restore_database(file: Path, database: str | None, as_json: bool) -> None:
    """Fill an upgraded, empty database from a backup."""
    from kr.store.backup import restore

    rows = restore(_open(database), file)
    if as_json:
        print_json({"file": str(file), "rows": rows})
    say(f"{rows:,} rows were restored.")


@feedback.command("export")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder; see --logs.")
@_database
@_json
def export_feedback(out: Path, database: str | None, as_json: bool) -> None:
    """Write what people said on the search page as a table of feedback, for `feedback report` and `feedback pairs`."""
    from kr.store.verdict_export import export_verdicts

    rows = export_verdicts(_open(database), out)
    if as_json:
        print_json({"rows": rows})
    say(f"{rows:,} verdicts are in {out}.")


@click.group("user")
def user_group() -> None:
    """Keep the people who sign in."""


@user_group.command("create")
@click.argument("email")
@click.option("--organisation", required=True, help="Its name; made if there is none of that name.")
@click.option("--platform", is_flag=True, help="A new organisation is the platform's own.")
@click.option("--advertiser", help="A new organisation is this advertiser_id of the logs.")
@click.option("--role", type=click.Choice(ROLES), default="advertiser", show_default=True)
@click.option("--name", default="", help="Shown on pages; default the address's first part.")
@_database
@_json
def create_user_command(
    email: str,
    organisation: str,
    platform: bool,
    advertiser: str | None,
    role: str,
    name: str,
    database: str | None,
    as_json: bool,
) -> None:
    """Add a user; the password is asked for, or read from standard input's first line."""
    from kr.store.accounts import create_user, organisation_named, utc_now
    from kr.store.schema import Role

    opened = _open(database)
    password = _password()
    now = utc_now()
    with opened.writing() as session:
        home = organisation_named(session, organisation, now, platform, advertiser)
        user = create_user(session, home, email, name, Role(role), password, now)
    if as_json:
        print_json({"id": user.id, "email": user.email, "organisation": organisation, "role": role})
    say(f"{user.email} can sign in.")


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise UsageError("No password was given.", "Type it, or pipe it into standard input.")
    return password


COMMANDS: list[click.Command] = [database_group, user_group]
