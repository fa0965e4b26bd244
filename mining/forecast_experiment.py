"""Rolling held-out weeks of a simulated market, for the evaluations of forecasts and budgets.

For each origin the log up to it is mined and built; forecasts and choices are asked of the command line, as a caller
would (mining does not import the online path); and the weeks after it are run in the simulator with the bids in place
(`mining.simulator.probing`), so that what is forecast, and not something near it, is what is compared.
"""

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from indexes.arrays import Array
from indexes.errors import KRError, UsageError
from indexes.opened import Indexes
from indexes.text import normalise
from mining.build import build
from mining.build_tables import MinedTables
from mining.log_split import split_logs
from mining.mine import READ_TABLES, mine
from mining.settings import mining_settings
from mining.simulator.probing import MATCH_NUMBERS, PeopleSearches, people_searches, probe
from mining.simulator.setting import Setting, build_setting
from mining.simulator.sizes import DAY_MICROS, LAST_DAY, size_named
from mining.typed_texts import Bid, CloseVariants, TypedTexts

WEEKS = 4
"""Weeks forecast from each origin."""


@dataclass(frozen=True)
class Origin:
    """What is known at one origin: the first day that is forecast, the mined tables and the snapshot before it."""

    number: int
    day: date
    mined: MinedTables
    indexes: Indexes
    store: Path
    experiment: "Experiment"

    @cached_property
    def served(self) -> CloseVariants:
        """The typed texts by the groups of close variants that are known at the origin."""

        def group_of(text: str) -> int:
            found = self.indexes.keywords.find(text)
            return int(self.indexes.stats.canonical[found]) if found >= 0 else -1

        return self.experiment.typed.variants(group_of)

    def forecast(self, bids: Sequence[Bid]) -> dict[str, Any]:
        """The forecast of a plan by `manage.py plan forecast`."""
        return self._ask("forecast", bids)

    def choose(self, candidates: Sequence[Bid], budget_micros: int, goal: str) -> dict[str, Any]:
        """The set chosen by `manage.py plan budget`; a candidate's bid is no limit."""
        options = ["--budget", str(budget_micros / 1e6), "--goal", "value" if goal == "value_micros" else goal]
        return self._ask("budget", candidates, *options, with_bids=False)

    def outcomes(self, bids: Sequence[Bid], expected: bool = False) -> Array:
        """What the bids got in the weeks after the origin: float64 (bids, OUTCOMES); `expected` draws no clicks."""
        experiment = self.experiment
        begin = int(datetime.combine(self.day, time(), UTC).timestamp()) * 1_000_000
        return probe(
            experiment.setting,
            experiment.searches,
            (begin, begin + WEEKS * 7 * DAY_MICROS),
            self.served.owners(bids),
            np.array([experiment.row_of[bid.text] for bid in bids], np.int64),
            np.array([MATCH_NUMBERS[bid.match_type.lower()] for bid in bids], np.int64),
            np.array([bid.bid_micros for bid in bids], np.float64),
            seed=1000 + self.number,
            expected=expected,
        )

    def _ask(self, command: str, bids: Sequence[Bid], *options: str, with_bids: bool = True) -> dict[str, Any]:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "plan.jsonl"
            rows = [
                {"keyword": bid.text, "match_type": bid.match_type, "ad_group": bid.group or None}
                | ({"max_cpc_micros": bid.bid_micros} if with_bids else {})
                for bid in bids
            ]
            file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
            arguments = ["plan", command, str(file), "--store", str(self.store), "--weeks", str(WEEKS)]
            whole = [*self.experiment.manage, *arguments, "--start", self.day.isoformat(), *options, "--json"]
            done = subprocess.run(whole, capture_output=True, text=True, encoding="utf-8")
        if done.returncode:
            raise KRError(f"plan {command} failed: {done.stderr.strip()}", "Mend that, then evaluate again.")
        found: dict[str, Any] = json.loads(done.stdout)["data"]
        if len(found["keywords"]) != len(bids):
            raise KRError(f"plan {command} did not answer for every keyword.", "Evaluate with this version.")
        return found


class Experiment:
    """A simulated market, and its log cut at several origins, WEEKS apart, the last one WEEKS before the end."""

    def __init__(self, logs: Path, truth: Path, origins: int, manage: Sequence[str]) -> None:
        description = truth / "truth.json"
        if not description.is_file():
            raise UsageError(
                f"{truth} holds no truth.json: forecasts of bids that nobody made are judged in the simulator only.",
                "Name the truth folder of the simulation that made the logs.",
            )
        facts = json.loads(description.read_text(encoding="utf-8"))
        self.logs, self.manage = logs, manage
        self.setting: Setting = build_setting(size_named(facts["size"]), facts["seed"])
        end = LAST_DAY + timedelta(days=1)
        self.days = [end - timedelta(weeks=WEEKS * number) for number in range(origins, 0, -1)]
        first = int(datetime.combine(self.days[0], time(), UTC).timestamp()) * 1_000_000
        self.searches: PeopleSearches = people_searches(self.setting, first)
        self.typed = TypedTexts(self.setting.raw_text.to_pylist())
        self.row_of = {normalise(text): row for row, text in reversed(list(enumerate(self.setting.catalogue.text)))}

    def origins(self) -> Iterator[Origin]:
        """The origins, the oldest first; each is gone when the next is asked for."""
        for number, day in enumerate(self.days):
            with TemporaryDirectory() as work:
                folder = Path(work)
                split = split_logs(self.logs, READ_TABLES, datetime.combine(day, time(), UTC), folder / "cut")
                # Forecasts read demand and auctions; the rest of mining takes most of its time.
                mine(split.earlier, folder / "mined", mining_settings(()), demand_only=True)
                build(folder / "mined", folder / "store")
                yield Origin(
                    number, day, MinedTables(folder / "mined"), Indexes.open(folder / "store"), folder / "store", self
                )
