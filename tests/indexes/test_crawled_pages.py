"""Crawled pages are found by any spelling of their address, and a snapshot without them opens."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.crawled_pages import page_key
from indexes.opened import Indexes


@pytest.mark.parametrize(
    "address",
    ["https://shoes.example/running", "http://SHOES.example:80/running#size", "shoes.example/running"],
)
def test_a_page_is_found_whatever_the_scheme_case_port_and_fragment(tiny_pages_store: Path, address: str) -> None:
    pages = Indexes.open(tiny_pages_store).crawled_pages
    assert pages is not None
    page = pages.find(address)
    assert page is not None
    assert (page.title, page.text) == ("Running shoes | Shoes", "Light running shoes for long runs.")


def test_of_two_addresses_with_one_key_the_first_counts_and_others_stay_apart(tiny_pages_store: Path) -> None:
    pages = Indexes.open(tiny_pages_store).crawled_pages
    assert pages is not None
    assert len(pages) == 3
    assert pages.find("https://shop.example/flowers").title == "鲜花速递 - 花店"  # type: ignore[union-attr]
    assert pages.find("https://shoes.example/running/").title == "Another page"  # type: ignore[union-attr]
    assert pages.find("https://shoes.example/Running") is None
    assert pages.find("https://shoes.example/running?a=b") is None


def test_a_snapshot_without_pages_opens_and_has_none(tiny_store: Path) -> None:
    assert Indexes.open(tiny_store).crawled_pages is None


@given(st.text(max_size=40))
def test_any_text_has_a_key_that_is_its_own_key(text: str) -> None:
    assert page_key("https://" + page_key(text)) == page_key(page_key(text)) or "://" in page_key(text)
