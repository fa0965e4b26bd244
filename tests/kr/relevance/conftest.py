"""Synthetic labelled pairs that a model can learn from in a second: what is wanted, with one word exchanged or not."""

import gzip
import json
import random
from pathlib import Path

import pytest

from kr.relevance.lexicons import Lexicons, shipped_terms
from kr.relevance.model import RelevanceModel
from kr.relevance.pairs import LabelledPairs, read_pairs
from kr.relevance.presets import PRESETS
from kr.relevance.synonyms import read_synonyms
from kr.relevance.training import train

THINGS = ["鲜花", "蛋糕", "英语培训", "跑鞋", "手机壳", "running shoes", "garden hose", "desk lamp", "牛奶", "雨伞"]
SAME = ["价格", "多少钱", "费用"]
OTHER = ["图片", "做法", "维修"]
PLACES = ["北京", "上海", "广州", "深圳", "杭州", "成都"]


def write_pairs(file: Path, rows: list[dict[str, object]]) -> Path:
    """Write rows as JSON lines, gzipped if the name says so."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    data = text.encode("utf-8")
    file.write_bytes(gzip.compress(data) if file.suffix == ".gz" else data)
    return file


def synthetic_rows(seed: int, count: int = 600) -> list[dict[str, object]]:
    """2: the same in other words; 1: the same thing, another purpose; 0: another thing."""
    generator = random.Random(seed)
    rows: list[dict[str, object]] = []
    for _ in range(count // 3):
        thing, other = generator.sample(THINGS, 2)
        place, wanted = generator.choice(PLACES), generator.choice(SAME)
        query = f"{place}{thing}{wanted}"
        rows.append({"query": query, "keyword": f"{thing} {place}{generator.choice(SAME)}", "label": 2})
        rows.append({"query": query, "keyword": f"{place}{thing}{generator.choice(OTHER)}", "label": 1})
        rows.append({"query": query, "keyword": f"{place}{other}{generator.choice(SAME + OTHER)}", "label": 0})
    return rows


@pytest.fixture(scope="session")
def training_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 synthetic pairs, gzipped."""
    return write_pairs(tmp_path_factory.mktemp("pairs") / "train.jsonl.gz", synthetic_rows(1))


@pytest.fixture(scope="session")
def training_pairs(training_file: Path) -> LabelledPairs:
    """The same pairs, read."""
    return read_pairs([training_file])


@pytest.fixture(scope="session")
def lexicons(tmp_path_factory: pytest.TempPathFactory) -> Lexicons:
    """A few synonyms and brands, and the places that come with KR."""
    folder = tmp_path_factory.mktemp("lexicons")
    synonyms, brands = folder / "synonyms.txt", folder / "brands.txt"
    synonyms.write_text("Dj06A01= 价格 费用 花费\nBh02A01# 鲜花 花店 花\ndelivery shipping\n", encoding="utf-8")
    brands.write_text("running shoes\n速递\tdelivery\n", encoding="utf-8")
    return Lexicons.of(read_synonyms([synonyms]), shipped_terms([("brand", brands)]))


@pytest.fixture(scope="session")
def model(training_pairs: LabelledPairs, lexicons: Lexicons) -> RelevanceModel:
    """A model of the preset `fast` of these pairs, which knows synonyms, places and brands."""
    return train(training_pairs, [], PRESETS["fast"], lexicons=lexicons)[0]


@pytest.fixture(scope="session")
def model_folder(model: RelevanceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model, written."""
    folder = tmp_path_factory.mktemp("model") / "model"
    model.write(folder)
    return folder


@pytest.fixture(scope="session")
def held_out_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 synthetic pairs of another seed."""
    return write_pairs(tmp_path_factory.mktemp("pairs") / "test.jsonl", synthetic_rows(2, 300))
