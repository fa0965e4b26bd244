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

from indexes.errors import UsageError

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

    def mistake(self, what: str, remedy: str) -> UsageError:
        """The error that names this term's place."""
        return UsageError(f"{self.file}, line {self.line}: {self.text!r} {what}.", remedy)


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
        raise UsageError(f"{SHIPPED_FOLDER} holds no lexicon: KR shows nothing unaudited.", "Install KR again.")
    return paths


def read_lexicon(path: Path) -> Lexicon:
    """Parse one lexicon file. Raises UsageError naming the file, the line and the remedy for any mistake in it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"The lexicon {path} cannot be read ({error.strerror}): KR shows nothing unaudited.",
            "Mend the path in the setting `lexicons`, or the file's permissions.",
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
        raise UsageError(f"{path} holds no term.", "Add a section and its terms, or take the file off the setting.")
    digest = hashlib.sha256(content).hexdigest()
    return Lexicon(path, header["name"], header["language"], tuple(terms), exceptions, digest)


def _lines(path: Path, content: bytes) -> list[str]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}, line {number}: the file is not UTF-8.", "Save it as UTF-8.") from None
    return [line.strip() for line in text.split("\n")]


def _parse_header(path: Path, number: int, line: str, header: dict[str, str]) -> None:
    key, separator, value = (part.strip() for part in line.partition(":"))
    if not separator or key not in _HEADER_KEYS:
        raise UsageError(
            f"{path}, line {number}: {line!r} is neither a header line nor in a section.",
            f"The header has {', '.join(f'{name}: …' for name in _HEADER_KEYS)}; terms follow a [category severity=N].",
        )
    if key in header:
        raise UsageError(f"{path}, line {number}: {key} is given twice.", "Remove one of the lines.")
    if key == "format" and value != str(FORMAT_VERSION):
        raise UsageError(
            f"{path}, line {number}: format {value!r} is not known to this version of KR.", f"Write `{key}: 1`."
        )
    if key == "language" and value not in _LANGUAGES:
        raise UsageError(f"{path}, line {number}: language {value!r}.", f"Write one of {', '.join(_LANGUAGES)}.")
    if not value:
        raise UsageError(f"{path}, line {number}: {key} is empty.", f"Write `{key}: …`.")
    header[key] = value


def _require_header(path: Path, number: int, header: dict[str, str]) -> None:
    for key in _HEADER_KEYS:
        if key not in header:
            raise UsageError(f"{path}, line {number}: the header lacks {key}.", f"Add a line `{key}: …` before it.")


def _parse_section(path: Path, number: int, line: str) -> _Section:
    def mistake(what: str, remedy: str) -> UsageError:
        return UsageError(f"{path}, line {number}: {what} in {line!r}.", remedy)

    example = "For example `[gambling severity=3 match=word]`."
    if not line.endswith("]"):
        raise mistake("the closing ] is missing", example)
    category, *options = line[1:-1].split() or [""]
    if _CATEGORY.fullmatch(category) is None:
        raise mistake(f"{category!r} is no category name", f"Use small letters, digits, - and _. {example}")
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
            raise mistake(f"{option!r} is not an option", f"The options are {choices}.")
    if category == EXCEPTIONS and options:
        raise mistake("exceptions take no options", "Write `[exceptions]`.")
    if category != EXCEPTIONS and not section.severity:
        raise mistake("the severity is missing", example)
    return section


def _check_text(path: Path, number: int, text: str) -> None:
    if len(text) > _LONGEST_TERM:
        raise UsageError(
            f"{path}, line {number}: a term of {len(text)} characters; the longest is {_LONGEST_TERM}.",
            "Put one term on a line.",
        )
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cn", "Cs", "Co"}:
            raise UsageError(
                f"{path}, line {number}: the character U+{ord(character):04X} does not belong into a term.",
                "Remove it.",
            )
