"""Each format as its product writes it."""

import gzip
import io
import math
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter

from kr.planning.plan_row import MatchType, PlanRow, Status

Imported = Callable[..., Any]

EDITOR = (
    "Campaign\tAd Group\tKeyword\tCriterion Type\tMax CPC\tFinal URL\tStatus\tLabels\n"
    "Shoes\tRunning\t +running +shoes\tBroad\t1.25\thttps://a.example/\tEnabled\tspring;sale\n"
    "Shoes\tRunning\t[trail shoes]\tExact\t\t\tPaused\t\n"
    "Shoes\tRunning\tfree\tNegative Phrase\t\t\t\t\n"
    "Shoes\t\tjobs\tCampaign Negative Broad\t\t\t\t\n"
    "Shoes\t\t\t\t\t\tEnabled\t\n"
)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_google_ads_editor_is_read_in_all_its_encodings(imported: Imported, encoding: str, delimiter: str) -> None:
    result = imported(EDITOR.replace("\t", delimiter).encode(encoding))
    assert result.report.format == "google_ads_editor"
    assert result.rows == [
        PlanRow("+running +shoes", "Shoes", "Running", MatchType.BROAD, False, 1_250_000, "", "https://a.example/",
                Status.ENABLED, ("spring", "sale")),
        PlanRow("trail shoes", "Shoes", "Running", MatchType.EXACT, status=Status.PAUSED),
        PlanRow("free", "Shoes", "Running", MatchType.PHRASE, True),
        PlanRow("jobs", "Shoes", "", MatchType.BROAD, True),
    ]  # fmt: skip
    assert result.refused == [(6, "not_a_keyword")]


def test_microsoft_bulk_tells_keywords_from_everything_else(imported: Imported) -> None:
    result = imported(
        "Type,Status,Id,Parent Id,Campaign,Ad Group,Keyword,Match Type,Bid,Name,Final Url\n"
        "Format Version,,,,,,,,,6.0,\n"
        "Campaign,Active,-1,0,Shoes,,,,,,\n"
        "Keyword,Active,7,-2,Shoes,Running,red shoes,Broad,0.5,,https://a.example/\n"
        "Ad Group Negative Keyword,Active,,-2,Shoes,Running,free,Exact,,,\n"
        "Campaign Negative Keyword,Deleted,,-1,Shoes,,jobs,Phrase,,,\n"
    )
    assert result.report.format == "microsoft_bulk"
    assert result.rows == [
        PlanRow("red shoes", "Shoes", "Running", MatchType.BROAD, False, 500_000, "", "https://a.example/",
                Status.ENABLED, other={"Id": "7", "Parent Id": "-2"}),
        PlanRow("free", "Shoes", "Running", MatchType.EXACT, True, status=Status.ENABLED, other={"Parent Id": "-2"}),
        PlanRow("jobs", "Shoes", "", MatchType.PHRASE, True, status=Status.REMOVED, other={"Parent Id": "-1"}),
    ]  # fmt: skip
    assert result.refused == [(3, "not_a_keyword")]
    assert result.report.set_aside == {"header": 1, "about_the_file": 1}


def test_a_keyword_planner_export_has_preamble_infinities_blanks_and_months(imported: Imported) -> None:
    text = (
        "Keyword Stats 2024-03-01 at 12_30_11\nJanuary 1, 2023 - December 31, 2023\n"
        "Keyword\tCurrency\tAvg. monthly searches\tThree month change\tYoY change\tCompetition\t"
        "Competition (indexed value)\tTop of page bid (low range)\tTop of page bid (high range)\tIn account?\t"
        "Searches: Jan 2023\tSearches: Feb 2023\n"
        "鲜花\tCNY\t5,000\t∞\t-90%\tHigh\t87\t1.2\t13.05\tY\t4,400\t\n"
        "玫瑰\tCNY\t\t --\t --\tUnknown\t\t\t\t\t\t\n"
    )
    result = imported(text.encode("utf-16"))
    first, second = result.rows
    assert result.report.format == "google_keyword_planner" and result.report.set_aside == {"preamble": 2, "header": 1}
    assert first == PlanRow(
        "鲜花",
        currency="CNY",
        metrics={
            "avg_monthly_searches": 5000,
            "change_3m": math.inf,
            "change_yoy": -0.9,
            "competition": "HIGH",
            "competition_index": 87,
            "low_top_of_page_bid_micros": 1_200_000,
            "high_top_of_page_bid_micros": 13_050_000,
        },
        months={"2023-01": 4400},
        source="google_keyword_planner",
        other={"In account?": "Y"},
    )
    assert second == PlanRow("玫瑰", currency="CNY")
    assert result.report.months == ("2023-01", "2023-02")


