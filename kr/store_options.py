"""The options by which every command of the online path finds its snapshot."""

from pathlib import Path

import click

store_option = click.option(
    "--store", type=click.Path(path_type=Path), help="Snapshot store; default KR_STORE or var/store."
)
snapshot_option = click.option(
    "--snapshot",
    type=click.Path(path_type=Path),
    help="Another store, or one snapshot inside a store's snapshots folder.",
)


def store_and_snapshot(store: Path | None, snapshot: Path | None) -> tuple[Path | None, str | None]:
    """A path given as --snapshot may be a store or `store/snapshots/<id>`."""
    if snapshot is None:
        return store, None
    if snapshot.parent.name == "snapshots":
        return snapshot.parent.parent, snapshot.name
    return snapshot, None
