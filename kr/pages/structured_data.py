"""What a page tells programs about its product: schema.org as JSON-LD or microdata, Open Graph, and labelled rows.

Only what is needed to find topics is kept. The first product counts: those after it are advertised beside it.
"""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_NODES = 2_000
MAX_JSON_CHARS = 400_000
MAX_CHARS = 300
MAX_BRAND_CHARS = 60
_PRODUCT_TYPES = """
product productgroup productmodel individualproduct service event course softwareapplication mobileapplication
vehicle car book movie recipe hotel lodgingbusiness localbusiness restaurant apartment offer financialproduct
jobposting touristtrip videogame
"""
_PRODUCTS = frozenset(_PRODUCT_TYPES.split())
_SITES = frozenset(["website", "organization", "onlinestore", "corporation"])
_MEANS_SOMETHING = re.compile(r"[^\W_]")
_BRAND_WORDS = """
brand brands manufacturer marke hersteller marque fabricant marca marchio produttore fabricante merk merkki märke
mærke marka značka výrobca výrobce bränd tootja zīmols ražotājs бренд производитель марка 品牌 ブランド 브랜드 מותג
العلامة
"""
_BRAND_LABELS = frozenset(_BRAND_WORDS.split())


@dataclass(frozen=True)
class ProductData:
    """What the page calls its product; empty where it does not say. `price` and `currency` as written."""

    name: str = ""
    brand: str = ""
    description: str = ""
    categories: tuple[str, ...] = ()
    breadcrumbs: tuple[str, ...] = ()
    price: str = ""
    currency: str = ""
    site: str = ""


def product_data(tree: "LexborHTMLParser") -> ProductData:
    """The page's product, from each source in turn: what an earlier one says is not replaced by a later one."""
    found = ProductData()
    for source in (_json_ld, _microdata, _open_graph, _labelled_rows, _marked_breadcrumbs):
        found = _completed(found, source(tree))
    return replace(found, brand=_brand_alone(found.brand))


def _completed(found: ProductData, more: ProductData) -> ProductData:
    """What was found, with more of what is still unknown."""
    news = {name: value for name, value in vars(more).items() if value and not getattr(found, name)}
    return replace(found, **news)


def _brand_alone(text: str) -> str:
    """`More articles of the brand: X` is X."""
    before, colon, after = text.rpartition(":")
    return after.strip() if colon and before.split()[-1:] and before.split()[-1].casefold() in _BRAND_LABELS else text


def _json_ld(tree: "LexborHTMLParser") -> ProductData:
    found = ProductData()
    for script in tree.css('script[type*="ld+json" i]')[:20]:
        text = script.text(deep=True)[:MAX_JSON_CHARS]
        try:
            document = json.loads(text.strip().removesuffix(";"), strict=False)
        except (ValueError, RecursionError):
            continue
        for node in _nodes(document):
            found = _completed(found, _of_node(node))
    return found


def _nodes(document: Any) -> Iterator[dict[str, Any]]:
    """The objects that a document lists, itself, and those of its @graph, in order; not what is nested in them."""
    waiting = [document]
    for _ in range(MAX_NODES):
        if not waiting:
            return
        node = waiting.pop(0)
        if isinstance(node, list):
            waiting = node[:MAX_NODES] + waiting
        elif isinstance(node, dict):
            yield node
            waiting = [node[key] for key in ("@graph", "mainEntity", "itemOffered") if key in node] + waiting


def _of_node(node: dict[str, Any]) -> ProductData:
    types = {str(kind).rpartition("/")[2].lower() for kind in _listed(node.get("@type"))}
    if types & _PRODUCTS:
        offers = next((offer for offer in _listed(node.get("offers")) if isinstance(offer, dict)), {})
        return ProductData(
            name=_name(node.get("name")),
            brand=_name(node.get("brand") or node.get("manufacturer"))[:MAX_BRAND_CHARS],
            description=_name(node.get("description")),
            categories=tuple(filter(None, (_name(category) for category in _listed(node.get("category"))[:5]))),
            price=_name(offers.get("price") or offers.get("lowPrice")),
            currency=_name(offers.get("priceCurrency")),
        )
    if "breadcrumblist" in types:
        items = [item for item in _listed(node.get("itemListElement")) if isinstance(item, dict)]
        names = (_name(item.get("name")) or _name(item.get("item")) for item in items[:10])
        return ProductData(breadcrumbs=tuple(name for name in names if name))
    if types & _SITES:
        return ProductData(site=_name(node.get("name")))
    return ProductData()


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _name(value: Any) -> str:
    """A text, or the name of the object that stands for it."""
    for item in _listed(value)[:1]:
        text = item.get("name") if isinstance(item, dict) else item
        if isinstance(text, str | int | float) and not isinstance(text, bool):
            return _clean(_without_markup(str(text)))
    return ""


def _without_markup(text: str) -> str:
    return re.sub(r"<[^<>]*>", " ", html.unescape(text[: 4 * MAX_CHARS]))


