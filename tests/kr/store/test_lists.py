"""Keyword lists and verdicts: versions, undo, and whose they are."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexes.errors import NotFoundError, UsageError
from kr.relevance.feedback import labels_of_feedback
from kr.relevance.feedback_log import read_feedback
from kr.store import Database, open_database
from kr.store.accounts import NoSuchRecord, create_organisation, create_user
from kr.store.lists import (
    MOST_KEYWORDS,
    add_keywords,
    create_list,
    delete_list,
    find_list,
    keywords_of,
    listed_keywords,
    lists_of,
    remove_keywords,
    rename_list,
    undo_last_change,
)
from kr.store.migrating import upgrade
from kr.store.named_versions import StaleVersion
from kr.store.schema import Organisation, Role, User
from kr.store.verdict_export import export_verdicts
from kr.store.verdicts import (
    MOST_AT_ONCE,
    all_verdicts,
    dismissed_keywords,
    give_verdict,
    restore_keyword,
    take_back,
)
from tests.kr.store.conftest import Clock


@pytest.fixture
def users(database: Database, clock: Clock) -> tuple[User, User]:
    with database.writing() as session:
        one, two = (
            create_user(
                session,
                create_organisation(session, name, clock.now),
                f"{name}@example.com",
                name,
                Role.ADVERTISER,
                "three good words",
                clock.now,
            )
            for name in ("one", "two")
        )
    return one, two


def on_list(database: Database, organisation_id: str, list_id: str) -> set[str]:
    with database.reading() as session:
        return {row.keyword for row in keywords_of(session, organisation_id, list_id)}


def test_keywords_are_added_once_whatever_their_width_and_case(
    database: Database, users: tuple[User, User], clock: Clock
) -> None:
    mine = users[0].organisation_id
    with database.writing() as session:
        made = create_list(session, mine, " spring  flowers ", clock.now)
        assert add_keywords(session, mine, made.id, ["Roses", "ｒｏｓｅｓ", "鲜花"], "鲜花", clock.now) == 2
        assert add_keywords(session, mine, made.id, ["roses"], "", clock.now) == 0
        assert made.name == "spring flowers"
        assert made.version == 2, "what changes nothing makes no version"
    assert on_list(database, mine, made.id) == {"roses", "鲜花"}
    with database.reading() as session:
        (summary,) = lists_of(session, mine)
        assert summary.keywords == 2
        assert listed_keywords(session, mine) == {"roses", "鲜花"}
        assert listed_keywords(session, users[1].organisation_id) == set()


def test_removing_and_adding_can_be_undone_while_they_are_the_last_change(
    database: Database, users: tuple[User, User], clock: Clock
) -> None:
    mine = users[0].organisation_id
    with database.writing() as session:
        made = create_list(session, mine, "x", clock.now)
        add_keywords(session, mine, made.id, ["a", "b"], "", clock.now)
        assert remove_keywords(session, mine, made.id, ["a", "unknown"], made.version) == 1
        removal = made.version
        assert undo_last_change(session, mine, made.id, removal) == 1
    assert on_list(database, mine, made.id) == {"a", "b"}
    with database.writing() as session:
        for version in (removal, 1, 99):
            with pytest.raises(StaleVersion):
                undo_last_change(session, mine, made.id, version)
        current = find_list(session, mine, made.id).version
        with pytest.raises(UsageError, match="cannot be undone"):
            undo_last_change(session, mine, made.id, current)
        add_keywords(session, mine, made.id, ["c", "d"], "", clock.now)
        assert undo_last_change(session, mine, made.id, current + 1) == 2
    assert on_list(database, mine, made.id) == {"a", "b"}


def test_of_two_people_who_change_what_they_saw_the_second_is_told_and_nothing_is_lost(
    database: Database, users: tuple[User, User], clock: Clock
) -> None:
    mine = users[0].organisation_id
    with database.writing() as session:
        made = create_list(session, mine, "x", clock.now)
        add_keywords(session, mine, made.id, ["a", "b"], "", clock.now)
        seen = made.version
    with database.writing() as session:
        remove_keywords(session, mine, made.id, ["a"], seen)
    for change in (
        lambda session: remove_keywords(session, mine, made.id, ["b"], seen),
        lambda session: rename_list(session, mine, made.id, "y", seen),
        lambda session: delete_list(session, mine, made.id, seen),
    ):
        with pytest.raises(StaleVersion), database.writing() as session:
            change(session)
    with database.writing() as session:
        assert add_keywords(session, mine, made.id, ["c"], "", clock.now) == 1, "adding takes nothing from anybody"
    assert on_list(database, mine, made.id) == {"b", "c"}


def test_names_are_taken_once_in_an_organisation(database: Database, users: tuple[User, User], clock: Clock) -> None:
    mine, others = users[0].organisation_id, users[1].organisation_id
    with database.writing() as session:
        first = create_list(session, mine, "x", clock.now)
        second = create_list(session, mine, "y", clock.now)
        create_list(session, others, "x", clock.now)
        for name in ("x", " x ", "", "n" * 201):
            with pytest.raises(UsageError):
                create_list(session, mine, name, clock.now)
        with pytest.raises(UsageError):
            rename_list(session, mine, second.id, "x", second.version)
        rename_list(session, mine, first.id, "x", first.version)
        delete_list(session, mine, first.id, first.version)
        rename_list(session, mine, second.id, "x", second.version)
        assert [summary.list.name for summary in lists_of(session, mine)] == ["x"]


def test_nobody_reaches_anothers_list(database: Database, users: tuple[User, User], clock: Clock) -> None:
    mine, others = users[0].organisation_id, users[1].organisation_id
    with database.writing() as session:
        made = create_list(session, mine, "x", clock.now)
        for attempt in (
            lambda: find_list(session, others, made.id),
            lambda: keywords_of(session, others, made.id),
            lambda: add_keywords(session, others, made.id, ["a"], "", clock.now),
            lambda: remove_keywords(session, others, made.id, ["a"], 1),
            lambda: rename_list(session, others, made.id, "z", 1),
            lambda: delete_list(session, others, made.id, 1),
            lambda: undo_last_change(session, others, made.id, 1),
        ):
            with pytest.raises(NoSuchRecord):
                attempt()


@pytest.mark.parametrize("keyword", ["", " \u200b", "x" * 1001])
def test_what_is_no_keyword_is_refused_and_nothing_is_added(
    database: Database, users: tuple[User, User], clock: Clock, keyword: str
) -> None:
    mine = users[0].organisation_id
    with database.writing() as session:
        made = create_list(session, mine, "x", clock.now)
    with pytest.raises(UsageError), database.writing() as session:
        add_keywords(session, mine, made.id, ["good", keyword], "", clock.now)
    assert on_list(database, mine, made.id) == set()


def test_a_list_has_an_end(database: Database, users: tuple[User, User], clock: Clock) -> None:
    mine = users[0].organisation_id
    with database.writing() as session:
        made = create_list(session, mine, "x", clock.now)
        assert add_keywords(session, mine, made.id, map(str, range(MOST_KEYWORDS)), "", clock.now) == MOST_KEYWORDS
        with pytest.raises(UsageError, match="another list"):
            add_keywords(session, mine, made.id, ["one more"], "", clock.now)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(["add", "remove", "undo"]), st.sets(st.sampled_from("abcde"), min_size=1)),
        max_size=12,
    )
)
def test_any_sequence_of_changes_equals_the_same_on_sets(
    tmp_path_factory: pytest.TempPathFactory, clock: Clock, changes: list[tuple[str, set[str]]]
) -> None:
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('lists')}/kr.db")
    upgrade(database)
    expected: set[str] = set()
    before: set[str] | None = None
    with database.writing() as session:
        mine = create_organisation(session, "one", clock.now).id
        made = create_list(session, mine, "x", clock.now)
        for kind, keywords in changes:
            if kind == "undo":
                if before is not None:
                    undo_last_change(session, mine, made.id, made.version)
                    expected, before = before, None
                else:
                    with pytest.raises(UsageError):
                        undo_last_change(session, mine, made.id, made.version)
                continue
            if kind == "add":
                after = expected | keywords
                add_keywords(session, mine, made.id, sorted(keywords), "", clock.now)
            else:
                after = expected - keywords
                remove_keywords(session, mine, made.id, sorted(keywords), made.version)
            if after != expected:
                expected, before = after, expected
            session.flush()
            assert {row.keyword for row in keywords_of(session, mine, made.id)} == expected
        assert {row.keyword for row in keywords_of(session, mine, made.id)} == expected
    database.close()


def test_not_my_business_hides_for_the_organisation_alone_and_the_last_word_counts(
    database: Database, users: tuple[User, User], clock: Clock
) -> None:
    one, two = users
    with database.writing() as session:
        give_verdict(session, one, "鲜花", ["花圈", "Ｒose"], "not_my_business", clock.now)
        batch = give_verdict(session, one, "鲜花", ["lily"], "not_my_business", clock.now)
        give_verdict(session, one, "flowers", ["花圈"], "up", clock.now)
        assert dismissed_keywords(session, one.organisation_id) == {"rose", "lily"}
        assert dismissed_keywords(session, two.organisation_id) == set()
        with pytest.raises(NoSuchRecord):
            take_back(session, two.organisation_id, batch, clock.now)
        assert take_back(session, one.organisation_id, batch, clock.now) == 1
        assert dismissed_keywords(session, one.organisation_id) == {"rose"}
        assert [row.keyword for row, _ in all_verdicts(session)] == ["花圈", "rose", "花圈"]
        with pytest.raises(NoSuchRecord):
            restore_keyword(session, two.organisation_id, "rose", clock.now)
        restore_keyword(session, one.organisation_id, "ROSE", clock.now)
        assert dismissed_keywords(session, one.organisation_id) == set()


def test_verdicts_are_exported_as_the_table_that_training_reads(
    database: Database, users: tuple[User, User], clock: Clock, tmp_path: Path
) -> None:
    one, two = users
    with pytest.raises(NotFoundError):
        export_verdicts(database, tmp_path / "logs")
    with database.writing() as session:
        give_verdict(session, one, "鲜花", ["花圈"], "not_my_business", clock.now)
        give_verdict(session, one, "鲜花", ["鲜花店", "rose"], "up", clock.pass_by(seconds=1))
        give_verdict(session, two, "鲜花", ["rose"], "irrelevant", clock.pass_by(seconds=1))
        session.get_one(Organisation, two.organisation_id).advertiser_id = "a7"
    assert export_verdicts(database, tmp_path / "logs") == 4
    labels = labels_of_feedback(read_feedback(tmp_path / "logs"))
    assert (labels.pairs.queries, labels.pairs.keywords, labels.pairs.labels.tolist()) == (
        ("鲜花",),
        ("鲜花店",),
        [1.0],
    )
    assert labels.ties == 1
    assert labels.personal == ((one.organisation_id, "花圈"),)
    assert [verdict.account_id for verdict in read_feedback(tmp_path / "logs")][-1] == "a7"
    (tmp_path / "logs" / "ingest.json").touch()
    with pytest.raises(UsageError, match="ingest"):
        export_verdicts(database, tmp_path / "logs")


@pytest.mark.parametrize(
    ("keywords", "verdict"), [([], "up"), (["a"], "maybe"), ([""], "up"), (map(str, range(MOST_AT_ONCE + 1)), "up")]
)
def test_verdicts_that_say_nothing_are_refused(
    database: Database, users: tuple[User, User], clock: Clock, keywords: list[str], verdict: str
) -> None:
    with pytest.raises(UsageError), database.writing() as session:
        give_verdict(session, users[0], "q", keywords, verdict, clock.now)
