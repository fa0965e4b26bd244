"""The operator's rules: dated, ordered, and never skipped silently."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexes.errors import UsageError
from kr.marketing.rules import load_rules
from kr.pipelines.keyword_search import SOURCES
from kr.reply import Reply
from kr.service import KeywordService
from kr.settings import Settings
from kr.types import Request

TODAY = datetime(2024, 5, 10, 12, tzinfo=UTC)


@pytest.fixture
def ask_with(tiny_store: Path, tmp_path: Path) -> Callable[..., Reply]:
    def ask(rules: str, seed: str = "鲜花", **more: object) -> Reply:
        file = tmp_path / "rules.toml"
        file.write_text(rules, encoding="utf-8")
        service = KeywordService(Settings(store=tiny_store, rules=file), now=lambda: TODAY)
        return service.keyword_ideas(Request(seeds=(seed,), **more))  # type: ignore[arg-type]

    return ask


def texts(reply: Reply) -> list[str]:
    return [row["text"] for row in reply.rows]


def rule_reasons(reply: Reply, text: str) -> list[str]:
    row = next(row for row in reply.rows if row["text"] == text)
    return [reason["text_en"] for reason in row["reasons"] if reason["source"] == "marketing_rules"]


def test_a_boost_raises_a_keyword_and_the_row_says_so(ask_with: Callable[..., Reply]) -> None:
    plain = ask_with("")
    boosted = ask_with('[[rule]]\nname = "Cakes"\naction = "boost"\nfactor = 50\nkeywords.contains = ["蛋糕"]')
    assert texts(plain).index("生日蛋糕") > 0
    assert texts(boosted)[0] == "生日蛋糕"
    assert rule_reasons(boosted, "生日蛋糕") == ["Raised by the rule “Cakes”"]
    assert rule_reasons(boosted, "鲜花") == []


def test_a_bury_lowers(ask_with: Callable[..., Reply]) -> None:
    buried = ask_with('[[rule]]\nname = "x"\naction = "bury"\nfactor = 0.001\nkeywords.equals = ["鲜花"]')
    assert texts(buried)[-1] == "鲜花"


def test_a_pin_holds_its_place(ask_with: Callable[..., Reply]) -> None:
    pinned = ask_with('[[rule]]\nname = "x"\naction = "pin"\nposition = 2\nkeywords.equals = ["flowers"]')
    assert texts(pinned)[1] == "flowers"
    assert sorted(texts(pinned)) == sorted(texts(ask_with("")))


def test_a_pin_does_not_disturb_a_sort_by_column(ask_with: Callable[..., Reply]) -> None:
    pin = '[[rule]]\nname = "x"\naction = "pin"\nposition = 1\nkeywords.equals = ["flowers"]'
    assert texts(ask_with(pin, sort="-searches")) == texts(ask_with("", sort="-searches"))


def test_a_block_removes_and_explains(ask_with: Callable[..., Reply]) -> None:
    reply = ask_with('[[rule]]\nname = "x"\naction = "block"\nkeywords.languages = ["en"]', explain=True)
    assert reply.rows and all(row["language"] != "en" for row in reply.rows)
    assert reply.explain is not None
    stage = next(stage for stage in reply.explain["stages"] if stage["name"] == "marketing_rules")
    assert stage["removed_by"] == {"rule_block": len(stage["removed"])}


def test_a_floor_removes_what_is_lower_or_unknown(ask_with: Callable[..., Reply]) -> None:
    reply = ask_with('[[rule]]\nname = "x"\naction = "floor"\nattribute = "competition"\nleast = 60')
    assert reply.rows and all(row["competition_index"] >= 60 for row in reply.rows)


def test_a_quota_limits_what_one_source_alone_found(ask_with: Callable[..., Reply]) -> None:
    rule = '[[rule]]\nname = "x"\naction = "quota"\nsource = "token_match"\nmost = {most}'

    def only_words(reply: Reply) -> int:
        return sum({reason["source"] for reason in row["reasons"]} == {"token_match"} for row in reply.rows)

    plain = only_words(ask_with(""))
    assert plain > 0
    assert only_words(ask_with(rule.format(most=plain))) == plain
    assert only_words(ask_with(rule.format(most=plain - 1))) == plain - 1


@pytest.mark.parametrize(
    ("dates", "holds"),
    [
        ("", True),
        ("from = 2024-05-10\nuntil = 2024-05-10", True),
        ("from = 2024-05-11", False),
        ("until = 2024-05-09", False),
        ("enabled = false", False),
        ('seeds = ["花"]', True),
        ('seeds = ["shoes"]', False),
    ],
)
def test_a_rule_holds_on_its_days_and_for_its_seeds(ask_with: Callable[..., Reply], dates: str, holds: bool) -> None:
    reply = ask_with(f'[[rule]]\nname = "x"\naction = "block"\nkeywords.equals = ["鲜花"]\n{dates}')
    assert ("鲜花" not in texts(reply)) is holds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rule]\n", "is not TOML"),
        ("[rules]\n", "unknown key rules"),
        ('[[rule]]\naction = "block"', "rule 1: name: Field required"),
        ('[[rule]]\nname = "Spring"\naction = "raise"', r"rule 1 \(Spring\): action"),
        (
            '[[rule]]\nname = "a"\naction = "block"\n[[rule]]\nname = "b"\naction = "boost"',
            r"rule 2 \(b\): .*needs factor",
        ),
        ('[[rule]]\nname = "a"\naction = "block"\nfactor = 2', "takes no factor"),
        ('[[rule]]\nname = "a"\naction = "boost"\nfactor = 0.5', "to lower a score use bury"),
        ('[[rule]]\nname = "a"\naction = "pin"\nposition = 1', "needs keywords.equals"),
        ('[[rule]]\nname = "a"\naction = "block"\nfrom = 2024-02-02\nuntil = 2024-02-01', "is before"),
        ('[[rule]]\nname = "a"\naction = "block"\ncolour = 1', "colour"),
        ('[[rule]]\nname = "a"\naction = "quota"\nsource = "magic"\nmost = 1', "no source magic"),
        ('[[rule]]\nname = "a"\naction = "block"\nkeywords.equals = ["\u200b"]', "without any character"),
    ],
)
def test_a_mistake_in_the_file_names_the_rule_and_the_mistake(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        load_rules(file, SOURCES)


def test_a_missing_file_is_a_mistake_and_no_file_is_none(tmp_path: Path) -> None:
    assert load_rules(None, SOURCES) == ()
    with pytest.raises(UsageError, match="cannot be read"):
        load_rules(tmp_path / "missing.toml", SOURCES)
