"""The real exports: every row accounted for, and the figures equal to those counted from the raw files another way."""

import csv
import gzip
import io
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlrd

from kr.planning.exporting import Export
from kr.planning.plan_row import MatchType, Status

pytestmark = pytest.mark.shared_data
Imported = Callable[..., Any]


def raw_rows(path: Path, encoding: str, delimiter: str) -> list[list[str]]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode(encoding)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def total(rows: list[Any], metric: str) -> Any:
    return sum(row.metrics.get(metric, 0) for row in rows)


def test_the_keyword_planner_export(shared_data: Path, imported: Imported) -> None:
    path = shared_data / "accounts" / "google_keyword_planner_export.csv"
    raw = raw_rows(path, "utf-16", "\t")[1:]
    result = imported(path.read_bytes())
    assert result.report.format == "google_keyword_planner" and result.report.encoding == "utf-16"
    assert (result.report.read, result.report.rejected) == (len(raw), 0) == (8899, 0)
    assert result.keywords == [row[0] for row in raw]
    assert total(result.rows, "avg_monthly_searches") == sum(int(row[2] or 0) for row in raw)
    assert total(result.rows, "competition_index") == sum(int(row[6] or 0) for row in raw)
    for column, metric in ((7, "low_top_of_page_bid_micros"), (8, "high_top_of_page_bid_micros")):
        assert total(result.rows, metric) == sum(Decimal(row[column] or 0) for row in raw) * 1_000_000
        assert sum(metric in row.metrics for row in result.rows) == sum(row[column] != "" for row in raw)
    for column, metric in ((3, "change_3m"), (4, "change_yoy")):
        found = Counter(row.metrics.get(metric) for row in result.rows)
        told = Counter(row[column].strip() for row in raw)
        assert found[float("inf")] == told["∞"] and found[None] == told["--"] and found[-0.9] == told["-90%"]
    levels = Counter(row.metrics.get("competition", "UNKNOWN") for row in result.rows)
    assert levels == Counter(row[5].upper() for row in raw)
    assert result.report.warnings == {"duplicates": len(raw) - len({row[0] for row in raw})}
    assert {row.currency for row in result.rows} == {"USD"}


def test_the_dutch_keyword_report(shared_data: Path, imported: Imported) -> None:
    path = shared_data / "accounts" / "google_ads_keyword_report_nl.csv.gz"
    raw = raw_rows(path, "utf-8", ",")
    keywords = [row for row in raw[3:] if row[1]]
    result = imported(path.read_bytes())
    report = result.report
    assert report.format == "google_ads_report" and report.decimal_mark == ","
    assert report.read == len(raw) - 3 and report.kept == len(keywords) == 5769
    assert report.reasons == {"total_row": 3} and report.set_aside == {"preamble": 2, "header": 1}
    assert result.keywords == [row[1].strip(' "[]') for row in keywords]
    types = {"Woordgroep": MatchType.PHRASE, "Breed zoeken": MatchType.BROAD, "Exact zoekwoord": MatchType.EXACT}
    assert [row.match_type for row in result.rows] == [types[row[7]] for row in keywords]
    assert [(row.campaign, row.ad_group) for row in result.rows] == [(row[2], row[3]) for row in keywords]
    states = {"Ingeschakeld": Status.ENABLED, "Onderbroken": Status.PAUSED}
    assert [row.status for row in result.rows] == [states[row[0]] for row in keywords]
    # The totals that the report itself states under its keywords.
    stated = next(row for row in raw if row[0].startswith("Totaal: Alle"))
    assert total(result.rows, "clicks") == int(stated[11].replace(".", "")) == 1696
    assert total(result.rows, "impressions") == int(stated[12].replace(".", "")) == 18_914
    assert total(result.rows, "conversions") == 77
    cost = sum(Decimal(row[15].replace(".", "").replace(",", ".")) for row in keywords)
    assert total(result.rows, "cost_micros") == cost * 1_000_000
    bids = Counter(row[6].split(" ")[0] for row in keywords if row[6].strip() != "--")
    assert Counter(row.max_cpc_micros for row in result.rows if row.max_cpc_micros) == {
        int(Decimal(text.replace(",", ".")) * 1_000_000): count for text, count in bids.items()
    }


