"""Lexicon files: the lists of unsafe terms that KR ships and that an operator adds.

A lexicon is UTF-8 text. A header, then sections of terms, one a line; a line that begins with # is a comment:

    format: 1
    name: Our own list
    language: zh

    [gambling severity=3]
    赌博平台
    [tobacco severity=2 match=word pinyin=no]
    vape
    [exceptions]
    博物馆

A section's head names the category (porn, gambling, drugs, weapons, or one of your own) and the severity, 1 mild to 3
worst. `match` is `word` (whole words; for Chinese, on the word boundaries of the segmenter), `substring` (anywhere),
or `whole` (the keyword is nothing else); left out, it is `word` for terms in Latin letters and `substring` for others.
`pinyin=no` keeps a Chinese term from being matched when spelt in pinyin, for terms such as 冰毒: bingdu is also 病毒.

An exception is an innocent text around a term: no term is found strictly inside one. An exception that equals a term of
an earlier file takes that term away, so that an operator can allow what KR ships as unsafe.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from indexes.errors import Message, UsageError

FORMAT_VERSION = 1
EXCEPTIONS = "exceptions"
MATCH_KINDS = ("word", "substring", "whole")
SHIPPED_FOLDER = Path(__file__).with_name("lexicons")

_HEADER_KEYS = ("format", "name", "language")
_LANGUAGES = ("zh", "en", "any")
_CATEGORY = re.compile(r"[a-z][a-z0-9_-]{0,30}")
_LONGEST_TERM = 100


@dataclass(frozen=True)
class Term:
    """One unsafe term and where it stands. `match` is None where the script decides."""

    text: str
    category: str
    severity: int
    match: str | None
    has_pinyin: bool
    file: Path
    line: int

    def mistake(self, what: Message, remedy: Message) -> UsageError:
        """The error that names this term's place."""
        return UsageError(
            "{file}, line {line}: {text!r} {what}.", remedy, file=self.file, line=self.line, text=self.text, what=what
        )


@dataclass(frozen=True)
class Lexicon:
    """A parsed lexicon file; `exceptions` maps each to its line, `sha256` is that of the file's bytes (hex)."""

    path: Path
    name: str
    language: str
    terms: tuple[Term, ...]
    exceptions: dict[str, int]
    sha256: str


@dataclass
class _Section:
    category: str
    severity: int = 0
    match: str | None = None
    has_pinyin: bool = True


def shipped_lexicons() -> list[Path]:
    """The lexicon files that KR ships, in order. Raises UsageError if the installation lacks them."""
    paths = sorted(SHIPPED_FOLDER.glob("*.txt"))
    if not paths:
        raise UsageError(
            "{folder} holds no lexicon: KR shows nothing unaudited.", "Install KR again.", folder=SHIPPED_FOLDER
        )
    return paths


