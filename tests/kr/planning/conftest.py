"""Reading a file's bytes as an import does."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from kr.planning.accounting import ImportReport, Rejection
from kr.planning.importing import PlanImport
from kr.planning.plan_row import PlanRow
from kr.planning.source_file import SourceFile


@dataclass
class Imported:
    """What an import gave."""

    rows: list[PlanRow]
    rejections: list[Rejection]
    report: ImportReport

    @property
    def keywords(self) -> list[str]:
        return [row.keyword for row in self.rows]

    @property
    def refused(self) -> list[tuple[int, str]]:
        return [(rejection.line, rejection.reason) for rejection in self.rejections]


def import_bytes(content: bytes, *, max_rows: int = 100_000, most_bytes: int = 2**24, **options: object) -> Imported:
    importing = PlanImport(
        SourceFile("keywords.csv", content=content, most_bytes=most_bytes),
        max_rows=max_rows,
        **options,  # type: ignore[arg-type]
    )
    items = list(importing)
    report = importing.report
    assert report.read == len(items) == report.kept + report.rejected
    rows = [item for item in items if isinstance(item, PlanRow)]
    rejections = [item for item in items if isinstance(item, Rejection)]
    assert (len(rows), len(rejections)) == (report.kept, report.rejected)
    assert sum(report.reasons.values()) == report.rejected
    for rejection in rejections:
        shown = rejection.as_dict()
        assert shown["line"] > 0 and shown["text_en"] and shown["text_zh"]
    return Imported(rows, rejections, report)


@pytest.fixture(scope="session")
def imported() -> Callable[..., Imported]:
    """Imports bytes, or text as UTF-8, and checks that the accounting adds up."""

    def read(content: bytes | str, **options: object) -> Imported:
        return import_bytes(content.encode() if isinstance(content, str) else content, **options)  # type: ignore[arg-type]

    return read
