"""The operators' lists of unsafe terms in the database: each is a lexicon file's text under a name."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from indexes.errors import CorruptError, UsageError
from indexes.unsafe_lexicon import EXCEPTIONS, Lexicon, parse_lexicon

MOST_LISTS = 50
MOST_LIST_CHARS = 1_000_000
_NAME = re.compile(r"[^\x00-\x1f\x7f/]{1,80}")
NEW_LIST = "format: 1\nname: {name}\nlanguage: any\n"


@dataclass(frozen=True)
class StoredList:
    """A list of the operators: its name, and its text in the format of lexicon files."""

    name: str
    text: str

    def parsed(self) -> Lexicon:
        """The lexicon. UsageError names the list, the line and the remedy."""
        return parse_lexicon(self.text.encode(), Path(self.name))


def checked_list(name: str, text: str) -> StoredList:
    """A list that can go live. UsageError names the line and the remedy."""
    name = " ".join(name.split())
    if not _NAME.fullmatch(name):
        raise UsageError("A list's name has 1 to 80 characters, and no slash.", "Choose another name.")
    if len(text) > MOST_LIST_CHARS:
        raise UsageError(
            "{name} has {length:,} characters; {most:,} fit.",
            "Make two lists of it.",
            name=name,
            length=len(text),
            most=MOST_LIST_CHARS,
        )
    made = StoredList(name, text.replace("\r\n", "\n").replace("\r", "\n").rstrip() + "\n")
    made.parsed()
    return made


def with_list(lists: Sequence[StoredList], made: StoredList) -> tuple[StoredList, ...]:
    """The lists with one added, or replaced where it has the same name."""
    if made.name in (each.name for each in lists):
        return tuple(made if each.name == made.name else each for each in lists)
    if len(lists) >= MOST_LISTS:
        raise UsageError("There are {most} lists already.", "Put the terms into one of them.", most=MOST_LISTS)
    return (*lists, made)


def with_term(
    lists: Sequence[StoredList], name: str, term: str, category: str, severity: int
) -> tuple[StoredList, ...]:
    """The lists with a term in one of them, which is made if there is none. UsageError if the term cannot stand there.

    `category` may be `exceptions`: then the text is one in which no term is found.
    """
    term = " ".join(term.split())
    if not term or term.startswith(("#", "[")):
        raise UsageError("A term is a text that does not begin with # or [.", "Write the word itself.")
    section = f"[{EXCEPTIONS}]" if category == EXCEPTIONS else f"[{category} severity={severity}]"
    found = next((each for each in lists if each.name == name), StoredList(name, NEW_LIST.format(name=name)))
    lines = found.text.rstrip("\n").split("\n")
    if section in lines:
        lines.insert(lines.index(section) + 1, term)
    else:
        lines += ["", section, term]
    made = checked_list(name, "\n".join(lines))
    return with_list(lists, made)


def encode_lists(lists: Sequence[StoredList]) -> str:
    """The content of a version."""
    return json.dumps([{"name": each.name, "text": each.text} for each in lists], ensure_ascii=False, indent=1)


def decode_lists(content: str) -> tuple[StoredList, ...]:
    """The lists of a version. CorruptError if it is none."""
    try:
        return tuple(StoredList(row["name"], row["text"]) for row in json.loads(content)) if content else ()
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptError(
            f"The stored lists of unsafe terms are damaged: {error}.", "Put another version in force."
        ) from None
