"""Lines of a file that a person gave, plain or .gz, with their numbers; what cannot be read is refused by place."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from indexes.errors import NotFoundError, UsageError


def numbered_lines(file: Path, what: str, option: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, without blanks at their ends, each with its number from 1.

    NotFoundError names the file, `what` it should hold and the option that named it; UsageError the broken line.
    """
    if not file.is_file():
        raise NotFoundError(f"The {what} {file} does not exist.", f"Name a file that does with {option}.")
    number = 0
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                if text:
                    yield number, text
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}, line {number}: not UTF-8 ({error.reason}).", "Save the file as UTF-8.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{file} cannot be read after line {number}: {error}.", "Write the file anew.") from None
