"""Rules that operators keep in the database: edited in versions, previewed, put live for every process at once."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexes.errors import TryAgainError, UsageError
from kr.marketing.in_force import RulesInForce
from kr.marketing.rule_book import (
    RuleBook,
    add_rule,
    change_rule,
    move_rule,
    put_rules_live,
    read_book,
    remove_rule,
    replace_rules,
    switch_rule,
)
from kr.marketing.rules import MAX_RULES, Rule
from kr.pipelines.keyword_search import SOURCES
from kr.service import KeywordService
from kr.settings import Settings
from kr.store import Database, open_database
from kr.store.accounts import NoSuchRecord, create_organisation, create_user
from kr.store.audit_log import AuditFilter, entries
from kr.store.changes import Change, ChangeKind
from kr.store.control_versions import Author, StaleControl, history, restore, undo
from kr.store.live_controls import ControlsUnreadable, LiveControls
from kr.store.migrating import upgrade
from kr.store.operator_schema import Control
from kr.store.schema import Role
from kr.types import Request

NOW = datetime(2024, 5, 10, 12, tzinfo=UTC)
KEYWORDS = ["鲜花", "鲜花速递", "鲜花店", "生日蛋糕", "送女友礼物", "flowers", "flower delivery"]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('rules')}/kr.db")
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def author(database: Database) -> Author:
    with database.writing() as session:
        platform = create_organisation(session, "platform", NOW, is_platform=True)
        person = create_user(session, platform, "o@example.com", "", Role.OPERATOR, "three good words", NOW)
    return Author(platform.id, person, NOW)


@pytest.fixture(scope="module")
def service(tiny_store: Path, database: Database) -> KeywordService:
    url = database.engine.url.render_as_string(hide_password=False)
    return KeywordService(Settings(store=tiny_store, database=url), now=lambda: NOW)


def rule(action: str = "block", name: str = "r", **fields: Any) -> Rule:
    return Rule.model_validate({"name": name, "action": action, **fields})


def book_of(database: Database) -> RuleBook:
    with database.reading() as session:
        return read_book(session, SOURCES)


def set_rules(database: Database, author: Author, *rules: Rule, live: bool = True) -> None:
    """These and no other rules, in force if asked."""
    with database.writing() as session:
        replace_rules(session, book_of(database).version, rules, Change(ChangeKind.SENT), author)
    book = book_of(database)
    if live and book.differs:
        with database.writing() as session:
            put_rules_live(session, SOURCES, (), book.version, author)


def texts(service: KeywordService, **more: Any) -> list[str]:
    return [row["text"] for row in service.keyword_ideas(Request(("鲜花",), **more)).rows]


matches = st.one_of(
    st.builds(lambda k: {"equals": [k]}, st.sampled_from(KEYWORDS)),
    st.builds(lambda k: {"contains": [k]}, st.sampled_from(["花", "flower", "店", "z"])),
    st.builds(lambda k: {"languages": [k]}, st.sampled_from(["zh", "en"])),
)
acts = st.one_of(
    st.builds(lambda f: {"action": "boost", "factor": f}, st.sampled_from([1.5, 50.0])),
    st.builds(lambda f: {"action": "bury", "factor": f}, st.sampled_from([0.5, 0.001])),
    st.just({"action": "block"}),
    st.builds(lambda n: {"action": "quota", "source": "token_match", "most": n}, st.integers(0, 3)),
    st.builds(lambda n: {"action": "floor", "attribute": "searches", "least": n}, st.sampled_from([5.0, 50.0])),
)
dated = st.sampled_from([{}, {}, {"enabled": False}, {"until": "2024-05-09"}, {"from": "2024-05-10"}])
anything = st.builds(
    lambda name, act, match, dates: rule(**{"name": name, "keywords": match, **act, **dates}),
    st.sampled_from(["A", "B", "C"]),
    acts,
    matches,
    dated,
) | st.builds(
    lambda k, place: rule("pin", "P", position=place, keywords={"equals": [k]}),
    st.sampled_from(KEYWORDS),
    st.integers(1, 6),
)
slow = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@slow
@given(first=st.lists(anything, max_size=3), second=st.lists(anything, max_size=4))
def test_the_preview_is_what_is_served_after_going_live(
    service: KeywordService, database: Database, author: Author, first: list[Rule], second: list[Rule]
) -> None:
    set_rules(database, author, *first)
    served_before = texts(service)
    shown = service.rule_preview(Request(("鲜花",)), second)
    assert [row.text for row in shown.before] == served_before[: len(shown.before)]
    assert shown.total_before == len(served_before)
    set_rules(database, author, *second)
    served = texts(service)
    assert [row.text for row in shown.after] == served[: len(shown.after)]
    assert shown.total_after == len(served)
    for row in (*shown.before, *shown.after):
        assert row.before == (served_before.index(row.text) + 1 if row.text in served_before else None)
        assert row.after == (served.index(row.text) + 1 if row.text in served else None)
        assert (row.removed_by is not None) == (row.after is None)


@slow
@given(rules=st.lists(anything, min_size=1, max_size=4), off=st.sampled_from(["enabled", "until", "from"]))
def test_rules_that_are_off_or_out_of_date_change_nothing(
    service: KeywordService, database: Database, author: Author, rules: list[Rule], off: str
) -> None:
    fields = {"enabled": {"enabled": False}, "until": {"last_day": date(2024, 5, 9), "first_day": None}}
    fields["from"] = {"first_day": date(2024, 5, 11), "last_day": None}
    set_rules(database, author)
    plain = service.keyword_ideas(Request(("鲜花",))).rows
    set_rules(database, author, *(each.model_copy(update=fields[off]) for each in rules))
    assert service.keyword_ideas(Request(("鲜花",))).rows == plain


@slow
@given(rules=st.lists(anything, min_size=2, max_size=4))
def test_every_row_names_exactly_the_rules_that_touched_it(
    service: KeywordService, database: Database, author: Author, rules: list[Rule]
) -> None:
    set_rules(database, author, *rules)
    shown = service.rule_preview(Request(("鲜花",)), rules)
    rows = service.keyword_ideas(Request(("鲜花",))).rows
    for row, previewed in zip(rows, shown.after, strict=False):
        told = [reason["text_en"] for reason in row["reasons"] if reason["source"] == "marketing_rules"]
        assert len(told) == len(previewed.rules)
        assert all(f"“{name}”" in text for name, text in zip(previewed.rules, told, strict=True))


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_pin_holds_its_place_among_what_is_shown(
    service: KeywordService, database: Database, author: Author, place: int
) -> None:
    pin = rule("pin", position=place, keywords={"equals": ["flowers"]})
    set_rules(database, author, pin, rule(keywords={"contains": ["鲜花"]}))
    assert texts(service)[place - 1] == "flowers"


def test_of_two_pins_to_one_place_the_earlier_rule_has_it(
    service: KeywordService, database: Database, author: Author
) -> None:
    pins = [rule("pin", word, position=1, keywords={"equals": [word]}) for word in ("flowers", "生日蛋糕")]
    for first, second in (pins, pins[::-1]):
        set_rules(database, author, first, second)
        assert texts(service)[:2] == [first.name, second.name]


def test_the_first_rule_that_removes_a_row_is_named(
    service: KeywordService, database: Database, author: Author
) -> None:
    set_rules(database, author)
    one = rule(name="one", keywords={"equals": ["flowers"]})
    two = rule("floor", "two", attribute="searches", least=10_000.0)
    for order in ([one, two], [two, one]):
        (row,) = (row for row in service.rule_preview(Request(("鲜花",)), order).before if row.text == "flowers")
        assert row.removed_by == order[0].name and row.change == "removed"


@pytest.mark.parametrize(
    ("zone", "now", "holds"),
    [
        ("UTC", "2024-05-09T23:59:00Z", False),
        ("UTC", "2024-05-10T00:00:00Z", True),
        ("Asia/Shanghai", "2024-05-09T15:59:00Z", False),
        ("Asia/Shanghai", "2024-05-09T16:00:00Z", True),
        ("America/Los_Angeles", "2024-05-10T06:59:00Z", False),
        ("America/Los_Angeles", "2024-05-11T06:59:00Z", True),
        ("America/Los_Angeles", "2024-05-11T07:00:00Z", False),
    ],
)
def test_days_begin_and_end_in_the_time_zone_of_the_rule(zone: str, now: str, holds: bool) -> None:
    one_day = rule(**{"from": "2024-05-10", "until": "2024-05-10", "time_zone": zone})
    assert one_day.holds(datetime.fromisoformat(now), ("x",)) is holds


def test_an_unknown_time_zone_is_named() -> None:
    with pytest.raises(ValueError, match=r"Asia/Shanghai"):
        rule(time_zone="Mars/Olympus")


def test_rules_are_edited_in_versions_and_every_change_is_logged(database: Database, author: Author) -> None:
    set_rules(database, author)
    start = book_of(database).version
    with database.writing() as session:
        first = add_rule(session, book_of(database), start, rule(name="one"), author)
    with database.writing() as session:
        add_rule(session, book_of(database), start + 1, rule(name="two"), author)
    with database.writing() as session:
        move_rule(session, book_of(database), start + 2, first.id, 2, author)
    with database.writing() as session:
        switch_rule(session, book_of(database), start + 3, first.id, False, author)
    with database.writing() as session:
        change_rule(session, book_of(database), start + 4, first.id, rule(name="uno"), author)
    book = book_of(database)
    assert [stored.rule.name for stored in book.rules] == ["two", "uno"]
    assert [book.state(stored) for stored in book.rules] == ["new", "new"] and book.differs
    with database.writing() as session:
        remove_rule(session, book, book.version, first.id, author)
    with database.writing() as session:
        undo(session, Control.RULES, book.version + 1, author)
    assert book_of(database).rules == book.rules
    with database.writing() as session:
        undo(session, Control.RULES, book.version + 2, author)
    assert book_of(database).find(first.id).rule.name == "one", "undoing again goes back further"
    with database.writing() as session:
        restore(session, Control.RULES, book.version + 3, start, author)
        found = entries(session, AuditFilter(action="rules"), most=9)
        assert history(session, Control.RULES, 2)[0].change.text_en == f"version {start} again"
    assert book_of(database).rules == ()
    logged = next(entry for entry in found if entry.subject == "changed “uno”")
    assert logged.person == "o@example.com"
    assert json.loads(logged.before or "")["name"] == "one" and json.loads(logged.after or "")["name"] == "uno"


def test_of_two_operators_who_edit_the_same_version_the_second_is_told(database: Database, author: Author) -> None:
    set_rules(database, author, rule(name="x"))
    seen = book_of(database)
    (stored,) = seen.rules
    with database.writing() as session:
        switch_rule(session, seen, seen.version, stored.id, False, author)
    for late in (
        lambda session: remove_rule(session, seen, seen.version, stored.id, author),
        lambda session: change_rule(session, seen, seen.version, stored.id, rule(name="y"), author),
        lambda session: put_rules_live(session, SOURCES, (), seen.version, author),
        lambda session: undo(session, Control.RULES, seen.version, author),
    ):
        with pytest.raises(StaleControl) as told, database.writing() as session:
            late(session)
        assert told.value.http_status == 409 and f"version {seen.version}" in str(told.value)
    (kept,) = book_of(database).rules
    assert kept.rule.name == "x" and not kept.rule.enabled


def test_what_is_edited_changes_nothing_until_it_goes_live(
    service: KeywordService, database: Database, author: Author
) -> None:
    set_rules(database, author)
    before = texts(service)
    set_rules(database, author, rule(keywords={"equals": ["flowers"]}), live=False)
    assert texts(service) == before
    set_rules(database, author, rule(keywords={"equals": ["flowers"]}))
    assert texts(service) == [text for text in before if text != "flowers"]


def test_rules_of_the_file_come_first_and_stay(
    tiny_store: Path, tmp_path: Path, database: Database, author: Author
) -> None:
    file = tmp_path / "rules.toml"
    file.write_text('[[rule]]\nname = "f"\naction = "block"\nkeywords.equals = ["鲜花店"]', encoding="utf-8")
    url = database.engine.url.render_as_string(hide_password=False)
    both = KeywordService(Settings(store=tiny_store, database=url, rules=file), now=lambda: NOW)
    set_rules(database, author, rule(name="d", keywords={"contains": ["鲜花", "flowers"]}))
    found = {row.text: row.was_removed_by for row in both.rule_preview(Request(("鲜花",)), []).after}
    assert "鲜花店" not in found and found["flowers"] == "d"
    assert not {"鲜花店", "flowers"} & set(texts(both))
    with pytest.raises(UsageError, match="64 fit"), database.writing() as session:
        replace_rules(
            session,
            book_of(database).version,
            [rule(name=str(n)) for n in range(MAX_RULES)],
            Change(ChangeKind.SENT),
            author,
        )
        session.flush()
        put_rules_live(session, SOURCES, both.rules.from_file, read_book(session, SOURCES).version, author)


def test_a_rule_that_is_not_there_cannot_be_changed(database: Database, author: Author) -> None:
    with pytest.raises(NoSuchRecord), database.writing() as session:
        remove_rule(session, book_of(database), book_of(database).version, "x" * 22, author)


def test_while_the_database_cannot_be_read_the_last_rules_hold(
    tiny_store: Path, tmp_path: Path, author: Author
) -> None:
    url = f"sqlite:///{tmp_path}/own.db"
    own = open_database(url)
    upgrade(own)
    with own.writing() as session:
        platform = create_organisation(session, "platform", NOW, is_platform=True)
    set_rules(own, Author(platform.id, None, NOW), rule(name="kept"))
    followed = RulesInForce(None, SOURCES, LiveControls(url))
    assert [each.name for each in followed.now().rules] == ["kept"]
    own.close()
    for damaged in (b"no database " * 1000, None):
        if damaged is None:
            (tmp_path / "own.db").unlink()
        else:
            (tmp_path / "own.db").write_bytes(damaged)
            for left in tmp_path.glob("own.db-*"):
                left.unlink()
        with pytest.raises(ControlsUnreadable):
            fresh = LiveControls(url)
            fresh._were_there = True
            fresh.sequences()
        followed._controls._forget()
        assert [each.name for each in followed.now().rules] == ["kept"]
        assert followed.problem


def test_without_ever_having_read_the_rules_nothing_is_answered(tiny_store: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_bytes(b"no database " * 1000)
    service = KeywordService(Settings(store=tiny_store, database=f"sqlite:///{tmp_path}/bad.db"))
    with pytest.raises(TryAgainError):
        service.keyword_ideas(Request(("鲜花",)))


def test_a_database_that_was_never_made_holds_no_rules_and_is_not_made(tmp_path: Path) -> None:
    controls = LiveControls(f"sqlite:///{tmp_path}/none.db")
    assert set(controls.sequences().values()) == {0}
    assert not (tmp_path / "none.db").exists()
