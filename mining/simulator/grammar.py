"""From a need to the words that people type for it: templates by intent, language and form of product."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from indexes.errors import UsageError
from mining.simulator.market import LANGUAGES, ZH, Product, read_language_file

INTENTS = ("explore", "price", "compare", "buy", "local", "learn", "supply", "brand", "support")
EXPLORE, PRICE, COMPARE, BUY, LOCAL, LEARN, SUPPLY, BRAND, SUPPORT = range(len(INTENTS))
# Intents in which people name a kind (生日鲜花价格, best running shoes for flat feet), and how many templates each such
# group has: people who are that specific phrase it in fewer ways.
KIND_INTENTS = {EXPLORE: 3, PRICE: 4, COMPARE: 4, BUY: 3, LEARN: 2}
# How much rarer a form's own template is than the general one in the same place of its list.
_FORM_SHARE = 0.7
# Popularity of the n-th template of a list, n from 0.
_TEMPLATE_SLOPE = 2.1

_SLOT = re.compile(r"\{(name|place|brand|other)\}")
_ENGLISH_FUNCTION_WORDS = frozenset(
    re.findall(r"\w+", "a an and are does for from get how in is it me near of on the to vs what with")
)


@dataclass(frozen=True)
class Template:
    """One way to phrase an intent; `weight` is its share relative to the other ways."""

    text: str
    weight: float
    literals: tuple[str, ...]

    def repeats(self, name: str, language: int) -> bool:
        """Whether the phrase would say twice what the name says already: 装修公司公司, cheap cheap flights."""
        if language == ZH:
            return any(literal in name for literal in self.literals)
        return bool(set(self.literals) & set(name.split()))


@dataclass(frozen=True)
class Form:
    """What a form of product (goods, service, …) is searched for: the share of each intent."""

    name: str
    like: str | None
    intents: tuple[float, ...]
    own: frozenset[str]


def _template(text: str, weight: float, language: int) -> Template:
    plain = _SLOT.sub(" ", text)
    literals = tuple(word for word in plain.split() if language == ZH or word not in _ENGLISH_FUNCTION_WORDS)
    return Template(text, weight, literals)


@cache
def _document() -> dict[str, Any]:
    return read_language_file("grammar")


@cache
def forms() -> dict[str, Form]:
    """Every form by name, shares of the intents summing to 1."""
    result = {}
    for name, row in _document()["forms"].items():
        unknown = set(row["intents"]) - set(INTENTS)
        if unknown:
            raise UsageError(f"grammar.toml: form {name} has the unknown intent {min(unknown)!r}.", "Use a known one.")
        shares = [float(row["intents"].get(intent, 0.0)) for intent in INTENTS]
        total = sum(shares)
        result[name] = Form(name, row.get("like"), tuple(s / total for s in shares), frozenset(row.get("own", ())))
    return result


@cache
def templates(intent: str, language: int, form_name: str) -> tuple[Template, ...]:
    """The ways to phrase an intent (or `place`: local with a city) for a form of product, the most typed first."""
    lists: dict[str, list[str]] = _document()[intent][LANGUAGES[language]]
    form = forms()[form_name]
    own = lists.get(form_name, lists.get(form.like, []) if form.like else [])
    general = [] if intent in form.own and own else lists.get("any", [])
    share = _FORM_SHARE if general else 1.0
    weights: dict[str, float] = {}
    for rank, text in enumerate(general):
        weights[text] = (rank + 1) ** -_TEMPLATE_SLOPE
    for rank, text in enumerate(own):
        weights[text] = max(weights.get(text, 0.0), share * (rank + 1) ** -_TEMPLATE_SLOPE)
    ordered = sorted(weights.items(), key=lambda item: -item[1])
    return tuple(_template(text, weight, language) for text, weight in ordered)


def kind_names(product: Product, language: int) -> list[list[str]]:
    """For each kind of a product, the names that say it: 生日鲜花, 生日花束; trail running shoes; shoes for flat feet.

    The list is as long as the product has kinds and purposes in that language, the most searched first: purposes are
    woven between kinds.
    """
    wording = product.wording[language]
    bases = wording.names[:2]
    if language == ZH:
        kinds = [[kind + base for base in bases if not _overlap(kind, base)] for kind in wording.kinds]
    else:
        kinds = [[f"{kind} {base}" for base in bases if not _overlap(kind, base)] for kind in wording.kinds]
    purposes = [[f"{base} for {purpose}" for base in bases if purpose not in base] for purpose in wording.purposes]
    woven: list[list[str]] = []
    for index in range(max(len(kinds), len(purposes))):
        woven += kinds[index : index + 1] + purposes[index : index + 1]
    return [names for names in woven if names]


def _overlap(kind: str, base: str) -> bool:
    """Whether a kind says what the name says: 玫瑰 + 玫瑰花, `cheap` + `cheap flights`."""
    if kind.isascii() and base.isascii():
        return bool(set(kind.split()) & set(base.split()))
    return kind in base or kind[-1] == base[0]


def phrase(template: Template, language: int, names: tuple[str, ...], **slots: str) -> Iterator[tuple[str, int]]:
    """The template with each name that fits it, and the name's position."""
    for index, name in enumerate(names):
        if not template.repeats(name, language):
            yield template.text.format(name=name, **slots), index
