"""The database: migrations make the models' tables, transactions hold, backups come back."""

import gzip
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import select, text

from indexes.errors import CorruptError, NotFoundError, UsageError
from kr.store import Database, open_database
from kr.store.accounts import create_organisation, create_user
from kr.store.backup import back_up, restore
from kr.store.commands import database_group, user_group
from kr.store.database import DatabaseUnreachable
from kr.store.migrating import check_revision, upgrade
from kr.store.schema import Base, Organisation, Role, User

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
KINDS = ("sqlite", "postgresql")


def fill(database: Database) -> None:
    with database.writing() as session:
        for name in ("花店 é", "Blumen"):
            organisation = create_organisation(session, name, NOW)
            create_user(session, organisation, f"{len(name)}@example.com", name, Role.ADMIN, "three good words", NOW)


def rows_of(database: Database) -> dict[str, list[tuple]]:
    with database.connection() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
        }


def test_the_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.connection() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    before, after = upgrade(database)
    assert before == after == "0004"
    check_revision(database)


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_without_tables_says_how_to_make_them(new_url: Callable[[str], str], kind: str) -> None:
    database = open_database(new_url(kind))
    with pytest.raises(UsageError, match="db upgrade"):
        check_revision(database)
    with database.reading() as session, pytest.raises(Exception, match="organisations"):
        session.scalars(select(Organisation)).all()
    database.close()


def test_a_database_of_a_later_version_is_refused_by_its_revision(database: Database) -> None:
    with database.connection(writing=True) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for call in (upgrade, check_revision):
        with pytest.raises(CorruptError, match="9999"):
            call(database)


def test_an_error_undoes_the_whole_transaction(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing() as session:
        create_organisation(session, "gone", NOW)
        raise RuntimeError
    with database.reading() as session:
        assert session.scalars(select(Organisation)).all() == []


def test_what_is_written_while_reading_is_not_kept(database: Database) -> None:
    with database.reading() as session:
        create_organisation(session, "gone", NOW)
    with database.reading() as session:
        assert session.scalars(select(Organisation)).all() == []


def test_writers_wait_for_each_other_and_lose_nothing(database: Database) -> None:
    fill(database)

    def add(worker: int) -> None:
        for _ in range(10):
            with database.writing() as session:
                user = session.scalars(select(User).order_by(User.email).with_for_update()).first()
                assert user is not None
                user.name = str(int(user.name) + 1) if user.name.isdigit() else "1"
                session.flush()

    threads = [threading.Thread(target=add, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with database.reading() as session:
        assert session.scalars(select(User.name).order_by(User.email)).first() == "40"


def test_times_come_back_as_the_same_instant(database: Database) -> None:
    fill(database)
    with database.reading() as session:
        times = set(session.scalars(select(Organisation.created_at)))
    assert times == {NOW}


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="zone"), database.writing() as session:
        create_organisation(session, "x", datetime(2026, 1, 1))


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_a_backup_comes_back_in_either_kind(
    new_url: Callable[[str], str], tmp_path: Path, source: str, target: str
) -> None:
    original, copy = open_database(new_url(source)), open_database(new_url(target))
    upgrade(original)
    upgrade(copy)
    fill(original)
    file = tmp_path / "backup.gz"
    assert back_up(original, file) == restore(copy, file)
    assert rows_of(original) == rows_of(copy)
    with pytest.raises(UsageError, match="empty"):
        restore(copy, file)
    with copy.writing() as session:  # numbered rows go on after the restored ones
        create_organisation(session, "later", NOW)
        organisation = session.scalars(select(Organisation).where(Organisation.name == "later")).one()
        create_user(session, organisation, "later@example.com", "", Role.ADMIN, "three good words", NOW)
    original.close()
    copy.close()


def test_every_damaged_backup_is_refused_and_restores_nothing(new_url: Callable[[str], str], tmp_path: Path) -> None:
    original, copy = open_database(new_url("sqlite")), open_database(new_url("sqlite"))
    upgrade(original)
    upgrade(copy)
    fill(original)
    back_up(original, tmp_path / "whole.gz")
    lines = gzip.decompress((tmp_path / "whole.gz").read_bytes()).splitlines(keepends=True)
    damaged = {
        "a row is missing": lines[:2] + lines[3:],
        "a row is twice": lines[:2] + lines[1:2] + lines[2:],
        "the end is missing": lines[:-1],
        "something follows the end": [*lines, b"{}\n"],
        "a letter differs": [line.replace(b"Blumen", b"Blumes") for line in lines],
        "another revision": [lines[0].replace(b"0004", b"0001"), *lines[1:]],
        "another format": [json.dumps({"format": "x"}).encode() + b"\n", *lines[1:]],
        "no JSON": [lines[0], b"{\n", *lines[1:]],
    }
    for what, content in damaged.items():
        file = tmp_path / "damaged.gz"
        file.write_bytes(gzip.compress(b"".join(content)))
        with pytest.raises(CorruptError):
            restore(copy, file)
        assert not any(rows_of(copy).values()), what
    (tmp_path / "damaged.gz").write_bytes((tmp_path / "whole.gz").read_bytes()[:-20])
    with pytest.raises(CorruptError):
        restore(copy, tmp_path / "damaged.gz")
    with pytest.raises(NotFoundError):
        restore(copy, tmp_path / "nowhere.gz")
    original.close()
    copy.close()


def test_a_backup_never_overwrites_a_file(new_url: Callable[[str], str], tmp_path: Path) -> None:
    database = open_database(new_url("sqlite"))
    upgrade(database)
    (tmp_path / "here").write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        back_up(database, tmp_path / "here")
    assert (tmp_path / "here").read_text() == "mine"
    database.close()


@pytest.mark.parametrize("url", ["", "kr.db", "mysql://localhost/kr", "sqlite://", "sqlite:///:memory:", "mongodb://x"])
def test_a_url_of_no_usable_database_is_refused_with_examples(url: str) -> None:
    with pytest.raises(UsageError, match="postgresql://"):
        open_database(url)


def test_a_server_that_does_not_answer_is_told_without_the_password(tmp_path: Path) -> None:
    database = open_database(f"postgresql://kr:secret@/kr?host={tmp_path}")
    with pytest.raises(DatabaseUnreachable) as told, database.reading() as session:
        session.scalars(select(Organisation)).all()
    assert "secret" not in str(told.value)
    assert "server runs" in str(told.value)
    database.close()


def test_the_command_line_makes_users_that_are_in_the_backup(tmp_path: Path) -> None:
    run = CliRunner().invoke
    database = ["--database", f"sqlite:///{tmp_path}/kr.db"]
    assert run(database_group, ["upgrade", *database]).exit_code == 0
    options = ["--organisation", "花店", "--role", "admin", "--json", *database]
    made = run(user_group, ["create", "A@Example.com", *options], input="three good words\n")
    assert json.loads(made.stdout)["email"] == "a@example.com"
    file = tmp_path / "backup.gz"
    backed_up = json.loads(run(database_group, ["backup", str(file), "--json", *database]).stdout)
    assert backed_up["rows"] == len(gzip.decompress(file.read_bytes()).splitlines()) - 2
    other = ["--database", f"sqlite:///{tmp_path}/other.db"]
    run(database_group, ["upgrade", *other])
    assert json.loads(run(database_group, ["restore", str(file), "--json", *other]).stdout)["rows"] == backed_up["rows"]
    refused = run(user_group, ["create", "b@example.com", "--organisation", "花店", *database], input="short\n")
    assert isinstance(refused.exception, UsageError)
