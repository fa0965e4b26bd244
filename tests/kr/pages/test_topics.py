"""Topics are what the page's naming places say, cover it, and never depend on chance."""

import gzip
import json
import re
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.errors import CorruptError, NotFoundError
from kr.pages.document import read_document
from kr.pages.evaluation import evaluate_pages
from kr.pages.topics import MOST_TOPICS, find_topics

SHOES = """<html><head><title>Acme Trail Runner 2 – red running shoes | ShoeShop</title>
<meta property="og:site_name" content="ShoeShop"></head><body><nav>Home Cart Login</nav>
<script type="application/ld+json">{"@type": "Product", "name": "Acme Trail Runner 2", "brand": "Acme"}</script>
<h1>Acme Trail Runner 2</h1><article><p>These running shoes are light. Free shipping on every order.</p></article>"""


def texts(html: str, **options: object) -> list[str]:
    return [topic.text for topic in find_topics(read_document(html.encode()), **options)]  # type: ignore[arg-type]


def test_product_brand_and_kind_of_product_are_topics_with_their_places() -> None:
    topics = {topic.text: topic for topic in find_topics(read_document(SHOES.encode()), host="www.shoeshop.example")}
    assert "acme trail runner" in topics
    assert "running shoes" in " | ".join(topics)
    assert topics["acme trail runner"].places[:3] == ("product_name", "title", "h1")
    first = next(iter(topics.values()))
    assert first.weight == 1
    assert all(0 < topic.weight <= 1 for topic in topics.values())
    assert topics["shoeshop"].weight < 0.1
    assert "shipping" not in topics


def test_a_word_that_the_log_knows_to_be_special_outweighs_one_that_every_search_holds() -> None:
    html = "<title>price widgetron</title><h1>price widgetron</h1>"
    idf = {"price": 0.05, "widgetron": 1.0}
    found = find_topics(read_document(html.encode()), lambda token: idf.get(token, 0.5))
    weights = {topic.text: topic.weight for topic in found}
    assert weights["widgetron"] > 10 * weights.get("price", 0)


def test_a_phrase_that_people_search_for_is_a_topic_though_a_shop_word_ends_it() -> None:
    html = "<title>homes for sale in Leeds</title>"
    assert "homes for sale" not in texts(html)
    assert "homes for sale" in texts(html, is_searched=lambda text: text == "homes for sale")


def test_chinese_pages_have_phrases_and_the_key_words_of_their_text() -> None:
    html = (
        f"<title>北京鲜花速递_花店</title><body><article><p>{'玫瑰花束当天送达，生日送玫瑰花束。' * 10}</p></article>"
    )
    found = texts(html)
    assert "鲜花速递" in "|".join(found)
    assert "玫瑰" in "|".join(found)


WORD = st.sampled_from(["red", "shoes", "鲜花", "the", "2", "-", "|", "Ünïcödé", "\u200b", "<b>", "&amp;", "的"])
WORDS = st.lists(WORD, max_size=30)


@given(WORDS, WORDS, WORDS)
def test_any_page_has_at_most_twenty_distinct_topics_and_the_same_ones_again(
    title: list[str], heading: list[str], body: list[str]
) -> None:
    html = f"<title>{' '.join(title)}</title><h1>{' '.join(heading)}</h1><p>{' '.join(body)}</p>".encode()
    topics = find_topics(read_document(html))
    assert topics == find_topics(read_document(html))
    assert len(topics) <= MOST_TOPICS
    assert len({topic.text for topic in topics}) == len(topics)
    assert all(topic.places for topic in topics)


def test_an_empty_page_has_no_topics() -> None:
    assert texts("") == []
    assert texts("<title>!!!</title>") == []


def write_pages(folder: Path, pages: dict[str, tuple[str, dict[str, object]]]) -> Path:
    (folder / "html").mkdir()
    for name, (html, _) in pages.items():
        (folder / "html" / f"{name}.html.gz").write_bytes(gzip.compress(html.encode()))
    (folder / "ground_truth.json").write_text(json.dumps({name: truth for name, (_, truth) in pages.items()}))
    return folder


def test_the_evaluation_counts_what_is_found_and_what_is_not(tmp_path: Path) -> None:
    pages = {
        "good": (SHOES, {"brand": ["Acme"], "url": "https://shoeshop.example/acme-trail-runner.html"}),
        "bad": ("<title>Nothing</title>", {"brand": ["Other"], "url": "https://shoeshop.example/p/red-hats"}),
        "without": ("<title>Nothing</title>", {"url": "https://shoeshop.example/3"}),
    }
    figures, scores = evaluate_pages(write_pages(tmp_path, pages))
    assert (figures["pages"], figures["with_brand"], figures["with_product"]) == (3, 2, 2)
    assert figures["brand_recall_at_20"] == 0.5
    assert figures["product_recall_at_20"] == 0.5
    assert {score.page: score.product_words for score in scores}["bad"] == {"red", "hats"}


def test_the_evaluation_names_what_is_missing_or_broken(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"ground_truth\.json"):
        evaluate_pages(tmp_path)
    (tmp_path / "ground_truth.json").write_text("{")
    with pytest.raises(CorruptError, match=r"ground_truth\.json"):
        evaluate_pages(tmp_path)
    (tmp_path / "ground_truth.json").write_text('{"a": {"url": "https://example.com/a-b-c"}}')
    with pytest.raises(NotFoundError, match=r"a\.html\.gz"):
        evaluate_pages(tmp_path)


@pytest.mark.shared_data
def test_brand_and_product_words_of_real_pages_are_among_the_first_twenty_topics(shared_data: Path) -> None:
    figures, _ = evaluate_pages(shared_data / "pages" / "product")
    assert figures["pages"] == 73
    assert figures["brand_recall_at_20"] >= 0.95
    assert figures["product_recall_at_20"] >= 0.88
    assert figures["precision_at_20"] >= 0.5


@pytest.mark.shared_data
def test_real_chinese_pages_are_read_in_their_charset_with_their_title(shared_data: Path) -> None:
    read = 0
    with tarfile.open(shared_data / "pages" / "chinese_articles.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".html") else None
            if file is None:
                continue
            body = file.read()
            document = read_document(body)
            read += 1
            assert "\ufffd" not in document.title, member.name
            titled = re.search(rb"<title[^>]*>(.*?)</title>", body, re.DOTALL | re.IGNORECASE)
            assert document.title or not titled or not titled[1].strip(), member.name
            if document.title:
                chinese = sum("\u4e00" <= character <= "\u9fff" for character in document.title)
                assert chinese >= 2, (member.name, document.title)
    assert read == 66
