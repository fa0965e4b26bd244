"""The files that the commands of planning read and write."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexes.errors import UsageError
from indexes.terminal import progress, say

if TYPE_CHECKING:
    from kr.planning.accounting import Rejection
    from kr.planning.importing import PlanImport
    from kr.planning.plan import Plan
    from kr.planning.plan_row import PlanRow

OUT_FILE = click.Path(path_type=Path, dir_okay=False)


def format_of(path: Path) -> str:
    """The format that a file's name asks for. UsageError if it asks for none."""
    found = path.suffix.lower().removeprefix(".")
    if found not in ("csv", "xlsx", "jsonl"):
        raise UsageError(f"{path.name} does not end in .csv, .xlsx or .jsonl.", "Name it so, or say --format.")
    return found


def with_progress(importing: "PlanImport") -> "Iterator[PlanRow | Rejection]":
    """The rows of an import, counted on a terminal."""
    with progress("rows") as advance:
        for item in importing:
            advance(1)
            yield item


def plan_of(file: Path) -> "Plan":
    """The plan that a keyword file describes; rows that cannot be taken are counted on stderr."""
    from kr.planning.importing import PlanImport
    from kr.planning.operations import MOST_KEYWORDS
    from kr.planning.plan import Plan, PlanEditor
    from kr.planning.plan_row import PlanRow
    from kr.planning.plan_rows import add_rows
    from kr.planning.source_file import SourceFile
    from kr.settings import load_settings

    settings = load_settings()
    importing = PlanImport(SourceFile.at(file, settings.plan_max_bytes), max_rows=MOST_KEYWORDS)
    editor = PlanEditor(Plan())
    add_rows(editor, (item for item in with_progress(importing) if isinstance(item, PlanRow)))
    for reason, count in importing.report.reasons.most_common():
        say(f"{count:,} rows of {file.name} were not taken: {reason} (`plan import` shows them)")
    return editor.plan()
