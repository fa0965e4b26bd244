"""Pages to start from: mined ones against a count in plain Python, chosen ones against their promises."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies as st

from indexes.opened import Indexes
from indexes.seed_queries import EVERYONE, industry_context
from indexes.seed_urls import LEAD_KEYWORDS, PAGE_COLUMNS
from mining.build import build
from mining.build_seed_urls import KEPT, MIN_KEYWORDS, MOST_OF_SITE, SAME_KEYWORDS
from mining.mined_tables import MINED_TABLES
from mining.simulator.truth import Truth

START = datetime(2025, 3, 1, tzinfo=UTC)
USERS, QUERIES, URLS = 4, ["flower", "shoe", "loan", "rose"], ["http://a.example/", "http://b.example/1"]
CLICKS = st.lists(
    st.tuples(st.integers(0, USERS - 1), st.integers(0, len(QUERIES) - 1), st.integers(0, len(URLS) - 1)), max_size=25
)


def check_that_pages_are_those_of_a_count(
    mined: Callable[..., Any], clicks: list[tuple[int, int, int]], least_users: int, least_keywords: int, most: int
) -> None:
    searches = [
        {"ts": START + timedelta(minutes=place), "user_id": f"u{user}", "query": query}
        for place, (user, query) in enumerate((u, q) for u in range(USERS) for q in QUERIES)
    ]
    rows: list[dict[str, Any]] = [
        {"ts": START + timedelta(days=place), "user_id": f"u{user}", "query": QUERIES[query], "url": URLS[url]}
        for place, (user, query, url) in enumerate(clicks)
    ]
    titles: list[dict[str, Any]] = [{"url": URLS[0], "title": "A page", "text": "Flowers"}]
    result = mined(
        {"searches": searches, "clicks": rows, "pages": titles},
        seed_url_min_users=least_users,
        seed_url_min_keywords=least_keywords,
        seed_url_pages=most,
    )
    of_url: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        of_url[row["url"]].append(row)
    kept = {
        url: own
        for url, own in of_url.items()
        if len({row["user_id"] for row in own}) >= least_users and len({row["query"] for row in own}) >= least_keywords
    }
    by_users = sorted(kept, key=lambda url: (-len({row["user_id"] for row in kept[url]}), url))[:most]
    assert result.tables["seed_urls"] == [
        {
            "url": url,
            "title": "A page" if url == URLS[0] else None,
            "users": len({row["user_id"] for row in kept[url]}),
            "clicks": len(kept[url]),
            "keywords": len({row["query"] for row in kept[url]}),
            "first_date": min(row["ts"] for row in kept[url]).date(),
            "last_date": max(row["ts"] for row in kept[url]).date(),
        }
        for url in sorted(by_users)
    ]
    assert result.tables["seed_url_keywords"] == [
        {
            "url": url,
            "keyword": query,
            "users": len({row["user_id"] for row in kept[url] if row["query"] == query}),
            "clicks": sum(row["query"] == query for row in kept[url]),
        }
        for url in sorted(by_users)
        for query in sorted({row["query"] for row in kept[url]})
    ]


def test_mined_pages_are_those_of_a_count(each_engine: Any) -> None:
    each_engine.check(
        check_that_pages_are_those_of_a_count,
        *("seed_urls", "seed_url_keywords"),
        examples=15,
        clicks=CLICKS,
        least_users=st.integers(1, 3),
        least_keywords=st.integers(1, 3),
        most=st.sampled_from([1, 100]),
    )


@pytest.fixture(scope="module")
def indexes(small_store: Path) -> Indexes:
    return Indexes.open(small_store)


def test_pages_of_a_context_are_different_and_lead_to_what_is_said(indexes: Indexes, small_market: Path) -> None:
    found = indexes.seed_urls
    assert found is not None
    keywords: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in pq.read_table(small_market / "mined" / "seed_url_keywords.parquet").to_pylist():
        keywords[row["url"]].append((row["users"], row["keyword"]))
    mined = {row["url"]: row for row in pq.read_table(small_market / "mined" / "seed_urls.parquet").to_pylist()}
    canonical = indexes.stats.canonical
    for context in (EVERYONE, industry_context("flowers"), industry_context("section_auto")):
        rows = found.of(context)
        assert rows is not None and 3 <= len(rows) <= KEPT
        groups: list[set[int]] = []
        sites: dict[str, int] = defaultdict(int)
        for page in rows["page"].tolist():
            url = found.urls[page]
            own = [keyword for _, keyword in sorted(keywords[url], key=lambda pair: (-pair[0], pair[1]))]
            heads = [int(canonical[indexes.keywords.find(keyword)]) for keyword in own]
            assert found.pages["keywords"][page] == len(set(heads)) >= MIN_KEYWORDS
            assert (found.pages["users"][page], found.pages["clicks"][page]) == (
                mined[url]["users"],
                mined[url]["clicks"],
            )
            assert found.titles[page] == (mined[url]["title"] or "")
            leads = [indexes.keywords[lead] for lead in found.leads[page].tolist() if lead >= 0]
            firsts = [word for place, word in enumerate(own) if heads[place] not in heads[:place]]
            assert leads == firsts[:LEAD_KEYWORDS]
            assert not indexes.unsafe_severity[[indexes.keywords.find(word) for word in own]].any()
            assert all(len(set(heads) & old) < SAME_KEYWORDS * len(set(heads) | old) for old in groups)
            groups.append(set(heads))
            sites[url.split("/")[2]] += 1
        assert max(sites.values()) <= MOST_OF_SITE
        score = np.round(rows["quality"] * rows["utility"], 5)
        assert (np.diff(score) <= 1e-5).all() and (score > 0).all() and (rows["utility"] <= 1).all()


def test_pages_of_an_industry_are_clicked_for_its_products(indexes: Indexes, small_market: Path) -> None:
    found = indexes.seed_urls
    assert found is not None
    truth = Truth.load(small_market / "truth")
    industry = pq.read_table(small_market / "truth" / "keywords.parquet")["industry_id"].to_pylist()
    for name in ("flowers", "shoes", "loans"):
        rows = found.of(industry_context(name))
        assert rows is not None
        for page in rows["page"].tolist():
            lead = indexes.keywords[int(found.leads[page][0])]
            assert industry[truth.row_of[lead]] == name


def test_a_page_of_unsafe_words_is_no_page_to_start_from(
    tiny_mined_writer: Callable[[Path], Path], tmp_path: Path
) -> None:
    mined = tiny_mined_writer(tmp_path / "mined")
    dates = dict.fromkeys(("first_date", "last_date"), date(2024, 2, 3))
    words = {
        "http://good.example/": ("Flowers", ["鲜花", "生日蛋糕", "flowers"]),
        "http://led.example/": ("Games", ["鲜花", "生日蛋糕", "在线赌博"]),
        "http://named.example/": ("在线赌博", ["鲜花", "生日蛋糕", "flowers"]),
        "http://same.example/": (None, ["鲜花", "鮮花速遞", "鲜花速递"]),
    }
    pages = [
        {"url": url, "title": title, "users": 9, "clicks": 12, "keywords": 3, **dates}
        for url, (title, _) in sorted(words.items())
    ]
    keywords = [
        {"url": url, "keyword": keyword, "users": 3, "clicks": 4}
        for url, (_, own) in sorted(words.items())
        for keyword in sorted(own)
    ]
    for name, rows in (("seed_urls", pages), ("seed_url_keywords", keywords)):
        pq.write_table(pa.Table.from_pylist(rows, MINED_TABLES[name].schema), mined / f"{name}.parquet")
    # Without vectors no page is about anything: the terms point all the same way.
    schema = MINED_TABLES["term_vectors"].schema
    terms = [
        {"term": term, "occurrences": 5 + len(term), "vector": [1.0, len(term) / 9]}
        for term in sorted({"鲜花", "生日", "蛋糕", "flower", "速递"})
    ]
    pq.write_table(pa.Table.from_pylist(terms, schema), mined / "term_vectors.parquet")
    build(mined, tmp_path / "store")
    indexes = Indexes.open(tmp_path / "store")
    assert indexes.seed_urls is not None
    chosen = indexes.seed_urls.of(EVERYONE)
    assert chosen is not None
    assert [indexes.seed_urls.urls[page] for page in chosen["page"].tolist()] == ["http://good.example/"]
    assert set(indexes.seed_urls.pages) == set(PAGE_COLUMNS)


def test_snapshots_of_logs_without_clicks_have_no_pages(tiny_store: Path) -> None:
    assert Indexes.open(tiny_store).seed_urls is None