def read_lexicon(path: Path) -> Lexicon:
    """Parse one lexicon file. Raises UsageError naming the file, the line and the remedy for any mistake in it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            "The lexicon {file} cannot be read ({strerror}): KR shows nothing unaudited.",
            "Mend the path in the setting `lexicons`, or the file's permissions.",
            file=path,
            strerror=error.strerror,
        ) from None
    return parse_lexicon(content, path)


def parse_lexicon(content: bytes, path: Path) -> Lexicon:
    """Parse what a lexicon file holds; `path` is how mistakes name it. UsageError as `read_lexicon`."""
    header: dict[str, str] = {}
    terms: list[Term] = []
    exceptions: dict[str, int] = {}
    section: _Section | None = None
    for number, line in enumerate(_lines(path, content), start=1):
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            if section is None:
                _require_header(path, number, header)
            section = _parse_section(path, number, line)
        elif section is None:
            _parse_header(path, number, line, header)
        else:
            _check_text(path, number, line)
            if section.category == EXCEPTIONS:
                exceptions[line] = number
            else:
                terms.append(
                    Term(line, section.category, section.severity, section.match, section.has_pinyin, path, number)
                )
    if not terms and not exceptions:
        raise UsageError(
            "{file} holds no term.", "Add a section and its terms, or take the file off the setting.", file=path
        )
    digest = hashlib.sha256(content).hexdigest()
    return Lexicon(path, header["name"], header["language"], tuple(terms), exceptions, digest)


def _lines(path: Path, content: bytes) -> list[str]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        raise UsageError(
            "{file}, line {number}: the file is not UTF-8.", "Save it as UTF-8.", file=path, number=number
        ) from None
    return [line.strip() for line in text.split("\n")]


def _parse_header(path: Path, number: int, line: str, header: dict[str, str]) -> None:
    key, separator, value = (part.strip() for part in line.partition(":"))
    if not separator or key not in _HEADER_KEYS:
        raise UsageError(
            "{file}, line {number}: {line!r} is neither a header line nor in a section.",
            "The header has {keys}; terms follow a [category severity=N].",
            file=path,
            number=number,
            line=line,
            keys=", ".join(f"{name}: …" for name in _HEADER_KEYS),
        )
    if key in header:
        raise UsageError(
            "{file}, line {number}: {key} is given twice.",
            "Remove one of the lines.",
            file=path,
            number=number,
            key=key,
        )
    if key == "format" and value != str(FORMAT_VERSION):
        raise UsageError(
            "{file}, line {number}: format {value!r} is not known to this version of KR.",
            "Write `{key}: 1`.",
            file=path,
            number=number,
            value=value,
            key=key,
        )
    if key == "language" and value not in _LANGUAGES:
        raise UsageError(
            "{file}, line {number}: language {value!r}.",
            "Write one of {choices}.",
            file=path,
            number=number,
            value=value,
            choices=", ".join(_LANGUAGES),
        )
    if not value:
        raise UsageError(
            "{file}, line {number}: {key} is empty.", "Write `{key}: …`.", file=path, number=number, key=key
        )
    header[key] = value


def _require_header(path: Path, number: int, header: dict[str, str]) -> None:
    for key in _HEADER_KEYS:
        if key not in header:
            raise UsageError(
                "{file}, line {number}: the header lacks {key}.",
                "Add a line `{key}: …` before it.",
                file=path,
                number=number,
                key=key,
            )


def _parse_section(path: Path, number: int, line: str) -> _Section:
    def mistake(what: Message, remedy: Message) -> UsageError:
        return UsageError(
            "{file}, line {number}: {what} in {line!r}.", remedy, file=path, number=number, what=what, line=line
        )

    example = Message("For example `[gambling severity=3 match=word]`.")
    if not line.endswith("]"):
        raise mistake(Message("the closing ] is missing"), example)
    category, *options = line[1:-1].split() or [""]
    if _CATEGORY.fullmatch(category) is None:
        raise mistake(
            Message("{category!r} is no category name", category=category),
            Message("Use small letters, digits, - and _. {example}", example=example),
        )
    section = _Section(category)
    for option in options:
        key, _, value = option.partition("=")
        if key == "severity" and value in {"1", "2", "3"}:
            section.severity = int(value)
        elif key == "match" and value in MATCH_KINDS:
            section.match = value
        elif key == "pinyin" and value in {"yes", "no"}:
            section.has_pinyin = value == "yes"
        else:
            choices = f"severity=1|2|3, match={'|'.join(MATCH_KINDS)}, pinyin=yes|no"
            raise mistake(
                Message("{option!r} is not an option", option=option),
                Message("The options are {choices}.", choices=choices),
            )
    if category == EXCEPTIONS and options:
        raise mistake(Message("exceptions take no options"), Message("Write `[exceptions]`."))
    if category != EXCEPTIONS and not section.severity:
        raise mistake(Message("the severity is missing"), example)
    return section


def _check_text(path: Path, number: int, text: str) -> None:
    if len(text) > _LONGEST_TERM:
        raise UsageError(
            "{file}, line {number}: a term of {length} characters; the longest is {most}.",
            "Put one term on a line.",
            file=path,
            number=number,
            length=len(text),
            most=_LONGEST_TERM,
        )
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cn", "Cs", "Co"}:
            raise UsageError(
                "{file}, line {number}: the character U+{code:04X} does not belong into a term.",
                "Remove it.",
                file=path,
                number=number,
                code=ord(character),
            )
