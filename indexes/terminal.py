"""What the command line prints: data to stdout, progress and messages to stderr and only on a terminal."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Advance = Callable[[int], None]


def print_json(document: Any) -> None:
    """Print one JSON document to stdout: UTF-8, keys in the order given, lone surrogates replaced."""
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")


def say(message: str) -> None:
    """Print a message to stderr."""
    print(message, file=sys.stderr, flush=True)


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Advance]:
    """A progress bar on stderr if that is a terminal; otherwise nothing is drawn.

    Yields a function that advances the bar by a number of units (rows, bytes, steps).
    """
    if not sys.stderr.isatty():
        yield lambda units: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total)
        yield lambda units: bar.advance(task, units)


@contextmanager
def step(description: str) -> Iterator[None]:
    """Announce a step on stderr and, when it ends, the seconds it took."""
    started = time.monotonic()
    say(f"▸ {description} …")
    yield
    say(f"  {description}: done in {time.monotonic() - started:.1f} s")
