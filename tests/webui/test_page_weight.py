"""What a page weighs on the wire: at most 100 kB compressed with everything it loads, the script at most 25 kB."""

import re
from typing import Any

from flask import Flask

from kr.settings import Settings
from webui.application import create_app
from webui.page_bench import run_page_bench
from webui.static_files import STATIC_DIR

KB = 1000


def test_a_full_page_of_a_hundred_rows_weighs_at_most_100_kilobytes(small_store: Any) -> None:
    client = create_app(Settings(store=small_store)).test_client()
    packed = {"Accept-Encoding": "gzip"}
    for language in ("en", "zh"):
        page = client.get(f"/search?q=鲜花, flower delivery&rows=100&lang={language}", headers=packed)
        html = client.get(f"/search?q=鲜花, flower delivery&rows=100&lang={language}").get_data(as_text=True)
        assert html.count('class="text"') == 100
        weight = len(page.data)
        for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', html):
            weight += len(client.get(address, headers=packed).data)
        assert weight <= 100 * KB, weight


def test_the_bench_of_pages_prints_what_they_weigh(small_store: Any) -> None:
    rows = {row["page"]: row for row in run_page_bench(small_store, with_browser=False)}
    assert {"search, 100 rows", "keyword", "home"} <= set(rows)
    for row in rows.values():
        assert 1 * KB < row["bytes"] <= 100 * KB and row["external_requests"] == 0
        assert row["script_bytes"] <= 25 * KB and row["paint_ms"] is None


def test_the_script_is_one_small_file(app: Flask) -> None:
    scripts = list(STATIC_DIR.glob("*.js"))
    assert len(scripts) == 1 and scripts[0].stat().st_size <= 25 * KB
