"""What the pages weigh, and how long the largest takes from request to paint in a real browser on this machine."""

import gzip
import logging
import re
import statistics
import threading
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.serving import make_server

from indexes.errors import NotFoundError, UsageError
from kr.settings import load_settings
from webui.about import most_searched
from webui.application import create_app
from webui.search_service import late_service
from webui.settings import load_web_settings
from webui.static_files import STATIC_DIR

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
RUNS = 7
PAINTED = """() => new Promise((done) => {
  const painted = () => performance.getEntriesByName("first-contentful-paint")[0];
  const wait = () => painted() ? done(painted().startTime) : requestAnimationFrame(wait);
  wait();
})"""
"""Milliseconds from the start of the navigation to the first paint that shows text."""


def run_page_bench(store: Path, with_browser: bool = True) -> list[dict[str, Any]]:
    """A row a page: bytes on the wire (gzip) with all that it loads, of the script alone, and median milliseconds.

    `paint_ms` is None without a browser. UsageError if playwright or Debian's chromium is missing.
    """
    web = create_app(load_settings(store=store), load_web_settings())
    opened = late_service(web).get().opened()
    examples = most_searched(opened.indexes, opened.audit, 1, "zh")
    if not examples:
        raise NotFoundError("The snapshot has no keyword that may be shown.", "Build one from a longer log.")
    seed = examples[0]
    pages = {
        "search, 100 rows": f"/search?q={seed}&rows=100&lang=zh",
        "search, 25 rows": f"/search?q={seed}&lang=zh",
        "keyword": f"/keyword?text={seed}&lang=zh",
        "home": "/?lang=zh",
    }
    client = web.test_client()
    rows = [{"page": name, **_weight(client, address), "paint_ms": None} for name, address in pages.items()]
    if with_browser:
        for row, milliseconds in zip(rows, _paints(web, list(pages.values())), strict=True):
            row["paint_ms"] = milliseconds
    return rows


def _weight(client: FlaskClient, address: str) -> dict[str, Any]:
    packed = {"Accept-Encoding": "gzip"}
    page = client.get(address, headers=packed)
    html = (gzip.decompress(page.data) if page.headers.get("Content-Encoding") == "gzip" else page.data).decode()
    loaded = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', html))
    weight = len(page.data) + sum(len(client.get(each, headers=packed).data) for each in loaded)
    outside = [each for each in re.findall(r'(?:src|srcset)="([^"]+)"', html) if not each.startswith("/")]
    script = sum(file.stat().st_size for file in STATIC_DIR.glob("*.js"))
    return {"bytes": weight, "script_bytes": script, "requests": 1 + len(loaded), "external_requests": len(outside)}


def _paints(web: Any, addresses: list[str]) -> list[float]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise UsageError("playwright is not installed.", "pip install playwright, or give --no-browser.") from None
    if not CHROMIUM.exists():
        raise UsageError(f"{CHROMIUM} is missing.", "apt-get install chromium, or give --no-browser.")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server("127.0.0.1", 0, web, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
            page = browser.new_page(base_url=f"http://127.0.0.1:{server.server_port}")
            medians = []
            for address in addresses:
                found = []
                for _ in range(RUNS + 1):
                    page.goto(address)
                    found.append(float(page.evaluate(PAINTED)))
                medians.append(round(statistics.median(found[1:]), 1))  # the first fills the browser's caches
            browser.close()
            return medians
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
