"""The words of the simulated market: industries, products, brands and places, read from the TOML files beside this one.

An industry is a file in market/; language/unsafe.toml is laid out like one. Adding an industry is adding a file.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from indexes.errors import UsageError
from indexes.text import normalise

LANGUAGES = ("zh", "en")
ZH, EN = 0, 1

MARKET_FOLDER = Path(__file__).with_name("market")
LANGUAGE_FOLDER = Path(__file__).with_name("language")

_ORDINARY_YEAR = (1.0,) * 12
_ORDINARY_WEEK = (1.0,) * 7


@dataclass(frozen=True)
class Peak:
    """Days of every year, both ends included, on which an industry is in demand `factor` times as usual."""

    first: tuple[int, int]
    last: tuple[int, int]
    factor: float

    def covers(self, day: date) -> bool:
        return self.first <= (day.month, day.day) <= self.last


@dataclass(frozen=True)
class Wording:
    """What one product is called in one language, the most typed first."""

    names: tuple[str, ...]
    phrases: tuple[str, ...]
    kinds: tuple[str, ...]
    purposes: tuple[str, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Product:
    """One latent product or service: the same thing in both languages."""

    id: str
    number: int
    industry: int
    form: str
    wording: tuple[Wording, Wording]
    related: tuple[str, ...]
    season: tuple[float, ...]
    brands: tuple[int, ...]
    flagship_of: tuple[int, ...]


@dataclass(frozen=True)
class Brand:
    """An invented brand with its name in each language (zh, en)."""

    number: int
    names: tuple[str, str]


@dataclass(frozen=True)
class Industry:
    """One industry and what is typical of it; prices are in units of the currency, shares between 0 and 1."""

    id: str
    number: int
    name_zh: str
    name_en: str
    section: str
    popularity: float
    zh_share: float
    local_share: float
    click_price: float
    order_value: float
    weekday: tuple[float, ...]
    peaks: tuple[Peak, ...]
    unsafe: bool


@dataclass(frozen=True)
class Place:
    """A city: where some people are, and what they type for it in each language (zh, en)."""

    number: int
    region: str
    country: str
    names: tuple[str, str]
    language: int
    weight: float
    utc_offset_hours: float


@dataclass(frozen=True)
class Market:
    """Everything that can be searched for. Positions in the tuples are the `number` of each item."""

    industries: tuple[Industry, ...]
    products: tuple[Product, ...]
    brands: tuple[Brand, ...]
    places: tuple[Place, ...]

    def product(self, product_id: str) -> Product:
        return next(product for product in self.products if product.id == product_id)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name}: {error}.", "Mend the file; it must be TOML in UTF-8.") from error


def read_language_file(name: str) -> dict[str, Any]:
    """The content of language/<name>.toml."""
    return _read(LANGUAGE_FOLDER / f"{name}.toml")


def _month_day(text: str, where: str) -> tuple[int, int]:
    try:
        day = date.fromisoformat(f"2024-{text}")
    except ValueError as error:
        raise UsageError(f"{where}: {text!r} is no day of a year.", "Write month and day: 02-14.") from error
    return day.month, day.day


def _factors(values: Any, count: int, where: str) -> tuple[float, ...]:
    if len(values) != count or min(values) <= 0:
        raise UsageError(f"{where} needs {count} numbers above zero.", "See flowers.toml for an example.")
    return tuple(float(value) for value in values)


def _wording(product: dict[str, Any], industry: dict[str, Any], language: str) -> Wording:
    kinds = (*product.get(f"{language}_kinds", ()), *industry.get(f"{language}_kinds", ()))
    return Wording(
        names=tuple(product[language]),
        phrases=tuple(product.get(f"{language}_phrases", ())),
        kinds=tuple(dict.fromkeys(kinds)),
        purposes=tuple(product.get(f"{language}_for", ())),
        questions=tuple(product.get(f"{language}_ask", ())),
    )


def _brands_of(position: int, products: int, brands: range) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The brands that sell a product, and those whose bare name means it; every brand has one such product."""
    if not brands:
        return (), ()
    sellers = sorted({brands[(position + step) % len(brands)] for step in (0, 1, 2)})
    flagships = tuple(brand for index, brand in enumerate(brands) if index % products == position)
    return tuple(sorted({*sellers, *flagships})), flagships


