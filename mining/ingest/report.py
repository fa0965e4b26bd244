"""What an ingest tells: how many rows were read, kept and rejected, why, and where they are."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexes.errors import KRError
from mining.ingest.reasons import NOT_A_DEFECT, REASONS
from mining.ingest.state import InputRecord


@dataclass(frozen=True)
class FileReport:
    """One file (for one table): `status` is "ingested", "replaced" (its content had changed) or "unchanged"."""

    record: InputRecord
    status: str


@dataclass(frozen=True)
class IngestReport:
    """The outcome of one ingest: read = kept + rejected, the reasons add up to rejected, in all and for each file."""

    adapter: str
    files: list[FileReport] = field(default_factory=list)
    rejects_folder: Path | None = None

    @property
    def read(self) -> int:
        return sum(file.record.read for file in self.files)

    @property
    def rejected(self) -> int:
        return sum(file.record.rejected for file in self.files)

    @property
    def kept(self) -> int:
        return self.read - self.rejected

    @property
    def reasons(self) -> dict[str, int]:
        """Rows by reason, the most frequent first."""
        total: Counter[str] = Counter()
        for file in self.files:
            total.update(file.record.reasons)
        return dict(sorted(total.items(), key=lambda pair: (-pair[1], pair[0])))

    @property
    def rejected_share(self) -> float:
        """Rejected rows to rows read, 0 to 1, leaving out of both the rows that are right but have no table."""
        passed_by = sum(count for reason, count in self.reasons.items() if reason in NOT_A_DEFECT)
        return (self.rejected - passed_by) / (self.read - passed_by) if self.read > passed_by else 0.0

    def tables(self) -> dict[str, dict[str, int | None]]:
        """For each table: the rows it has, and read, kept, rejected (None for a table derived from another's rows)."""
        tables: dict[str, dict[str, int | None]] = {}
        for file in self.files:
            for name, record in file.record.tables.items():
                counts = {"read": record.read, "kept": record.kept, "rejected": record.rejected, "rows": record.rows}
                before = tables.get(name)
                tables[name] = counts if before is None else {key: _sum(before[key], counts[key]) for key in counts}
        return dict(sorted(tables.items()))

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "adapter": self.adapter,
            "read": self.read,
            "kept": self.kept,
            "rejected": self.rejected,
            "reasons": self.reasons,
            "tables": self.tables(),
            "files": [
                {
                    "file": file.record.name,
                    "tables": sorted(file.record.tables),
                    "status": file.status,
                    "read": file.record.read,
                    "kept": file.record.kept,
                    "rejected": file.record.rejected,
                    "reasons": file.record.reasons,
                    "rejects": file.record.rejects,
                }
                for file in self.files
            ],
        }

    def summary(self) -> Iterable[str]:
        """The report as lines for a person."""
        yield f"{self.read:,} rows read, {self.kept:,} kept, {self.rejected:,} rejected"
        for reason, count in self.reasons.items():
            yield f"  {count:,} {reason}: {REASONS[reason]}"
        for name, counts in self.tables().items():
            yield f"  {name}: {counts['rows']:,} rows"
        if self.rejected and self.rejects_folder is not None:
            yield f"  the rejected rows, with file, line and reason: {self.rejects_folder}"


def _sum(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else left + right


class TooManyRejectsError(KRError):
    """More rows than allowed were rejected; nothing of the run was published. `report` says which."""

    def __init__(self, report: IngestReport, limit: float, place: Path) -> None:
        self.report = report
        defects = [(reason, count) for reason, count in report.reasons.items() if reason not in NOT_A_DEFECT]
        top = ", ".join(f"{reason} {count:,}" for reason, count in defects[:3])
        super().__init__(
            f"{sum(count for _, count in defects):,} of {report.read:,} rows were rejected "
            f"({report.rejected_share:.1%}, allowed are {limit:.1%}): {top}. They are listed in {place}.",
            "Nothing of this run was published. Correct the source or the mapping, "
            f"or allow more with --max-rejected {_next_limit(report.rejected_share)}.",
        )


def _next_limit(share: float) -> float:
    """A limit, in whole per cent, that would let this share pass."""
    return min(1.0, (int(share * 100) + 1) / 100)
