"""Ready accounts for the demo: two of the simulated advertisers, with the history that the log holds, and the platform.

Their password is made anew for each demo folder and written beside the database, readable by its owner only: a
password that everybody knows would sooner or later be served to everybody.
"""

import os
import secrets
from collections import Counter
from pathlib import Path

from indexes.errors import CorruptError
from kr.store import open_database
from kr.store.accounts import create_organisation, create_user, utc_now
from kr.store.migrating import upgrade
from kr.store.schema import Role

DATABASE = "kr.db"
ACCOUNTS = "accounts.txt"
PLATFORM = "Demo platform"
PLATFORM_USERS = {
    "admin@example.com": Role.ADMIN,
    "operator@example.com": Role.OPERATOR,
    "analyst@example.com": Role.ANALYST,
}
ADVERTISER_USERS = {"zh": "advertiser-zh@example.com", "en": "advertiser-en@example.com"}


def database_url(folder: Path) -> str:
    """The database of a demo folder."""
    return f"sqlite:///{(folder / DATABASE).resolve()}"


def ensure_accounts(folder: Path) -> Path:
    """Make the accounts if the folder has none; return the file that names them and their password."""
    accounts = folder / ACCOUNTS
    database = open_database(database_url(folder))
    try:
        upgrade(database)
        if accounts.is_file():
            return accounts
        password = secrets.token_urlsafe(12)
        lines = []
        now = utc_now()
        with database.writing() as session:
            platform = create_organisation(session, PLATFORM, now, is_platform=True)
            for email, role in PLATFORM_USERS.items():
                create_user(session, platform, email, "", role, password, now)
                lines.append(f"{email}  {role} of {PLATFORM}")
            for language, (advertiser_id, name) in _advertisers(folder / "logs").items():
                home = create_organisation(session, name, now, advertiser_id=advertiser_id)
                email = ADVERTISER_USERS[language]
                create_user(session, home, email, name, Role.ADMIN, password, now)
                lines.append(f"{email}  admin of {name}, advertiser {advertiser_id} of the log")
            _write_private(accounts, "\n".join([f"password of all: {password}", *lines]) + "\n")
    finally:
        database.close()
    return accounts


def _advertisers(logs: Path) -> dict[str, tuple[str, str]]:
    """Identifier and name of the advertiser with most bids among those with a Chinese name, and with an English one."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    names: dict[str, str] = {}
    bids: Counter[str] = Counter()
    try:
        for row in ds.dataset(logs / "advertisers").to_table(columns=["advertiser_id", "name"]).to_pylist():
            names[row["advertiser_id"]] = row["name"]
        for counts in ds.dataset(logs / "bids").to_table(["advertiser_id"])["advertiser_id"].value_counts().to_pylist():
            bids[counts["values"]] = counts["counts"]
    except FileNotFoundError:
        return {}
    except pa.ArrowInvalid as error:
        raise CorruptError(f"The demo's logs in {logs} are damaged: {error}.", "Remove the folder.") from None
    found: dict[str, tuple[str, str]] = {}
    for advertiser_id, name in sorted(names.items(), key=lambda item: (-bids[item[0]], item[0])):
        found.setdefault("en" if name.isascii() else "zh", (advertiser_id, name))
    return dict(sorted(found.items()))


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
