"""The words of the market: both languages everywhere, each word with one meaning, mistakes named."""

from pathlib import Path

import pytest

from indexes.errors import UsageError
from indexes.text import language, normalise
from mining.simulator import market as market_module
from mining.simulator.grammar import INTENTS, forms, kind_names, templates
from mining.simulator.market import LANGUAGES, Market, load_market

MINIMAL = """
name_zh = "测试"
name_en = "Test"
section = "shopping"
form = "goods"
popularity = 1.0
zh_share = 0.5
local_share = 0.1
click_price = 1.0
order_value = 10.0
brands = [["阿尔法", "alphaish"]]
[[products]]
id = "{id}"
zh = ["{zh}"]
en = ["{en}"]
related = [{related}]
"""


@pytest.fixture(scope="module")
def market() -> Market:
    return load_market()


def test_there_are_more_than_twenty_safe_industries_each_with_products_and_brands_in_both_languages(
    market: Market,
) -> None:
    safe = [industry for industry in market.industries if not industry.unsafe]
    assert len(safe) >= 20
    for industry in safe:
        products = [product for product in market.products if product.industry == industry.number]
        assert len(products) >= 6
        assert industry.name_zh and industry.name_en
        for product in products:
            assert all(len(wording.names) >= 2 for wording in product.wording)
            assert product.brands


def test_every_word_is_written_as_its_keyword(market: Market) -> None:
    words = [
        word
        for product in market.products
        for wording in product.wording
        for word in (*wording.names, *wording.phrases, *wording.kinds, *wording.purposes, *wording.questions)
    ]
    words += [name for brand in market.brands for name in brand.names]
    words += [name for place in market.places for name in place.names]
    assert [word for word in words if word != normalise(word)] == []


def test_names_and_questions_are_in_the_language_that_they_stand_under(market: Market) -> None:
    # A Chinese searcher may type Latin letters (suv); an English one types no Chinese character.
    wrong = [
        text
        for product in market.products
        for number, wording in enumerate(product.wording)
        for text in (*wording.names, *wording.phrases, *wording.questions)
        if language(text) != LANGUAGES[number] and not (number == 0 and text.isascii() and len(text) <= 4)
    ]
    assert wrong == []


def test_no_brand_name_is_also_a_product_or_another_brand(market: Market) -> None:
    for number in range(len(LANGUAGES)):
        brands = [brand.names[number] for brand in market.brands]
        assert len(set(brands)) == len(brands)
        names = {name for product in market.products for name in product.wording[number].names}
        assert not names & set(brands)


def test_every_form_has_templates_for_each_intent_that_it_is_searched_for() -> None:
    for form in forms().values():
        assert sum(form.intents) == pytest.approx(1.0)
        for intent, share in zip(INTENTS, form.intents, strict=True):
            for number in range(len(LANGUAGES)):
                if share:
                    assert templates(intent, number, form.name), (form.name, intent)


def test_a_kind_is_said_once_in_a_name(market: Market) -> None:
    flights = market.product("flights")
    names = [name for names in kind_names(flights, LANGUAGES.index("en")) for name in names]
    assert "one way flights" in names
    assert all(len(name.split()) == len(set(name.split())) for name in names)


def _load(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> Market:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(market_module, "MARKET_FOLDER", folder)
    return load_market.__wrapped__()


def test_an_industry_is_added_by_adding_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = MINIMAL.format(id="kites", zh="风筝", en="kites", related="")
    market = _load(tmp_path, monkeypatch, toys=text)
    assert [industry.id for industry in market.industries] == ["toys", "unsafe"]
    assert market.product("kites").flagship_of == (0,)


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"toys": "name_zh = "}, "toys.toml"),
        ({"toys": 'name_zh = "玩具"'}, "'brands' is missing"),
        ({"toys": MINIMAL.format(id="kites", zh="风筝", en="Kites", related="")}, "'Kites' is not normalised"),
        ({"toys": MINIMAL.format(id="kites", zh="风筝", en="kites", related='"dolls"')}, "'dolls'"),
        (
            {
                "games": MINIMAL.format(id="cards", zh="卡牌", en="kites", related=""),
                "toys": MINIMAL.format(id="kites", zh="风筝", en="kites", related=""),
            },
            "'kites' stands in cards and in kites",
        ),
        ({"toys": "season = [1.0]\n" + MINIMAL.format(id="kites", zh="风筝", en="kites", related="")}, "season"),
    ],
)
def test_a_mistake_in_an_industry_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], named: str
) -> None:
    with pytest.raises(UsageError, match=named):
        _load(tmp_path, monkeypatch, **files)
