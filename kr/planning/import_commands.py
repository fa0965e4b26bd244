"""`plan import`; heavy libraries are imported inside it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexes.terminal import print_json, say
from kr.planning.command_files import OUT_FILE, format_of, with_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kr.planning.accounting import ImportReport, Rejection
    from kr.planning.plan_row import PlanRow

SHOWN_REJECTIONS = 20


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=OUT_FILE, help="Write the rows that were taken: .jsonl, .csv or .xlsx; all or nothing.")
@click.option(
    "--rejects", type=OUT_FILE, help="Write the other rows as JSON lines; default beside --out, if there are any."
)
@click.option("--encoding", help="Read text in this encoding instead of finding it out: gb18030, big5, …")
@click.option("--drop-duplicates", is_flag=True, help="Reject rows that say the same as an earlier one; else marked.")
@click.option("--max-rows", type=click.IntRange(1), help="Most rows; default KR_PLAN_MAX_ROWS or 1,000,000.")
@click.option("--json", "as_json", is_flag=True, help="Print the accounting as JSON.")
def import_file(
    file: Path,
    out: Path | None,
    rejects: Path | None,
    encoding: str | None,
    drop_duplicates: bool,
    max_rows: int | None,
    as_json: bool,
) -> None:
    """Read FILE, whatever its format, and account for every row.

    Google Ads Editor, Microsoft bulk, Keyword Planner, keyword reports, SEMrush, plain CSV, XLSX and XLS are told apart
    by their content. Rows that cannot be taken are written with line, field and reason.
    """
    from kr.planning.accounting import Rejection
    from kr.planning.exporting import Export, write_whole
    from kr.planning.importing import PlanImport
    from kr.planning.source_file import SourceFile
    from kr.settings import load_settings

    settings = load_settings(plan_max_rows=max_rows)
    source = SourceFile.at(file, settings.plan_max_bytes)
    if out:
        output_format = format_of(out)
    importing = PlanImport(source, max_rows=settings.plan_max_rows, encoding=encoding, drop_duplicates=drop_duplicates)
    first: list[Rejection] = []
    rejects = rejects or (out.with_name(out.name + ".rejects.jsonl") if out else None)
    with _RejectsFile(rejects) as rejects_file:

        def rows() -> "Iterator[PlanRow]":
            for item in with_progress(importing):
                if isinstance(item, Rejection):
                    rejects_file.write(item)
                    if len(first) < SHOWN_REJECTIONS:
                        first.append(item)
                else:
                    yield item

        if out:
            export = Export(output_format, importing.months())
            write_whole(out, export.chunks(rows()))
        else:
            for _ in rows():
                pass
    _print_accounting(importing.report, first, out, rejects_file.path, as_json)


class _RejectsFile:
    """JSON lines of the rows that were not taken; the file exists only if there are some, and the import succeeds."""

    def __init__(self, path: Path | None) -> None:
        self._wanted = path
        self._lines: Any = None
        self.path: Path | None = None

    def __enter__(self) -> "_RejectsFile":
        import tempfile

        self._lines = tempfile.TemporaryFile("w+", encoding="utf-8")
        return self

    def write(self, rejection: "Rejection") -> None:
        """Add a row."""
        import json

        if self._wanted:
            self._lines.write(json.dumps(rejection.as_dict(), ensure_ascii=False) + "\n")

    def __exit__(self, kind: object, *_: object) -> None:
        from kr.planning.exporting import write_whole

        if self._wanted and kind is None:
            self._lines.flush()
            if self._lines.tell():
                self._lines.seek(0)
                write_whole(self._wanted, (line.encode() for line in self._lines))
                self.path = self._wanted
            else:
                # What an earlier import left there would be taken for this one's.
                self._wanted.unlink(missing_ok=True)
        self._lines.close()


def _print_accounting(
    report: "ImportReport", first: "list[Rejection]", out: Path | None, rejects: Path | None, as_json: bool
) -> None:
    from kr.planning.accounting import REASON_TEXTS, WARNING_TEXTS

    if as_json:
        files = {"out": str(out) if out else None, "rejects": str(rejects) if rejects else None}
        print_json({**report.as_dict(), **files, "rejections": [rejection.as_dict() for rejection in first]})
        return
    click.echo(f"{report.format}: {report.read:,} rows read, {report.kept:,} kept, {report.rejected:,} rejected")
    for counted, texts in ((report.reasons, REASON_TEXTS), (report.warnings, WARNING_TEXTS)):
        for name, count in counted.most_common():
            click.echo(f"  {count:>9,}  {name}: {texts[name][0]} / {texts[name][1]}")
    for rejection in first:
        shown = rejection.as_dict()
        place = f"{shown['sheet']} " if "sheet" in shown else ""
        say(f"  {place}line {shown['line']}, {shown['field'] or 'row'}: {shown['text_en']}: {shown['value'][:60]}")
    if rejects:
        say(f"all rejected rows: {rejects}")