def _microdata(tree: "LexborHTMLParser") -> ProductData:
    scopes = tree.css("[itemscope][itemtype]")[:MAX_NODES]
    product = next((scope for scope in scopes if _type_of(scope) in _PRODUCTS), None)
    found = ProductData(breadcrumbs=_microdata_breadcrumbs(tree))
    if product is None:
        return found
    properties: dict[str, str] = {}
    for node in product.css("[itemprop]")[:MAX_NODES]:
        name = (node.attributes.get("itemprop") or "").split(" ")[0].lower()
        owner = _scope_of(node)
        if name in ("brand", "manufacturer") and "itemscope" in node.attributes:
            named = node.css_first('[itemprop="name"]')
            node = named if named is not None else node
        elif owner is not None and owner.mem_id != product.mem_id and name not in ("price", "pricecurrency"):
            continue
        if value := _value(node):
            properties.setdefault(name, value)
    return replace(
        found,
        name=properties.get("name", ""),
        brand=(properties.get("brand") or properties.get("manufacturer", ""))[:MAX_BRAND_CHARS],
        description=properties.get("description", ""),
        categories=tuple(filter(None, (properties.get("category", ""),))),
        price=properties.get("price", ""),
        currency=properties.get("pricecurrency", ""),
    )


def _microdata_breadcrumbs(tree: "LexborHTMLParser") -> tuple[str, ...]:
    names = []
    for crumbs in tree.css('[itemtype*="BreadcrumbList" i]')[:1]:
        names = [_value(node) for node in crumbs.css('[itemprop="name"]')[:10]]
    return tuple(dict.fromkeys(name for name in names if name))


def _type_of(node: "LexborNode") -> str:
    return (node.attributes.get("itemtype") or "").strip().rpartition("/")[2].lower()


def _scope_of(node: "LexborNode") -> "LexborNode | None":
    """The nearest element around a node that has itemscope; the tree's depth is bounded."""
    around = node.parent
    while around is not None and "itemscope" not in around.attributes:
        around = around.parent
    return around


def _value(node: "LexborNode") -> str:
    return _clean(node.attributes.get("content") or node.text(deep=True, separator=" ") or "")


def _open_graph(tree: "LexborHTMLParser") -> ProductData:
    values: dict[str, str] = {}
    for node in tree.css("meta[property], meta[name]")[:MAX_NODES]:
        name = (node.attributes.get("property") or node.attributes.get("name") or "").lower()
        if value := _clean(node.attributes.get("content") or ""):
            values.setdefault(name, value)
    is_product = values.get("og:type", "").lower() in ("product", "og:product", "product.item", "product.group")
    return ProductData(
        name=values.get("og:title", "") if is_product else "",
        brand=(values.get("product:brand") or values.get("og:brand", ""))[:MAX_BRAND_CHARS],
        categories=tuple(values[name] for name in ("product:category",) if name in values),
        price=values.get("product:price:amount", ""),
        currency=values.get("product:price:currency", ""),
    )


def _labelled_rows(tree: "LexborHTMLParser") -> ProductData:
    """The brand from a row such as `<th>Brand</th><td>…</td>`, or from a text such as `Brand: …`."""
    for node in tree.css("th, td, dt, li, span, b, strong, div, p, a")[: 10 * MAX_NODES]:
        first = node.first_child
        # Only elements with a text of their own: what holds a whole table is no label.
        if first is None or node.child is None or not (text := _short_text(node)):
            continue
        label, colon, value = text.replace("：", ":").partition(":")
        if label.strip().casefold() not in _BRAND_LABELS:
            continue
        if colon and value.strip():
            return ProductData(brand=value.strip()[:MAX_BRAND_CHARS])
        if brand := _beside(node):
            return ProductData(brand=brand)
    return ProductData()


def _short_text(node: "LexborNode") -> str:
    text = node.text(deep=True, separator=" ") or ""
    return _clean(text) if len(text) <= MAX_CHARS and len(" ".join(text.split())) <= 2 * MAX_BRAND_CHARS else ""


def _beside(label: "LexborNode") -> str:
    """The short text of the element after a label, or after the element that holds the label alone."""
    node: LexborNode | None = label
    for _ in range(3):
        if node is None:
            return ""
        beside = node.next
        while beside is not None and not _clean(beside.text(deep=True, separator=" ") or ""):
            beside = beside.next
        if beside is not None:
            text = _clean(beside.text(deep=True, separator=" ") or "").strip(" :")
            return text if 0 < len(text) <= MAX_BRAND_CHARS else ""
        node = node.parent
    return ""


def _marked_breadcrumbs(tree: "LexborHTMLParser") -> ProductData:
    for selector in ('[class*="breadcrumb" i]', '[id*="breadcrumb" i]', '[aria-label*="breadcrumb" i]'):
        for around in tree.css(selector)[:3]:
            names = [_clean(node.text(deep=True, separator=" ")) for node in around.css("a, li, span")[:30]]
            short = tuple(dict.fromkeys(name for name in names if 0 < len(name) <= MAX_BRAND_CHARS))
            if len(short) >= 2:
                return ProductData(breadcrumbs=short[:10])
    return ProductData()


def _clean(text: str) -> str:
    """One line; empty for a template's variable that nobody filled in, and for what has no letter or digit."""
    line = " ".join(text[: 4 * MAX_CHARS].split())[:MAX_CHARS]
    return line if _MEANS_SOMETHING.search(line) and not line.startswith(("$", "{{", "${")) else ""
