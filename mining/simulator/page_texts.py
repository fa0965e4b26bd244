"""What the crawled pages say: titles and texts in the page's language, made from the words of the need."""

import numpy as np
import pyarrow as pa

from mining.simulator import columns
from mining.simulator.catalogue import Catalogue
from mining.simulator.grammar import EXPLORE, INTENTS, kind_names
from mining.simulator.market import LANGUAGES, ZH, Market, Product, read_language_file
from mining.simulator.results import Pages

_SENTENCES = 4


class _Writer:
    """Fills the sentences of pages.toml."""

    def __init__(self, market: Market, catalogue: Catalogue, pages: Pages) -> None:
        self._market, self._catalogue, self._pages = market, catalogue, pages
        document = read_language_file("pages")
        self._topics = [[document[language]["topics"][intent].split() for intent in INTENTS] for language in LANGUAGES]
        self._titles = [document[language]["text"]["titles"] for language in LANGUAGES]
        self._sentences = [document[language]["text"]["sentences"] for language in LANGUAGES]
        self._kinds = {
            (product.number, language): [names[0] for names in kind_names(product, language)]
            for product in market.products
            for language in range(len(LANGUAGES))
        }

    def page(self, row: int) -> tuple[str, str]:
        """Title and text of a page."""
        pages, groups = self._pages, self._catalogue.groups
        language = int(pages.language[row])
        site = pages.site_names[pages.site[row]][language]
        group, product = int(pages.group[row]), int(pages.product[row])
        if product < 0:
            industry = self._market.industries[pages.industry[row]]
            name = industry.name_zh if language == ZH else industry.name_en
            return self._fill(row, language, EXPLORE, site, name, name, "", "")
        item = self._market.products[product]
        names = item.wording[language].names
        name, other = names[row % min(2, len(names))], names[(row + 1) % len(names)]
        intent, place, kind = EXPLORE, "", self._any_kind(item, language, row)
        if group >= 0:
            intent = int(groups.intent[group])
            if groups.place[group] >= 0:
                place = self._market.places[groups.place[group]].names[language]
            if groups.kind[group] >= 0:
                name = self._kinds[product, language][groups.kind[group]]
                kind = ""
            if groups.brand[group] >= 0:
                brand = self._market.brands[groups.brand[group]].names[language]
                name = f"{brand}{name}" if language == ZH else f"{brand} {name}"
        return self._fill(row, language, intent, site, name, other, place, kind)

    def _any_kind(self, product: Product, language: int, row: int) -> str:
        kinds = product.wording[language].kinds
        return kinds[row % len(kinds)] if kinds else ""

    def _fill(
        self, row: int, language: int, intent: int, site: str, name: str, other: str, place: str, kind: str
    ) -> tuple[str, str]:
        topics = self._topics[language][intent]
        words = {
            "name": name,
            "other": other,
            "place": place,
            "kind": kind,
            "site": site,
            "first_topic": topics[row % len(topics)],
            "second_topic": topics[(row + 1) % len(topics)],
            "topic": ("、" if language == ZH else ", ").join(topics),
        }
        titles, sentences = self._titles[language], self._sentences[language]
        title = titles[row % len(titles)].format(**words)
        first = row % len(sentences)
        chosen = [sentences[(first + step) % len(sentences)].format(**words) for step in range(_SENTENCES)]
        text = "".join(chosen) if language == ZH else " ".join(chosen)
        return " ".join(title.split()), " ".join(text.split())


def page_table(market: Market, catalogue: Catalogue, pages: Pages, urls: pa.Array, rows: np.ndarray) -> pa.Table:
    """The canonical table of some pages, by address."""
    writer = _Writer(market, catalogue, pages)
    order = sorted(zip(urls.take(pa.array(rows)).to_pylist(), rows.tolist(), strict=True))
    written = [writer.page(row) for _, row in order]
    return columns.table(
        "pages",
        {
            "url": pa.array([url for url, _ in order], pa.string()),
            "title": pa.array([title for title, _ in written], pa.string()),
            "text": pa.array([text for _, text in written], pa.string()),
            "language": pa.array([LANGUAGES[pages.language[row]] for _, row in order], pa.string()),
        },
    )
