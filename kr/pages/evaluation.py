"""How well topics find what a product page offers, on pages whose brand somebody wrote down.

The folder holds `ground_truth.json` (a page's id → `brand`, a list; `url`) and `html/<id>.html.gz`. Product words are
the words of the address's longest path segment: topics never look at the address, so that it may judge them. Many
shops shorten it or write it without accents, so that it asks for too much here and there and never too little.
"""

import gzip
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from indexes.errors import CorruptError, NotFoundError
from kr.pages.document import read_document
from kr.pages.stop_words import STOP_WORDS
from kr.pages.topics import find_topics

FIRST = (5, 20)
LEAST_SLUG_WORDS = 2


@dataclass(frozen=True)
class PageScore:
    """One page: the words sought, those among the first topics, and how many of the topics hold one."""

    page: str
    title: str
    brand_words: frozenset[str]
    product_words: frozenset[str]
    topics: tuple[frozenset[str], ...]

    def found(self, sought: frozenset[str], most: int) -> frozenset[str]:
        """The sought words that stand in the first topics."""
        return sought & frozenset().union(*self.topics[:most])

    def precision(self, most: int) -> float:
        """The share of the first topics that hold a brand or product word."""
        wanted = self.brand_words | self.product_words
        return sum(bool(topic & wanted) for topic in self.topics[:most]) / max(1, len(self.topics[:most]))


def evaluate_pages(folder: Path) -> tuple[dict[str, Any], list[PageScore]]:
    """The figures, and the score of every page. NotFoundError or CorruptError name what is wrong with the folder."""
    scores = [_score(folder, page, truth) for page, truth in sorted(_truth(folder).items())]
    with_brand = [score for score in scores if score.brand_words]
    with_product = [score for score in scores if score.product_words]
    rows: dict[str, Any] = {"pages": len(scores), "with_brand": len(with_brand), "with_product": len(with_product)}
    for most in FIRST:
        whole = [score.found(score.brand_words, most) == score.brand_words for score in with_brand]
        shares = [len(score.found(score.product_words, most)) / len(score.product_words) for score in with_product]
        rows[f"brand_recall_at_{most}"] = _mean([float(found) for found in whole])
        rows[f"product_recall_at_{most}"] = _mean(shares)
        rows[f"precision_at_{most}"] = _mean([score.precision(most) for score in with_product])
    return rows, scores


def _truth(folder: Path) -> dict[str, Any]:
    path = folder / "ground_truth.json"
    if not path.is_file():
        raise NotFoundError(f"{path} does not exist.", "Name a folder with ground_truth.json and html/ID.html.gz.")
    try:
        truth = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(truth, dict) or not all(isinstance(entry.get("url"), str) for entry in truth.values()):
            raise ValueError("every page needs a url")
    except (ValueError, AttributeError) as error:
        raise CorruptError(
            f"{path} is not as expected: {error}.", "It maps a page's id to its brand and url."
        ) from None
    return truth


def _score(folder: Path, page: str, truth: dict[str, Any]) -> PageScore:
    path = folder / "html" / f"{page}.html.gz"
    try:
        body = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise NotFoundError(f"{path} does not exist, but ground_truth.json names it.", "Add it.") from None
    except (OSError, EOFError) as error:
        raise CorruptError(f"{path} is no gzip file: {error}.", "Copy it again.") from None
    document = read_document(body)
    host = urlsplit(truth["url"]).hostname or ""
    topics = find_topics(document, host=host, most=max(FIRST))
    brand = _words((truth.get("brand") or [""])[0])
    return PageScore(
        page,
        document.title,
        brand,
        _slug_words(truth["url"]) - brand,
        tuple(_words(topic.text) for topic in topics),
    )


def _slug_words(url: str) -> frozenset[str]:
    """The words of the path segment that has most of them; none if it has too few to be a description."""
    segments = [unquote(segment) for segment in urlsplit(url).path.split("/")]
    found = max((_words(re.sub(r"\.html?$|\.php$", "", segment)) for segment in segments), key=len, default=frozenset())
    named = frozenset(word for word in found if len(word) > 2 and word.isalpha() and word not in STOP_WORDS)
    return named if len(named) >= LEAST_SLUG_WORDS else frozenset()


def _words(text: str) -> frozenset[str]:
    """The words of a text without case and accents."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return frozenset(re.findall(r"[^\W_]+", plain.replace("'", "").replace("’", "")))


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
