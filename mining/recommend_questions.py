"""What accounts bought after a moment, and what a snapshot of the log before it knows of them.

The log is cut by time (`mining.log_split`): the earlier part is mined and built like any snapshot, and nothing else is
read when keywords are recalled. New is what an account buys in the later part and did not buy in the earlier one: a bid
made then that stands, or an ad for a keyword that had none. A keyword that the earlier log never saw cannot be
recommended, and counts as bought all the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from indexes.account_recall import AccountProfile, AccountRecall, Recalled
from indexes.arrays import Array, ArrayFolder
from indexes.errors import UsageError
from indexes.opened import Indexes
from indexes.terminal import progress, step
from indexes.text import normalise
from indexes.unsafe_terms import UnsafeTerms
from mining.build import PARTS, write_parts
from mining.build_tables import MinedTables
from mining.canonical_logs import find_log_files
from mining.log_split import SplitLog
from mining.mine import READ_TABLES, mine
from mining.settings import MiningSettings

SPLIT_TABLES = (*READ_TABLES, "feedback")
LEAST_USERS = 5
"""Keywords of fewer users are shown to nobody (the setting related_min_users of serving)."""
HISTORY, COLD = "history", "cold start"
UNKNOWN = -1
UP, DOWN = ("up", "saved"), ("not_my_business", "irrelevant")


@dataclass(frozen=True)
class Question:
    """One account to recommend to: its place, what may be known of it, and what it buys.

    `bought` int64 are ids of keywords, distinct; UNKNOWN stands for each that the earlier log never saw.
    """

    account: int
    profile: AccountProfile
    bought: Array
    liked: Array
    """What it thought well of later, without buying it; int64."""

    @property
    def hidden(self) -> bool:
        """Whether the account is asked for as if it had never bought anything."""
        return not len(self.profile.owned)


class EarlierLog:
    """The earlier part of a log, mined and built, and what accounts did afterwards."""

    def __init__(self, split: SplitLog, settings: MiningSettings, folder: Path) -> None:
        mined, parts = folder / "mined", folder / "parts"
        with step("mine the earlier part"):
            mine(split.earlier, mined, settings)
        parts.mkdir()
        with step("build its index"), progress("build", len(PARTS)) as advance:
            write_parts(MinedTables(mined), UnsafeTerms.load(()), parts, advance)
        self.indexes = Indexes.read(ArrayFolder(parts), split.earlier.name)
        if self.indexes.accounts is None:
            raise UsageError(
                f"The log before {split.moment:%Y-%m-%d} knows of no advertiser, so nothing can be recommended to any.",
                "Ingest the tables bids, ad_events and advertisers.",
            )
        self.accounts = self.indexes.accounts
        self.recall = AccountRecall(self.indexes, self.accounts, LEAST_USERS)
        self.split = split
        before, after = bought_texts(split.earlier), bought_texts(split.later)
        self._new = {account: after[account] - before.get(account, set()) for account in after}
        self._said_before, self._said_after = read_verdicts(split.earlier), read_verdicts(split.later)

    def questions(self, variant: str) -> Iterator[Question]:
        """The accounts that buy something new (HISTORY: and that bought before), in order.

        COLD asks for every account that buys anything as if it had never bought: all its purchases are to be found.
        """
        for account in range(len(self.accounts)):
            name = self.accounts.ids[account]
            owned = self.accounts.owned_keywords(account)
            new = self._ids(self._new.get(name, set()))
            liked = self._known(self._said_after.get(name, {}), UP)
            if variant == HISTORY and len(owned) and len(new):
                yield Question(account, self.profile(account), new, np.setdiff1d(liked, owned))
            elif variant == COLD and len(owned) + len(new):
                bought = np.concatenate([owned.astype(np.int64), new])
                yield Question(account, self.recall.profile(account, known_purchases=False), bought, liked)

    def profile(self, account: int) -> AccountProfile:
        """What was known of an account before the cut, what it said of keywords included."""
        plain = self.recall.profile(account)
        said = self._said_before.get(self.accounts.ids[account], {})
        liked, disliked = (self._known(said, verdicts).astype(np.int32) for verdicts in (UP, DOWN))
        return AccountProfile(
            plain.owned, plain.industry, plain.site_terms, plain.site_weights, liked, disliked, plain.left_out
        )

    def shown(self, question: Question, recalled: Recalled) -> Array:
        """Which candidates may be shown, bool: safe, no close variant of what is owned or disliked."""
        ids, stats = recalled.keyword_id, self.indexes.stats
        taken = np.concatenate([question.profile.owned, question.profile.disliked])
        allowed = self.indexes.unsafe_severity[ids] == 0
        return allowed & ~np.isin(stats.canonical[ids], stats.canonical[taken])

    def _ids(self, texts: set[str]) -> Array:
        return np.array([self.indexes.keywords.find(text) for text in sorted(texts)], np.int64)

    def _known(self, said: dict[str, str], verdicts: tuple[str, ...]) -> Array:
        ids = self._ids({keyword for keyword, verdict in said.items() if verdict in verdicts})
        return np.unique(ids[ids >= 0])


def bought_texts(logs: Path) -> dict[str, set[str]]:
    """The normalised keywords that each advertiser buys by these logs: by a bid that stands, or by an ad."""
    found: dict[str, set[str]] = {}
    for name in ("bids", "ad_events"):
        for path in find_log_files(logs, name).files:
            columns = ["advertiser_id", "keyword", *(["status"] if name == "bids" else [])]
            rows = pq.read_table(path, columns=columns)
            if name == "bids":
                rows = rows.filter(pc.not_equal(rows["status"], "removed"))
            for row in distinct(rows.select(["advertiser_id", "keyword"])).to_pylist():
                if keyword := normalise(row["keyword"]):
                    found.setdefault(row["advertiser_id"], set()).add(keyword)
    return found


def distinct(rows: pa.Table) -> pa.Table:
    """The distinct rows."""
    return rows.group_by(rows.column_names, use_threads=False).aggregate([])


def read_verdicts(logs: Path) -> dict[str, dict[str, str]]:
    """By account and normalised keyword the last verdict; empty if nobody was asked."""
    rows = []
    for path in find_log_files(logs, "feedback").files:
        rows += pq.read_table(path, columns=["ts", "account_id", "keyword", "verdict"]).to_pylist()
    said: dict[str, dict[str, str]] = {}
    for row in sorted(rows, key=lambda row: (row["ts"], row["account_id"], row["keyword"], row["verdict"])):
        said.setdefault(row["account_id"], {})[normalise(row["keyword"])] = row["verdict"]
    return said