def test_an_old_planner_export_has_ranges_of_searches(imported: Imported) -> None:
    result = imported("Keyword,Min search volume,Max search volume,Competition\nroses,100,1000,Low\n")
    assert result.rows[0].metrics == {"min_monthly_searches": 100, "max_monthly_searches": 1000, "competition": "LOW"}
    result = imported("Keyword,Avg. Monthly Searches (exact match only),Competition\nroses,10 – 100,Low\n")
    assert result.rows[0].metrics == {"min_monthly_searches": 10, "max_monthly_searches": 100, "competition": "LOW"}


def test_a_planner_export_in_chinese(imported: Imported) -> None:
    result = imported(
        "关键字\t货币\t平均每月搜索量\t三个月变化\t竞争程度\t页首出价（低位区间）\n鲜花\tCNY\t500\t0%\t中\t1.5\n"
    )
    assert result.report.format == "google_keyword_planner"
    assert result.rows[0].metrics == {
        "avg_monthly_searches": 500,
        "change_3m": 0.0,
        "competition": "MEDIUM",
        "low_top_of_page_bid_micros": 1_500_000,
    }


def test_semrush_density_becomes_a_competition_index(imported: Imported) -> None:
    result = imported(
        "Keyword,Volume,Keyword Difficulty,CPC (USD),Competitive Density,Number of Results,SERP Features,Trend\n"
        'roses,60500,90.69,0.37,0.83,4220000,"Reviews, Video","0.67,0.82"\n'
    )
    assert result.report.format == "semrush"
    assert result.rows == [
        PlanRow(
            "roses",
            currency="USD",
            metrics={
                "avg_monthly_searches": 60500,
                "keyword_difficulty": 90.69,
                "cpc_micros": 370_000,
                "competition_index": 83,
                "results": 4_220_000,
            },
            source="semrush",
            other={"SERP Features": "Reviews, Video", "Trend": "0.67,0.82"},
        )
    ]


def test_a_keyword_report_is_undecorated_and_its_totals_are_no_keywords(imported: Imported) -> None:
    result = imported(
        "Search keyword report\nMay 1, 2024 - May 31, 2024\n"
        "Keyword status,Keyword,Campaign,Ad group,Currency code,Match type,Max. CPC,Clicks,Impr.,CTR,Avg. CPC,Cost\n"
        'Enabled,"""red shoes""",Shoes,Red,USD,Phrase match,0.75 (enhanced),"1,234","20,110",6.14%,0.88,"1,085.92"\n'
        "Enabled,[blue shoes],Shoes,Blue,USD,Exact match, --,0,0, --, --,0.00\n"
        'Total: Account,,,,USD,,,"1,234","20,110",6.14%,0.88,"1,085.92"\n'
    )
    assert result.report.format == "google_ads_report" and result.refused == [(6, "total_row")]
    red, blue = result.rows
    assert (red.keyword, red.match_type, red.max_cpc_micros) == ("red shoes", MatchType.PHRASE, 750_000)
    assert red.other == {"Max. CPC": "0.75 (enhanced)"}
    assert red.metrics == {
        "clicks": 1234, "impressions": 20_110, "ctr": 0.0614, "cpc_micros": 880_000, "cost_micros": 1_085_920_000,
    }  # fmt: skip
    assert (blue.keyword, blue.match_type, blue.max_cpc_micros) == ("blue shoes", MatchType.EXACT, None)
    assert "ctr" not in blue.metrics


