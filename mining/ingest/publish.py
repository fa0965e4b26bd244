"""Making what was finished count: every file in its place and on the disk, then the state; then leftovers go.

A crash before the state is replaced leaves the old state with all its parts, and files that nobody reads; a crash after
it leaves files that nobody reads. The next ingest removes them.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from mining.ingest.durable import fsync_path
from mining.ingest.finishing import Finished
from mining.ingest.state import State, write_state
from mining.schema import canonical_tables

WORK_FOLDER = ".ingest"
REJECTS_FOLDER = "rejects"


def publish(out: Path, finished: Iterable[Finished], state: State) -> None:
    """Put the files of `finished` in their places and make `state`, which names them, the state of the folder."""
    folders = {out}
    for one in finished:
        for name, path in one.files.items():
            place = out / name
            place.parent.mkdir(exist_ok=True)
            path.replace(place)
            folders.add(place.parent)
    for folder in sorted(folders):
        fsync_path(folder)
    write_state(out, state)
    clean_up(out, state)


def keep_rejects(out: Path, finished: Iterable[Finished]) -> list[Path]:
    """Put only the rejects in their place, for a run that is not published; returns their paths."""
    places = []
    for one in finished:
        if one.record.rejects is not None:
            place = out / one.record.rejects
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(one.files[one.record.rejects], place)
            places.append(place)
    return places


def clean_up(out: Path, state: State) -> None:
    """Remove what the state does not name: parts and rejects of earlier runs, staged inputs, temporary files."""
    named = {out / name / table.part for record in state.inputs.values() for name, table in record.tables.items()} | {
        out / record.rejects for record in state.inputs.values() if record.rejects is not None
    }
    patterns = [(out / name, "part-*.parquet") for name in canonical_tables()] + [(out / REJECTS_FOLDER, "*.jsonl")]
    for folder, pattern in patterns:
        present = list(folder.glob(pattern))
        for path in present:
            if path not in named:
                path.unlink()
        if present and not any(folder.iterdir()):
            folder.rmdir()
    shutil.rmtree(out / WORK_FOLDER, ignore_errors=True)
