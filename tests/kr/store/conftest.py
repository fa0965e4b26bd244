"""A database of each kind, upgraded and empty. PostgreSQL is a server of the tests' own, reached by a Unix socket."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from kr.store import Database, open_database, passwords
from kr.store.migrating import upgrade

UNPRIVILEGED = "nobody"


@pytest.fixture(scope="session", autouse=True)
def quick_hasher() -> Iterator[None]:
    """Argon2 with the least memory and time: these tests hash hundreds of passwords."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", cache(lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
        yield


class Clock:
    """A time that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def pass_by(self, **time: float) -> datetime:
        self.now += timedelta(**time)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _postgresql_program(name: str) -> str | None:
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(versions[-1]) if versions else shutil.which(name)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Path]:
    """The socket folder of a running server with the database `postgres`; the server refuses to run as root."""
    initdb, pg_ctl = _postgresql_program("initdb"), _postgresql_program("pg_ctl")
    if not initdb or not pg_ctl:
        pytest.skip("PostgreSQL (Debian's postgresql) is not on this machine")
    user = UNPRIVILEGED if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="kr-postgresql-"))
    account = pwd.getpwnam(user)
    os.chown(folder, account.pw_uid, account.pw_gid)
    as_user = {"user": user, "group": account.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}

    def run(*command: str) -> None:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False, **as_user)
        log = (folder / "log").read_text() if (folder / "log").exists() else ""
        assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr} {log}"

    data = str(folder / "data")
    try:
        run(initdb, "-D", data, "-U", "kr", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        run(pg_ctl, "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield folder
        finally:
            run(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """The URL of a new, empty database of a kind: `sqlite` or `postgresql`."""
    made = 0

    def url(kind: str) -> str:
        nonlocal made
        made += 1
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/kr{made}.db"
        import psycopg

        folder = request.getfixturevalue("postgresql_server")
        name = f"kr_{os.urandom(6).hex()}"
        with psycopg.connect(f"host={folder} user=kr dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://kr@/{name}?host={folder}"

    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, new_url: Callable[[str], str]) -> Iterator[Database]:
    """An upgraded database, of each kind."""
    opened = open_database(new_url(request.param))
    upgrade(opened)
    yield opened
    opened.close()