@pytest.mark.parametrize(
    ("text", "keywords"),
    [
        ("鲜花\n玫瑰\n", ["鲜花", "玫瑰"]),
        ("鲜花\r\n玫瑰", ["鲜花", "玫瑰"]),
        ("鲜花\r玫瑰\r", ["鲜花", "玫瑰"]),
        ("Keyword\nred, blue shoes\nroses\n", ["red, blue shoes", "roses"]),
        ("roses\nairfrance,com\nlilies\ntulips\ndaisies\n", ["roses", "airfrance,com", "lilies", "tulips", "daisies"]),
        ("1,roses\n2,lilies\n3,tulips\n", ["roses", "lilies", "tulips"]),
        ("关键词；出价\n", ["关键词；出价"]),
        ('"red shoes"\nroses\n', ["red shoes", "roses"]),
        ("[red shoes]\n", ["red shoes"]),
    ],
)
def test_a_plain_list_needs_neither_header_nor_columns(imported: Imported, text: str, keywords: list[str]) -> None:
    assert imported(text).keywords == keywords


@pytest.mark.parametrize(("delimiter", "decimal"), [(",", "."), (";", ","), ("\t", "."), ("|", ".")])
def test_plain_csv_with_any_separator(imported: Imported, delimiter: str, decimal: str) -> None:
    text = f"keyword;match type;bid\nred shoes;exact;1{decimal}50\n".replace(";", delimiter)
    result = imported(text)
    assert result.report.format == "csv" and result.report.delimiter == delimiter
    assert result.rows == [PlanRow("red shoes", match_type=MatchType.EXACT, max_cpc_micros=1_500_000)]


def test_a_semicolon_file_without_a_telling_number_is_read_with_decimal_commas(imported: Imported) -> None:
    assert imported("keyword;volume\nroses;1.234\n").rows[0].metrics == {"avg_monthly_searches": 1234}


def test_a_gzipped_file_is_unpacked(imported: Imported) -> None:
    assert imported(gzip.compress("鲜花\n".encode())).keywords == ["鲜花"]


def test_columns_without_a_place_are_kept_under_their_headings(imported: Imported) -> None:
    result = imported("Keyword,Owner,,Owner,Status\nroses,Ann,x,Bob,Odd\n")
    assert result.rows[0].other == {"Owner": "Ann", "column 3": "x", "Owner (column 4)": "Bob", "Status": "Odd"}
    assert result.report.columns["Keyword"] == "keyword" and result.report.columns["Owner"] is None
    assert result.report.warnings["kept_as_text"] == 1


def workbook(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    dates = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, rows in sheets:
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                if hasattr(value, "year"):
                    sheet.write_datetime(number, place, value, dates)
                elif value is not None:
                    sheet.write(number, place, value)
    book.close()
    return file.getvalue()


def test_a_workbook_is_read_sheet_by_sheet_with_its_typed_numbers(imported: Imported) -> None:
    result = imported(
        workbook(
            ("About", [["Made for tests"], ["twice"]]),
            ("Plan", [["Keywords of spring"], [], ["Keyword", "Ad group", "Bid", "Volume"], ["鲜花", "A", 1.2345, 1200],
                      [2024, "A"], [None, None, 3]]),
            ("More", [["keyword", "bid"], ["roses", "2.5"]]),
        )
    )  # fmt: skip
    assert result.report.format == "xlsx" and result.keywords == ["鲜花", "2024", "roses"]
    assert result.rows[0].max_cpc_micros == 1_234_500 and result.rows[0].metrics == {"avg_monthly_searches": 1200}
    assert [(row.sheet, row.line) for row in result.rows] == [("Plan", 4), ("Plan", 5), ("More", 2)]
    assert result.refused == [(6, "no_keyword")] and result.rejections[0].sheet == "Plan"
    assert result.report.set_aside == {"sheet_without_keywords": 2, "preamble": 1, "blank": 1, "header": 2}


def test_a_workbook_with_a_bare_list_needs_no_header(imported: Imported) -> None:
    assert imported(workbook(("Empty", []), ("List", [["鲜花"], ["玫瑰"]]))).keywords == ["鲜花", "玫瑰"]


def test_what_a_spreadsheet_made_of_a_keyword_is_refused_by_name(imported: Imported) -> None:
    from datetime import datetime

    rows: list[list[Any]] = [
        ["Keyword", "Bid"],
        ["=1+1", 1],
        [datetime(2024, 3, 4), 1],
        ["roses", "=1+1"],
        ["lilies", 1],
    ]
    result = imported(workbook(("Plan", rows)))
    assert result.refused == [(2, "formula"), (3, "date"), (4, "formula")]
    assert [rejection.field for rejection in result.rejections] == ["Keyword", "Keyword", "Bid"]
    assert result.keywords == ["lilies"]
