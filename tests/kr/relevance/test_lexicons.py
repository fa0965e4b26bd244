"""Files of synonyms and of terms: what is read, what is refused with its line, and what a model makes of them."""

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexes.errors import NotFoundError, UsageError
from kr.relevance.commands import train_relevance
from kr.relevance.features import encode_pairs, pair_features
from kr.relevance.lexicons import Lexicons, shipped_terms
from kr.relevance.model import RelevanceModel
from kr.relevance.synonyms import read_synonyms
from kr.relevance.terms import PLACES_FILE, read_terms
from kr.relevance.text_knowledge import TextKnowledge


def feature(knowledge: TextKnowledge, name: str, query: str, keyword: str) -> float:
    """One feature of one pair."""
    from kr.relevance.model import feature_names

    names = [feature.name for feature in feature_names(1, knowledge.lexicons.kinds, with_encoder=False)]
    return float(pair_features(encode_pairs((query,), (keyword,), knowledge), knowledge)[0, names.index(name)])


def knowing(lexicons: Lexicons) -> TextKnowledge:
    return TextKnowledge.fit(["鲜花价格", "鲜花店", "running shoes"], 4, lexicons)


def test_groups_are_read_with_and_without_codes_from_plain_and_packed_files(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.txt", tmp_path / "b.txt.gz"
    plain.write_text("\ufeffAa01A01= 价格 價錢\n\nfees  Costs\n", encoding="utf-8")
    packed.write_bytes(gzip.compress("Aa01A02# 店铺\n".encode()))
    groups = read_synonyms([plain, packed])
    assert [group.words for group in groups] == [("价格", "價錢"), ("fees", "costs"), ("店铺",)]
    assert len({group.sense for group in groups}) == 3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Aa01A01=", "a group of 0 words"),
        ("价格", "a group of 1 words"),
        ("Aa1A01= 价格 费用", "Aa1A01= is no code"),
        ("价格 !!!", "!!! has no letters or digits"),
    ],
)
def test_a_broken_group_is_refused_with_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "synonyms.txt"
    file.write_text(f"价格 费用\n{line}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"synonyms\.txt, line 2: ") as raised:
        read_synonyms([file])
    assert message in str(raised.value)


def test_lists_that_are_missing_empty_or_not_utf8_are_refused(tmp_path: Path) -> None:
    empty, latin = tmp_path / "empty.txt", tmp_path / "latin.txt"
    empty.write_text("\n")
    latin.write_bytes(b"a b\ncaf\xe9 b\n")
    with pytest.raises(NotFoundError, match=r"nowhere.*--synonyms|nowhere"):
        read_synonyms([tmp_path / "nowhere"])
    with pytest.raises(UsageError, match=r"empty\.txt holds no synonyms"):
        read_synonyms([empty])
    with pytest.raises(UsageError, match=r"empty\.txt holds no terms"):
        read_terms([("brand", empty)])
    with pytest.raises(UsageError, match=r"latin\.txt, line 2: not UTF-8"):
        read_synonyms([latin])
    with pytest.raises(UsageError, match=r"latin\.txt, line 2: not UTF-8"):
        read_terms([("brand", latin)])


def test_terms_of_no_letters_and_kinds_that_are_no_names_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "brands.txt"
    file.write_text("adidas\nnike\t---\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"brands\.txt, line 2: '---' has no letters or digits"):
        read_terms([("brand", file)])
    with pytest.raises(UsageError, match="'Brand 1' is no kind of term"):
        read_terms([("Brand 1", file)])


@pytest.mark.parametrize("item", ["brand", "brand="])
def test_terms_without_kind_or_file_are_refused_on_the_command_line(
    tmp_path: Path, training_file: Path, item: str
) -> None:
    arguments = ["--pairs", str(training_file), "--terms", item, "--out", str(tmp_path / "model")]
    with pytest.raises(UsageError, match="names no kind and file"):
        CliRunner().invoke(train_relevance, arguments, catch_exceptions=False)


def test_a_synonym_covers_and_a_related_word_only_stands_near(tmp_path: Path) -> None:
    file = tmp_path / "synonyms.txt"
    file.write_text("Dj06A01= 价格 费用\nDj06A02# 价格 单据\nDj07B01= 工资\n", encoding="utf-8")
    knowledge = knowing(Lexicons.of(read_synonyms([file])))
    assert feature(knowledge, "q_synonym_share", "鲜花 价格", "鲜花 费用") == 1
    assert feature(knowledge, "q_expanded_share", "鲜花 价格", "费用 鲜花") == 1
    assert feature(knowledge, "q_synonyms", "鲜花 价格", "鲜花 单据") == 0
    assert feature(knowledge, "q_related", "鲜花 价格", "鲜花 单据") == 1
    assert feature(knowledge, "k_class_depth", "价格", "工资") == pytest.approx(2 / 5)
    assert feature(knowledge, "k_class_depth", "价格", "鲜花") == 0


def test_without_synonyms_their_features_are_constant() -> None:
    knowledge = knowing(Lexicons.of())
    pairs = encode_pairs(("鲜花 价格", "a", ""), ("鲜花 费用", "a", "b"), knowledge)
    synonyms = pair_features(pairs, knowledge)[:, -14:]
    assert not synonyms.any()


def test_names_of_one_thing_are_the_same_and_the_longest_name_counts(tmp_path: Path) -> None:
    file = tmp_path / "places.txt"
    file.write_text("york\nnew york\tNYC\t纽约\n北京\t北京市\nLos Angeles\n", encoding="utf-8")
    knowledge = knowing(Lexicons.of(terms=read_terms([("place", file)])))
    assert feature(knowledge, "place_same", "纽约 hotel", "hotels in New York") == 1
    assert feature(knowledge, "place_same", "北京市鲜花", "鲜花 北京") == 1
    assert feature(knowledge, "place_differs", "york hotel", "new york hotel") == 1
    assert feature(knowledge, "place_differs", "nyc hotel", "los angeles hotel") == 1
    assert feature(knowledge, "place_only_q", "los angeles hotel", "hotel angeles") == 1
    assert feature(knowledge, "place_only_k", "hotel", "北京 hotel") == 1


def test_a_name_of_two_things_means_the_first_and_files_of_one_kind_are_joined(tmp_path: Path) -> None:
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    one.write_text("springfield\nshelbyville\n", encoding="utf-8")
    other.write_text("capital city\tspringfield\n", encoding="utf-8")
    terms = read_terms([("place", one), ("brand", one), ("place", other)])
    assert [(kind.kind, len(kind.things)) for kind in terms] == [("brand", 2), ("place", 3)]
    knowledge = knowing(Lexicons.of(terms=terms))
    assert feature(knowledge, "place_differs", "springfield", "capital city") == 1


def test_the_places_that_come_with_kr_have_each_name_once() -> None:
    names = [name for line in PLACES_FILE.read_text(encoding="utf-8").splitlines() for name in line.split("\t")]
    assert len(names) == len(set(names)) and len(names) > 1000
    knowledge = knowing(Lexicons.of(terms=shipped_terms()))
    assert feature(knowledge, "place_same", "beijing flowers", "北京市 flowers") == 1
    assert feature(knowledge, "place_differs", "石家庄市鲜花", "鲜花 广州") == 1


def test_a_model_trained_with_lists_says_so_on_its_card_and_reads_them(tmp_path: Path, training_file: Path) -> None:
    synonyms, brands = tmp_path / "synonyms.txt", tmp_path / "brands.txt"
    synonyms.write_text("价格 费用\n多少钱 价钱\n", encoding="utf-8")
    brands.write_text("鲜花\n蛋糕\n跑鞋\n雨伞\n牛奶\n", encoding="utf-8")
    arguments = ["--pairs", str(training_file), "--synonyms", str(synonyms), "--terms", f"brand={brands}"]
    result = CliRunner().invoke(
        train_relevance, [*arguments, "--out", str(tmp_path / "model"), "--json"], catch_exceptions=False
    )
    card = json.loads(result.stdout)
    assert card["lexicons"]["synonyms"]["groups"] == 2
    assert card["lexicons"]["synonyms"]["left_out"] == 1  # 多少钱 is two words
    assert [(kind["kind"], len(kind["files"])) for kind in card["lexicons"]["terms"]] == [("brand", 1), ("place", 0)]
    assert "synonyms.txt" in (tmp_path / "model" / "card.md").read_text(encoding="utf-8")
    model = RelevanceModel.read(tmp_path / "model")
    assert model.knowledge.lexicons.kinds == ("brand", "place")
    assert feature(model.knowledge, "q_synonyms", "鲜花价格", "鲜花费用") == 1


@pytest.mark.shared_data
def test_the_real_synonyms_are_read_whole(shared_data: Path) -> None:
    groups = read_synonyms([shared_data / "lexicons" / "cilin_synonyms.zh.txt.gz"])
    assert len(groups) == 17_817
    knowledge = knowing(Lexicons.of(groups))
    assert feature(knowledge, "q_synonyms", "鲜花 价格", "鲜花 价钱") == 1
