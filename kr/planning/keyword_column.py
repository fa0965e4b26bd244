"""The keywords of a file, whatever its format, each once: what a list or a search starts from."""

from dataclasses import dataclass
from pathlib import Path

from indexes.errors import UsageError
from indexes.text import normalise
from kr.planning.accounting import ImportReport, Rejection
from kr.planning.importing import PlanImport
from kr.planning.source_file import SourceFile
from kr.settings import Settings

SHOWN_REJECTIONS = 20


@dataclass(frozen=True)
class KeywordColumn:
    """The distinct keywords, normalised, in the file's order; what became of every row; the first rows not taken.

    `negative` and `repeated` count the rows that were read but name no new keyword to search for.
    """

    keywords: tuple[str, ...]
    report: ImportReport
    rejections: tuple[Rejection, ...]
    negative: int
    repeated: int


def read_keyword_column(source: SourceFile, *, most_keywords: int, max_rows: int, max_chars: int) -> KeywordColumn:
    """Read the keywords of a file. UsageError if it is none that is read, or holds more than so many keywords."""
    importing = PlanImport(source, max_rows=max_rows)
    keywords: dict[str, None] = {}
    rejections: list[Rejection] = []
    negative = repeated = 0
    for item in importing:
        if isinstance(item, Rejection):
            rejections.append(item)
            continue
        keyword = normalise(item.keyword)
        if item.negative:
            negative += 1
        elif keyword in keywords:
            repeated += 1
        elif len(keyword) > max_chars:
            # The importer takes what any format may hold; here it must be possible to search for it.
            importing.report.kept -= 1
            importing.report.reasons["keyword_too_long"] += 1
            rejections.append(Rejection(item.line, "keyword_too_long", "keyword", item.keyword, item.sheet))
        else:
            keywords[keyword] = None
        if len(keywords) > most_keywords:
            raise UsageError(
                "{file} has more than {most:,} keywords by line {line}; nothing was taken.",
                "Split the file.",
                file=source.name,
                most=most_keywords,
                line=item.line,
            )
    return KeywordColumn(tuple(keywords), importing.report, tuple(rejections[:SHOWN_REJECTIONS]), negative, repeated)


def given_keywords(path: Path, settings: Settings) -> tuple[list[str], ImportReport]:
    """The keywords of a file as they stand there, in its order and with repeats, for scoring; negative ones left out.

    UsageError for a file that is none that is read, or has too many rows.
    """
    importing = PlanImport(SourceFile.at(path, settings.plan_max_bytes), max_rows=settings.plan_max_rows)
    given = [item.keyword for item in importing if not isinstance(item, Rejection) and not item.negative]
    return given, importing.report