def test_the_semrush_export(shared_data: Path, imported: Imported) -> None:
    path = shared_data / "accounts" / "semrush_keywords_nl.csv.gz"
    raw = raw_rows(path, "utf-8", ",")[1:]
    result = imported(path.read_bytes())
    assert result.report.format == "semrush"
    assert (result.report.read, result.report.rejected) == (len(raw), 0) == (29_413, 0)
    assert not result.report.warnings and result.keywords == [row[0] for row in raw]
    assert total(result.rows, "avg_monthly_searches") == sum(int(row[1]) for row in raw)
    assert total(result.rows, "cpc_micros") == sum(Decimal(row[3]) for row in raw) * 1_000_000
    assert [row.metrics["competition_index"] for row in result.rows] == [float(Decimal(row[4]) * 100) for row in raw]
    assert [row.other.get("Trend") for row in result.rows] == [row[7] for row in raw]
    assert {row.currency for row in result.rows} == {"USD"}


def test_the_old_workbook_of_a_search_account(shared_data: Path, imported: Imported) -> None:
    path = shared_data / "accounts" / "air_france_sem.xls"
    book = xlrd.open_workbook(path)
    sheet = book.sheet_by_name("DoubleClick")
    raw = [dict(zip(sheet.row_values(0), sheet.row_values(row), strict=True)) for row in range(1, sheet.nrows)]
    result = imported(path.read_bytes())
    report = result.report
    assert report.format == "xls" and (report.read, report.kept) == (len(raw), len(raw)) == (4510, 4510)
    kayak = book.sheet_by_name("Kayak")
    told = sum(any(kayak.row_values(row)) for row in range(kayak.nrows))
    assert report.set_aside == {"header": 1, "sheet_without_keywords": told, "blank": kayak.nrows - told}
    assert [row.keyword for row in result.rows] == [" ".join(row["Keyword"].split()).strip('"[]') for row in raw]
    assert [(row.campaign, row.ad_group) for row in result.rows] == [(r["Campaign"], r["Keyword Group"]) for r in raw]
    assert [row.max_cpc_micros for row in result.rows] == [round(r["Search Engine Bid"] * 1_000_000) for r in raw]
    assert total(result.rows, "clicks") == sum(row["Clicks"] for row in raw)
    assert total(result.rows, "impressions") == sum(row["Impressions"] for row in raw)
    assert total(result.rows, "cost_micros") == pytest.approx(sum(row["Total Cost"] for row in raw) * 1e6, abs=3000)
    paused = Counter(row["Status"] for row in raw)
    assert Counter(row.status for row in result.rows)[Status.PAUSED] == paused["Paused"]
    kept = Counter(row.other["Status"] for row in result.rows if row.status is None)
    assert kept == {name: paused[name] for name in ("Unavailable", "Sent", "Deactivated")}
    # Every cell of a column without a place is still there.
    for heading in ("Publisher Name", "Keyword ID", "Category", "Bid Strategy"):
        assert [row.other.get(heading, "") for row in result.rows] == [row[heading].strip() for row in raw]


@pytest.mark.parametrize(
    ("name", "format"), [("google_keyword_planner_export.csv", "csv"), ("air_france_sem.xls", "jsonl")]
)
def test_a_real_file_survives_export_and_import(shared_data: Path, imported: Imported, name: str, format: str) -> None:
    rows = imported((shared_data / "accounts" / name).read_bytes()).rows
    again = imported(b"".join(Export(format).chunks(rows)))
    assert again.rows == rows and not again.rejections
