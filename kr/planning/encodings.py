"""Which encoding a text is in: by its byte order mark, its NULs, as UTF-8, or by what its other bytes look like.

Nothing is guessed that could be read otherwise: a file that is none of the encodings that are known is refused with the
first line that cannot be read.
"""

import codecs
import re

from indexes.errors import UsageError
from kr.planning.source_file import BLOCK_BYTES, SourceFile

SAMPLE_BYTES = 2**18
"""How many bytes of lines outside ASCII are looked at."""
FEW_BAD_LINES = 0.05
NUL_SHARE = 0.2
"""Of UTF-16 text in Latin letters half the bytes are NUL; fewer in text that is valid UTF-8 are stray."""
WORDS_SHARE = 0.3
"""The share of Chinese characters that must stand in words for text to be GB18030: of real queries 0.7 and more, of
Japanese, Korean or Russian text that happens to decode 0."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_REMEDY = "Save it as UTF-8, or name its encoding with --encoding."


def find_encoding(source: SourceFile, forced: str | None = None) -> str:
    """The name of a Python codec for the file, which takes a byte order mark off. UsageError names what was tried."""
    if forced:
        try:
            name = codecs.lookup(forced).name
            "a".encode(name)
        except (LookupError, TypeError, ValueError):
            raise UsageError(
                "“{forced}” is not an encoding that is known.",
                "Examples: utf-8, utf-16, gb18030, big5, windows-1252.",
                forced=forced,
            ) from None
        return "utf-8-sig" if name == "utf-8" else name
    head = source.head(4096)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if b"\0" in head and (found := _utf16_without_mark(source.name, head)):
        return found
    lines, seen, first_bad = _sample(source)
    bad = sum(not _decodes(line, "utf-8") for line in lines)
    if bad <= FEW_BAD_LINES * max(len(lines), 1) or (bad <= FEW_BAD_LINES * seen and 2 * bad <= len(lines)):
        return "utf-8-sig"
    return _legacy(source.name, lines, first_bad)


def _utf16_without_mark(name: str, head: bytes) -> str | None:
    """UTF-16 whose byte order mark is missing; None if the NULs are stray ones in other text."""
    if head.count(b"\0") < NUL_SHARE * len(head) and _decodes(head, "utf-8", whole=False):
        return None
    odd, even = head[1::2].count(b"\0"), head[0::2].count(b"\0")
    for codec, nuls, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if nuls and others <= nuls // 10 and _decodes(head, codec, whole=False):
            return codec
    raise UsageError(
        "{name} holds NUL bytes and is not UTF-16: it is no text file.", "Name a CSV or a spreadsheet.", name=name
    )


def _sample(source: SourceFile) -> tuple[list[bytes], int, int]:
    """Lines with other bytes than ASCII, how many lines were looked at, and the number of the first not in UTF-8."""
    lines: list[bytes] = []
    size = number = first_bad = 0
    rest = b""
    with source.open() as file:
        while size < SAMPLE_BYTES and (block := file.read(BLOCK_BYTES)):
            head, _, rest = (rest + block).rpartition(b"\n")
            if not head and len(rest) > BLOCK_BYTES:
                head, rest = rest, b""
            for line in head.split(b"\n") if head else ():
                number += 1
                if line.isascii() or size >= SAMPLE_BYTES:
                    continue
                lines.append(line)
                size += len(line)
                if not first_bad and not _decodes(line, "utf-8"):
                    first_bad = number
    if rest and not rest.isascii() and size < SAMPLE_BYTES:
        lines.append(rest)
        if not first_bad and not _decodes(rest, "utf-8"):
            first_bad = number + 1
    return lines, number + 1, first_bad


def _legacy(name: str, lines: list[bytes], first_bad: int) -> str:
    """The encoding from before Unicode that the lines are in.

    In Chinese text bytes above 127 stand in pairs which make words; in that of western Europe they stand alone.
    """
    text = b"\n".join(lines)
    runs = [len(run) for run in _HIGH_RUN.findall(text)]
    alone = sum(length == 1 for length in runs) / len(runs)
    readable = [line.decode("gb18030") for line in lines if _decodes(line, "gb18030")]
    if alone < 0.5 and len(readable) >= (1 - FEW_BAD_LINES) * len(lines):
        from indexes.text.segment import share_in_words

        if share_in_words("\n".join(readable)) >= WORDS_SHARE:
            return "gb18030"
    if alone >= 0.5 and all(_decodes(line, "cp1252") for line in lines):
        return "cp1252"
    raise UsageError(
        "{name}, line {line}: the text is neither UTF-8 nor UTF-16, and does not look like GB18030 or windows-1252 "
        "(latin-1) either.",
        _REMEDY,
        name=name,
        line=first_bad,
    )


def _decodes(data: bytes, encoding: str, whole: bool = True) -> bool:
    """Whether bytes are text; if they are not the `whole` of it, the last character may be cut."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(data, whole)
    except UnicodeDecodeError:
        return False
    return True
