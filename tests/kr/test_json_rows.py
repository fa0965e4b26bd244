"""Rows that are written as JSON from columns are what one would write row by row, byte for byte."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.arrays import Array
from indexes.keyword_stats import LANGUAGES
from indexes.opened import Indexes
from kr.json_reasons import MINED, JsonReasons
from kr.json_rows import JsonRows, RowTemplate, counts, numbers, rounded, texts
from kr.marketing.rules import KeywordMatch, Rule
from kr.opened import Opened
from kr.pipeline_bench import sample_requests
from kr.pipelines.keyword_search import MINERS
from kr.relevance.match import suggested_match_type
from kr.row_matches import RowMatcher
from kr.row_reasons import ReasonWriter, day_of
from kr.rows import COMPETITION_LEVELS, RowWriter, kind_in_group
from kr.service import KeywordService
from kr.settings import Settings
from kr.types import Candidates, PageTopic, Request

RULES = (
    Rule(name="more of it", action="boost", factor=2.0),
    Rule(name="first", action="pin", position=1, keywords=KeywordMatch(equals=("鲜花",))),
)
FLOATS_32 = st.floats(width=32, allow_nan=True, allow_infinity=False)


def known(value: float, digits: int) -> float | None:
    return None if value != value else round(float(value), digits)


def counted(value: int) -> int | None:
    return None if value < 0 else int(value)


def plain_row(indexes: Indexes, keyword_id: int) -> dict[str, Any]:
    """What is known of one keyword, read number by number."""
    stats, text = indexes.stats, indexes.keywords[keyword_id]
    one = np.array([keyword_id])
    variants = [other for other in indexes.close_variants(keyword_id).tolist() if other != keyword_id]
    return {
        "text": text,
        "language": LANGUAGES[stats.language[keyword_id]],
        "searches": int(stats.searches[keyword_id]),
        "own_searches": int(stats.own_searches[keyword_id]),
        "users": int(stats.users[keyword_id]),
        "first_date": day_of(int(stats.first_day[keyword_id])).isoformat(),
        "last_date": day_of(int(stats.last_day[keyword_id])).isoformat(),
        "avg_monthly_searches": known(stats.avg_monthly_searches[keyword_id], 1),
        "change_3m": known(stats.change_3m[keyword_id], 4),
        "change_yoy": known(stats.change_yoy[keyword_id], 4),
        "competition": COMPETITION_LEVELS[stats.competition_level(one)[0]],
        "competition_index": known(stats.competition_index[keyword_id], 1),
        "low_top_of_page_bid_micros": counted(stats.low_bid_micros[keyword_id]),
        "high_top_of_page_bid_micros": counted(stats.high_bid_micros[keyword_id]),
        "advertisers": counted(stats.advertisers[keyword_id]),
        "clicks": counted(stats.clicks[keyword_id]),
        "ad_ctr": known(stats.ad_ctr[keyword_id], 4),
        "monthly_search_volumes": [
            {"year": month.year, "month": month.month, "complete": complete, "searches": int(searches)}
            for month, complete, searches in zip(
                indexes.months, indexes.complete_months, stats.monthly_searches[keyword_id], strict=True
            )
        ],
        "searches_by_device": dict(zip(indexes.devices, stats.searches_by_device[keyword_id].tolist(), strict=True))
        if indexes.devices
        else None,
        "close_variants": [
            {
                "text": indexes.keywords[other],
                "searches": int(stats.own_searches[other]),
                "kind": kind_in_group(text, indexes.keywords[other]).value,
            }
            for other in variants
        ],
    }


def plain_rows(indexes: Indexes, request: Request, candidates: Candidates) -> list[dict[str, Any]]:
    """One dictionary a candidate, each made for itself."""
    keywords = indexes.keywords.take(candidates.keyword_id)
    matches = RowMatcher(indexes, MINERS).of_page(request, candidates, keywords)
    reasons = ReasonWriter(indexes, MINERS, RULES).of_page(request, candidates, matches)
    rows = []
    for keyword_id, score, (place, match), told in zip(
        candidates.keyword_id.tolist(), candidates["relevance"].tolist(), matches, reasons, strict=True
    ):
        row = plain_row(indexes, keyword_id)
        monthly = float(indexes.stats.avg_monthly_searches[keyword_id])
        of_log = {"text": row.pop("text"), "language": row.pop("language"), "relevance": known(score, 4), **row}
        stand = {
            "closest_seed": request.seeds[place],
            "direction": match.direction.value,
            "suggested_match_type": suggested_match_type(match, score, None if monthly != monthly else monthly).value,
            "variant_of_seed": match.variant and match.variant.value,
            "matched_terms": match.matched,
            "missed_terms": match.missed,
            "added_terms": match.added,
        }
        rows.append({**of_log, **stand, "reasons": told})
    return rows


@pytest.fixture(scope="module")
def opened(small_store: Path) -> Opened:
    return KeywordService.open(Settings(store=small_store)).opened()


def requests_of(opened: Opened) -> list[Request]:
    single = sample_requests(opened.indexes, 40, 7)
    several = [Request(tuple(each.seeds[0] for each in single[place : place + 3])) for place in range(0, 12, 3)]
    topics = tuple(PageTopic(text, 0.5, ("title",)) for text in several[0].seeds)
    return [
        *single,
        *several,
        replace(several[0], page_topics=topics),
        Request(('鲜花 "50%" {off}\\',)),
        Request(("flower delivery", "qxzvkw")),
    ]


def test_rows_from_columns_are_those_made_row_by_row(opened: Opened) -> None:
    writer = RowWriter(opened.indexes, MINERS, RULES)
    written = 0
    for number, request in enumerate(requests_of(opened)):
        candidates = opened.pipeline.run(request).candidates
        # Rules leave their bits in this column: here every third row was touched by one, every sixth by both.
        touched = np.array([3 if row % 6 == 0 else row % 3 == 0 for row in range(len(candidates))], np.uint64)
        candidates = candidates.with_columns(rules=touched if number % 2 else candidates["rules"])
        rows = writer.rows(request, candidates)
        assert rows.json == orjson.dumps(plain_rows(opened.indexes, request, candidates)), request.seeds
        assert len(rows) == len(candidates) == len(rows.as_dictionaries())
        written += len(rows)
    assert written > 1000


def test_attributes_are_those_of_the_rows(opened: Opened) -> None:
    ids = np.arange(0, len(opened.indexes.keywords), 97, dtype=np.int32)
    plain = [plain_row(opened.indexes, keyword_id) for keyword_id in ids.tolist()]
    assert opened.rows.complete_attributes(ids) == plain
    with_months = opened.rows.attributes(ids, months=True)
    assert with_months == [{name: row[name] for name in with_months[0]} for row in plain]
    assert "monthly_search_volumes" not in opened.rows.attributes(ids)[0]


def test_a_page_without_rows_is_an_empty_array(opened: Opened) -> None:
    nothing = opened.pipeline.run(Request(("鲜花",))).candidates.none()
    rows = opened.rows.rows(Request(("鲜花",)), nothing)
    assert rows.json == b"[]" and rows == () and not rows


@given(st.lists(FLOATS_32, max_size=30), st.integers(1, 4))
def test_32_bit_floats_are_rounded_as_python_rounds_them(values: list[float], digits: int) -> None:
    column = np.array(values, np.float32)
    plain = [known(value, digits) for value in column.tolist()]
    assert rounded(column, digits) == [orjson.dumps(value) for value in plain]


@given(st.lists(st.floats(allow_infinity=False, min_value=-1e15, max_value=1e15), max_size=30), st.integers(1, 4))
def test_64_bit_floats_are_rounded_as_python_rounds_them(values: list[float], digits: int) -> None:
    assert rounded(np.array(values, np.float64), digits) == [orjson.dumps(known(value, digits)) for value in values]


@given(st.lists(st.tuples(st.text(), st.integers(-1, 2**62), st.lists(st.integers(0, 9), min_size=2, max_size=2))))
def test_a_template_writes_what_an_encoder_does(rows: list[tuple[str, int, list[int]]]) -> None:
    names, numbered, tables = zip(*rows, strict=True) if rows else ((), (), ())
    table = np.array(tables, np.int64).reshape(-1, 2)
    template = RowTemplate()
    template.field('a "name"', texts(names))
    template.field("count", counts(np.array(numbered, np.int64)))
    template.field("number", numbers(np.array(numbered, np.int64)))
    template.field_of_objects("objects", [{"of": "一"}, {"of": "二"}], "n", table)
    template.field_of_counts("counts", ["x", "y"], table)
    plain = [
        {
            'a "name"': name,
            "count": None if number < 0 else number,
            "number": number,
            "objects": [{"of": "一", "n": first}, {"of": "二", "n": second}],
            "counts": {"x": first, "y": second},
        }
        for name, number, (first, second) in rows
    ]
    assert template.fill(len(rows)).json == orjson.dumps(plain)


def test_a_column_of_another_length_is_refused() -> None:
    template = RowTemplate()
    template.field("text", texts(["one", "two"]))
    with pytest.raises(ValueError, match="size"):
        template.fill(3)


def test_rows_equal_what_they_hold() -> None:
    rows = JsonRows(b'[{"text":"a"},{"text":"b"}]', 2)
    assert rows == JsonRows(rows.json, 2) == [{"text": "a"}, {"text": "b"}] and rows != ({"text": "a"},)
    assert rows[1] == {"text": "b"} and list(rows[:1]) == [{"text": "a"}] == json.loads(rows.json)[:1]


COUNTS = st.integers(0, 2**40)
DAYS = st.integers(0, 25_000)


@given(
    st.sampled_from(sorted(MINED)),
    st.lists(
        st.tuples(st.text(), COUNTS, COUNTS, COUNTS, st.floats(0, 1), st.floats(0, 1e6), DAYS, DAYS, st.booleans()),
        min_size=1,
        max_size=5,
    ),
)
def test_a_mined_reason_from_columns_is_the_one_made_alone(miner: str, rows: list[tuple[Any, ...]]) -> None:
    anchors, sessions, users, clicks, share, lift, first, last, by_path = zip(*rows, strict=True)
    evidence: dict[str, Array] = {
        "first_day": np.minimum(first, last),
        "last_day": np.maximum(first, last),
        "sessions": np.array(sessions),
        "users": np.array(users),
        "clicks": np.array(clicks),
        "shared_urls": np.array(clicks),
        "similarity": np.array(share),
        "confidence": np.array(share),
        "lift": np.array(lift),
    }
    if miner == "click_clusters":
        evidence["path"] = np.where(by_path, 0, -1)
    indexes = SimpleNamespace(
        neighbors=SimpleNamespace(evidence=lambda _, at: {name: column[at] for name, column in evidence.items()}),
        click_paths=["鲜花 → “100%” → flowers"],
    )
    writer = ReasonWriter(cast(Indexes, indexes), MINERS, ())
    told = JsonReasons(writer)._of_rows(miner, texts(anchors), np.arange(len(rows)))
    plain = [
        writer.mined_reason(miner, anchor, {name: column[place].item() for name, column in evidence.items()})
        for place, anchor in enumerate(anchors)
    ]
    assert told == [orjson.dumps(each) for each in plain]