def _check_words(market: Market) -> None:
    """Raise UsageError where a word is not normalised or means two products."""
    owners: dict[tuple[int, str], str] = {}
    for product in market.products:
        for language, wording in enumerate(product.wording):
            for word in (*wording.names, *wording.phrases, *wording.questions):
                if word != normalise(word):
                    raise UsageError(f"{product.id}: {word!r} is not normalised.", f"Write {normalise(word)!r}.")
                if (language, word) in owners:
                    first = owners[language, word]
                    raise UsageError(f"{word!r} stands in {first} and in {product.id}.", "Keep it in one of them.")
                owners[language, word] = product.id
    known = {product.id for product in market.products}
    for product in market.products:
        for other in product.related:
            if other not in known:
                raise UsageError(f"{product.id} is related to {other!r}, which is no product.", "Mend the id.")


def _places() -> tuple[Place, ...]:
    return tuple(
        Place(
            number=number,
            region=row["region"],
            country=row["country"],
            names=(row["zh"], row["en"]),
            language=LANGUAGES.index(row["language"]),
            weight=float(row["weight"]),
            utc_offset_hours=float(row["utc_offset"]),
        )
        for number, row in enumerate(read_language_file("places")["places"])
    )


@cache
def load_market() -> Market:
    """Read and check the whole market. Raises UsageError that names the file or product and the remedy."""
    files = [*sorted(MARKET_FOLDER.glob("*.toml")), LANGUAGE_FOLDER / "unsafe.toml"]
    industries: list[Industry] = []
    products: list[Product] = []
    brands: list[Brand] = []
    for number, path in enumerate(files):
        document = _read(path)
        try:
            peaks = tuple(
                Peak(_month_day(peak["from"], path.name), _month_day(peak["to"], path.name), float(peak["factor"]))
                for peak in document.get("peaks", ())
            )
            season = _factors(document.get("season", _ORDINARY_YEAR), 12, f"{path.name}: season")
            own_brands = range(len(brands), len(brands) + len(document["brands"]))
            brands += [Brand(own_brands[index], (zh, en)) for index, (zh, en) in enumerate(document["brands"])]
            rows = document["products"]
            for position, row in enumerate(rows):
                sellers, flagships = _brands_of(position, len(rows), own_brands)
                products.append(
                    Product(
                        id=row["id"],
                        number=len(products),
                        industry=number,
                        form=row.get("form", document["form"]),
                        wording=(_wording(row, document, "zh"), _wording(row, document, "en")),
                        related=tuple(row["related"]),
                        season=_factors(row.get("season", season), 12, f"{path.name}: season of {row['id']}"),
                        brands=sellers,
                        flagship_of=flagships,
                    )
                )
            industries.append(
                Industry(
                    id=path.stem,
                    number=number,
                    name_zh=document["name_zh"],
                    name_en=document["name_en"],
                    section=document["section"],
                    popularity=float(document["popularity"]),
                    zh_share=float(document["zh_share"]),
                    local_share=float(document["local_share"]),
                    click_price=float(document["click_price"]),
                    order_value=float(document["order_value"]),
                    weekday=_factors(document.get("weekday", _ORDINARY_WEEK), 7, f"{path.name}: weekday"),
                    peaks=peaks,
                    unsafe=path.stem == "unsafe",
                )
            )
        except KeyError as error:
            raise UsageError(
                f"{path.name}: {error.args[0]!r} is missing.", "See flowers.toml for an example."
            ) from error
    market = Market(tuple(industries), tuple(products), tuple(brands), _places())
    _check_words(market)
    return market
