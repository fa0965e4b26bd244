"""Files of JSON lines, plain or gzipped: written whole or not at all, the same rows to the same bytes."""

import gzip
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from indexes.errors import KRError, UsageError


def refuse_existing(option: str, path: Path) -> None:
    """UsageError if there is something at a path that an option names for writing."""
    if path.exists():
        raise UsageError(f"{option} {path} exists.", "Name another file, or remove this one.")


def write_json_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write a row a line, gzipped if the name ends in .gz. KRError if the file cannot be written."""
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise KRError(f"{path} cannot be written: {error.strerror}.", "Name a file that you may write.") from error
