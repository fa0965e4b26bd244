"""What a page says, apart from what surrounds it: its title, description, headings, product data and main text.

Every piece keeps the place where it stood, since a word in the product's name says more than one in the text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kr.pages.charset import decode_page
from kr.pages.markup import bounded_markup
from kr.pages.structured_data import ProductData, product_data

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

MAX_BLOCKS = 150
MAX_BLOCK_CHARS = 600
MAX_TITLE_CHARS = 300
FEW_MAIN_CHARS = 200
MUCH_SCRIPT_CHARS = 2_000


class Place(StrEnum):
    """Where on a page words stood."""

    PRODUCT_NAME = "product_name"
    BRAND = "brand"
    TITLE = "title"
    H1 = "h1"
    OG_TITLE = "og_title"
    CATEGORY = "category"
    BREADCRUMB = "breadcrumb"
    KEYWORDS = "keywords"
    DESCRIPTION = "description"
    HEADING = "heading"
    MAIN = "main"


@dataclass(frozen=True)
class Block:
    """A piece of text and its place."""

    place: Place
    text: str


@dataclass(frozen=True)
class PageDocument:
    """What was read of a page. `language` is what the page declares, such as zh-CN, empty if nothing."""

    title: str
    description: str
    language: str
    charset: str
    site: str
    product: ProductData
    blocks: tuple[Block, ...]
    needs_javascript: bool
    cut: bool
    """Whether the page was nested too deeply or too long to be read whole."""


def read_document(body: bytes, content_type: str = "") -> PageDocument:
    """Read the bytes of a page; a page of nonsense has no blocks. Never fails, whatever the bytes."""
    from selectolax.lexbor import LexborHTMLParser

    text, charset = decode_page(body, content_type)
    markup = bounded_markup(text)
    tree = LexborHTMLParser(markup.html)
    product = product_data(tree)
    title = _title(tree)
    main = _main_text(markup.html)
    description = _meta(tree, "description") or _meta(tree, "og:description") or product.description
    blocks = (
        *(Block(Place.PRODUCT_NAME, name) for name in (product.name,) if name),
        *(Block(Place.BRAND, brand) for brand in (product.brand,) if brand),
        *(Block(Place.TITLE, text) for text in (title,) if text),
        *(Block(Place.H1, text) for text in _texts(tree, "h1", 3)),
        *(Block(Place.OG_TITLE, text) for text in (_meta(tree, "og:title"),) if text),
        *(Block(Place.CATEGORY, text) for text in product.categories),
        *(Block(Place.BREADCRUMB, text) for text in product.breadcrumbs),
        *(Block(Place.KEYWORDS, text) for text in (_meta(tree, "keywords"),) if text),
        *(Block(Place.DESCRIPTION, text) for text in (description,) if text),
        *(Block(Place.HEADING, text) for text in _texts(tree, "h2, h3", 20)),
        *(Block(Place.MAIN, line) for line in main),
    )
    return PageDocument(
        title=title,
        description=description,
        language=_language(tree),
        charset=charset,
        site=_meta(tree, "og:site_name") or _meta(tree, "application-name") or product.site,
        product=product,
        blocks=blocks[:MAX_BLOCKS],
        needs_javascript=_needs_javascript(tree, main, product, markup.script_chars),
        cut=markup.cut,
    )


def text_document(title: str, text: str, language: str = "") -> PageDocument:
    """A page of which only the title and the text are known, as a crawl keeps them."""
    lines = [Block(Place.MAIN, line) for line in _lines(text)]
    heads = [Block(Place.TITLE, cleaned)] if (cleaned := clean(title, MAX_TITLE_CHARS)) else []
    blocks = tuple([*heads, *lines][:MAX_BLOCKS])
    return PageDocument(cleaned, "", language, "utf-8", "", ProductData(), blocks, False, False)


def clean(text: str, most: int = MAX_BLOCK_CHARS) -> str:
    """One line of at most so many characters."""
    return " ".join(text[: 4 * most].split())[:most]


def _title(tree: "LexborHTMLParser") -> str:
    # An SVG may have titles of its own; the page's is the first in the head.
    for selector in ("head > title", "title"):
        node = tree.css_first(selector)
        if node is not None and (text := clean(node.text(deep=True), MAX_TITLE_CHARS)):
            return text
    return _meta(tree, "og:title")[:MAX_TITLE_CHARS]


def _meta(tree: "LexborHTMLParser", name: str) -> str:
    for attribute in ("name", "property"):
        for node in tree.css(f'meta[{attribute}="{name}" i]'):
            if text := clean(node.attributes.get("content") or ""):
                return text
    return ""


def _language(tree: "LexborHTMLParser") -> str:
    node = tree.css_first("html")
    declared = (node.attributes.get("lang") or "") if node is not None else ""
    return clean(declared or _meta(tree, "og:locale"), 20)


def _texts(tree: "LexborHTMLParser", selector: str, most: int) -> list[str]:
    found = (clean(node.text(deep=True, separator=" ")) for node in tree.css(selector)[: 4 * most])
    return list(dict.fromkeys(text for text in found if text))[:most]


def _main_text(html: str) -> list[str]:
    """The lines of the main content, without navigation and advertisements."""
    import trafilatura

    text = trafilatura.extract(
        html, fast=True, include_comments=False, include_tables=True, with_metadata=False, deduplicate=False
    )
    return list(_lines(text or ""))


def _lines(text: str) -> Iterator[str]:
    for line in text.split("\n")[:1000]:
        if cleaned := clean(line):
            yield cleaned


def _needs_javascript(tree: "LexborHTMLParser", main: Sequence[str], product: ProductData, script_chars: int) -> bool:
    """Whether the page is a frame for a program in the browser to fill: much script, hardly any text, no product."""
    if product.name or sum(map(len, main)) >= FEW_MAIN_CHARS:
        return False
    body = tree.body
    shown = clean(body.text(deep=True, separator=" "), FEW_MAIN_CHARS) if body is not None else ""
    asks = any("javascript" in node.text(deep=True).lower() for node in tree.css("noscript")[:10])
    return len(shown) < FEW_MAIN_CHARS and (asks or script_chars >= MUCH_SCRIPT_CHARS)
