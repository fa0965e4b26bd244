"""The steps from nothing to a published snapshot of a simulated market, and the memory of which of them are done.

DIR/demo.json holds the parameters with which each finished step ran. A step is run again if it never finished, if its
parameters changed, or if a step before it ran.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from indexes.errors import UsageError

MEMORY = "demo.json"
SEED = 1


@dataclass(frozen=True)
class DemoStep:
    """A command of the command line ("train recommend": of a group), its parameters, and the folders that it makes."""

    command: str
    parameters: dict[str, Any]
    writes: tuple[Path, ...]
    keeps: tuple[Path, ...] = ()
    """Written too, but never removed: a store keeps earlier snapshots until publishing prunes them."""

    def identity(self) -> dict[str, Any]:
        """The parameters as they are remembered."""
        return {name: str(value) for name, value in self.parameters.items()} | {"version": _version()}


def demo_steps(folder: Path, size: str, trained: bool = False) -> tuple[DemoStep, ...]:
    """The steps in order; `trained`: with an order of recommendations that is learned from the log."""
    raw, logs, mined, store = folder / "raw", folder / "logs", folder / "mined", folder / "store"
    steps = [
        DemoStep("simulate", {"size": size, "seed": SEED, "out": folder}, (raw, folder / "truth")),
        DemoStep("ingest", {"adapter": "parquet", "path": raw, "out": logs}, (logs,)),
        DemoStep("mine", {"logs": logs, "out": mined}, (mined,)),
    ]
    build = {"mined": mined, "store": store}
    if trained:
        model = folder / "recommend"
        steps.append(DemoStep("train recommend", {"logs": logs, "out": model}, (model,)))
        build["recommend_model"] = model
    return (*steps, DemoStep("build", build, (), (store,)))


def claim_folder(folder: Path) -> None:
    """Make the demo's folder. UsageError if it holds something that no demo made: steps remove what they rewrite."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file.", "Name a folder with --dir.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MEMORY).is_file():
        raise UsageError(f"{folder} is not empty and was not made by the demo.", "Name a new folder with --dir.")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MEMORY).is_file():
        _remember(folder, {})


def pending(folder: Path, steps: Sequence[DemoStep]) -> Iterator[tuple[DemoStep, bool]]:
    """Each step and whether it must run. Run it before asking for the next one: then it counts as done."""
    done = _remembered(folder)
    again = False
    for step in steps:
        again = again or done.get(step.command) != step.identity() or not _complete(step)
        if again:
            done.pop(step.command, None)
            _remember(folder, done)
            for path in step.writes:
                shutil.rmtree(path, ignore_errors=True)
        yield step, again
        if again:
            done[step.command] = step.identity()
            _remember(folder, done)


def _complete(step: DemoStep) -> bool:
    return all(path.is_dir() and any(path.iterdir()) for path in (*step.writes, *step.keeps))


def _remembered(folder: Path) -> dict[str, Any]:
    try:
        remembered = json.loads((folder / MEMORY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return remembered if isinstance(remembered, dict) else {}


def _remember(folder: Path, done: dict[str, Any]) -> None:
    path = folder / MEMORY
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(done, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    unfinished.replace(path)


def _version() -> str:
    try:
        return version("kr")
    except PackageNotFoundError:
        return "source"
