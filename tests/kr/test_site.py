"""A whole site as what a search starts from."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.crawled_pages import CrawledPages, page_key
from kr.page_seeds import pooled_topics
from kr.pages.problems import PageError, PageProblem
from kr.pages.site import pooled, site_host
from kr.service import KeywordService
from kr.settings import Settings
from kr.types import PageTopic, Request


@pytest.fixture(scope="module")
def service(tiny_pages_store: Path) -> KeywordService:
    return KeywordService.open(Settings(store=tiny_pages_store))


def topic(text: str, weight: float, *places: str) -> PageTopic:
    return PageTopic(text, weight, places or ("title",))


def test_a_site_is_all_its_crawled_pages_and_no_others(service: KeywordService) -> None:
    site = service.read_site("shoes.example")
    assert (site.site, site.pages, site.pages_read) == ("shoes.example", 2, 2)
    assert "running shoes" in {each.text for each in site.topics}
    assert service.read_site("https://WWW.shoes.example/").site == "shoes.example", "www. or not is one site"
    with pytest.raises(PageError) as unknown:
        service.read_site("shoes.exampl")
    assert unknown.value.problem is PageProblem.SITE_NOT_CRAWLED and "shoes.exampl" in unknown.value.text_zh


@pytest.mark.parametrize("text", ["shoes.example/running", "http://127.0.0.1", "two words", "", "8.8.8.8"])
def test_what_names_no_host_is_refused(service: KeywordService, text: str) -> None:
    with pytest.raises(PageError):
        service.read_site(text)
    assert site_host("Shoes.Example") == "shoes.example"


def test_a_site_beside_a_page_and_a_keyword_finds_what_each_leads_to(service: KeywordService) -> None:
    read = (service.read_page("http://shop.example/flowers"), service.read_site("shoes.example"))
    reply = service.by_url(Request(("生日蛋糕",), limit=100), *read)
    assert {"running shoes", "鲜花速递", "生日蛋糕"} <= {row["text"] for row in reply.rows}
    assert reply.page and reply.page["title"].startswith("鲜花速递") and reply.site and reply.site["pages"] == 2
    assert [note.code.value for note in reply.notices][:2] == ["page_from_crawl", "site_from_crawl"]


def test_pages_nearest_to_the_root_are_read_first(service: KeywordService) -> None:
    crawled = service.indexes.crawled_pages
    assert isinstance(crawled, CrawledPages)
    count, pages = crawled.of_host("shoes.example", 1)
    assert count == 2 and [key for key, _ in pages] == [page_key("https://shoes.example/running")]
    assert crawled.of_host("nowhere.example", 5) == (0, [])


def test_a_topic_of_many_pages_weighs_more_than_one_of_a_single_page() -> None:
    of_pages = [(topic("shoes", 0.8), topic(f"page {n}", 1.0)) for n in range(4)]
    weights = {each.text: each.weight for each in pooled(of_pages)}
    assert weights["shoes"] == 1.0 and weights["page 0"] == pytest.approx(1.0 / 1.6, abs=1e-4)


@given(st.lists(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0.01, 1)), max_size=4), max_size=5))
def test_pooled_topics_are_distinct_ordered_and_within_bounds(pages: list[list[tuple[str, float]]]) -> None:
    of_pages = [tuple(topic(text, weight) for text, weight in dict(page).items()) for page in pages]
    found = pooled(of_pages)
    assert len({each.text for each in found}) == len(found)
    assert [each.weight for each in found] == sorted((each.weight for each in found), reverse=True)
    assert all(0 < each.weight <= 1 for each in found)
    assert {each.text for each in found} == {each.text for page in of_pages for each in page}


def test_topics_of_several_readings_keep_their_greatest_weight_and_all_places() -> None:
    (first, second) = pooled_topics([(topic("a", 0.2, "title"),), (topic("b", 0.5), topic("a", 0.9, "main", "title"))])
    assert first == topic("a", 0.9, "title", "main") and second.text == "b"
