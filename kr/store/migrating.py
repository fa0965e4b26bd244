"""Bringing a database to the tables that this version of KR needs."""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from indexes.errors import CorruptError, UsageError
from kr.store.database import Database


def upgrade(database: Database) -> tuple[str | None, str]:
    """Apply what is missing, all or nothing; return the revision before (None for an empty database) and after.

    CorruptError if the database was made by a later version of KR.
    """
    with as_file(files("kr.store") / "migrations") as folder, database.connection(writing=True) as connection:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        before = current_revision(connection)
        script = ScriptDirectory.from_config(config)
        _refuse_later(before, script)
        command.upgrade(config, "head")
        return before, str(script.get_current_head())


def check_revision(database: Database) -> None:
    """UsageError, with the remedy, if the database lacks migrations; CorruptError if a later version made it."""
    with as_file(files("kr.store") / "migrations") as folder, database.connection() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder))
        script = ScriptDirectory.from_config(config)
        found = current_revision(connection)
        _refuse_later(found, script)
        if found != script.get_current_head():
            raise UsageError(
                f"The database is at revision {found or 'none'}, this version needs {script.get_current_head()}.",
                "Run manage.py db upgrade.",
            )


def current_revision(connection: Connection) -> str | None:
    """The revision of the tables, None if there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_later(found: str | None, script: ScriptDirectory) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    if found is not None and found not in known:
        raise CorruptError(
            f"The database is at revision {found}, which this version of KR does not know.",
            "Use the version of KR that made it, or a later one.",
        )
