"""What operators write, on SQLite and on PostgreSQL: versions, what is in force, jobs, feedback."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from kr.jobs.kinds import JobPlan
from kr.jobs.runs import AlreadyRunning, _insert
from kr.store import Database
from kr.store.accounts import create_organisation, create_user
from kr.store.audit_log import AuditFilter, entries
from kr.store.changes import Change, ChangeKind
from kr.store.control_versions import Author, StaleControl, go_live, head, history, live, restore, save, undo
from kr.store.feedback_queue import AlreadyDecided, decide, queue, undo_decision
from kr.store.live_controls import ControlsUnreadable, LiveControls
from kr.store.operator_schema import Control, JobKind
from kr.store.schema import Role
from kr.store.serving_workers import report_worker, serving_workers, this_process
from kr.store.verdicts import give_verdict


@pytest.fixture
def author(database: Database, clock) -> Author:  # type: ignore[no-untyped-def]
    with database.writing() as session:
        platform = create_organisation(session, "platform", clock.now, is_platform=True)
        person = create_user(session, platform, "o@example.com", "", Role.OPERATOR, "three good words", clock.now)
    return Author(platform.id, person, clock.now)


def controls_of(database: Database) -> LiveControls:
    return LiveControls(database.engine.url.render_as_string(hide_password=False))


def test_what_goes_live_is_seen_by_whoever_asks_next(database: Database, author: Author) -> None:
    controls = controls_of(database)
    assert controls.sequences() == {Control.RULES: 0, Control.LEXICONS: 0}
    for number, content in enumerate(("[1]", "[2]")):
        with database.writing() as session:
            save(session, Control.RULES, number, content, Change(ChangeKind.SENT), author)
        assert controls.sequences()[Control.RULES] == number
        with database.writing() as session:
            go_live(session, Control.RULES, number + 1, author)
        assert controls.sequences() == {Control.RULES: number + 1, Control.LEXICONS: 0}
        assert controls.content(Control.RULES) == (number + 1, content)
    with database.writing() as session:
        undone = undo(session, Control.RULES, 2, author)
        assert undone.content == "[1]"
        assert [row.live_sequence for row in history(session, Control.RULES)] == [None, 2, 1]
        in_force = live(session, Control.RULES)
        assert in_force is not None and in_force.number == 2
        assert [entry.action for entry in entries(session, AuditFilter(action="rules"))][:2] == [
            "rules.edited",
            "rules.live",
        ]


def test_of_writers_at_the_same_moment_one_wins_and_the_others_are_told(database: Database, author: Author) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(4)

    def write(number: int) -> None:
        start.wait()
        try:
            with database.writing() as session:
                save(session, Control.RULES, 0, f"[{number}]", Change(ChangeKind.SENT), author)
            outcomes.append("saved")
        except StaleControl:
            outcomes.append("told")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["saved", "told", "told", "told"]
    with database.reading() as session:
        latest = head(session, Control.RULES)
        assert latest is not None and latest.number == 1


def test_an_earlier_version_is_taken_up_again(database: Database, author: Author) -> None:
    for number, content in enumerate(("a", "b", "c")):
        with database.writing() as session:
            save(session, Control.LEXICONS, number, content, Change(ChangeKind.SENT), author)
    with database.writing() as session:
        assert restore(session, Control.LEXICONS, 3, 1, author).content == "a"
    with database.writing() as session, pytest.raises(StaleControl):
        restore(session, Control.LEXICONS, 3, 2, author)


def test_tables_that_were_there_and_are_gone_are_an_error(database: Database) -> None:
    controls = controls_of(database)
    controls.sequences()
    with database.connection(writing=True) as connection:
        connection.execute(text("ALTER TABLE control_versions RENAME TO gone"))
    with pytest.raises(ControlsUnreadable):
        controls.sequences()
    assert set(controls_of(database).sequences().values()) == {0}, "nobody saw them"
    with database.connection(writing=True) as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO control_versions"))
    assert controls.are_there and set(controls.sequences().values()) == {0}


def test_the_database_itself_lets_one_job_of_a_kind_run(database: Database, author: Author) -> None:
    with database.writing() as session:
        _insert(session, "a", JobPlan(JobKind.MINE, {}, ()), author)
        _insert(session, "b", JobPlan(JobKind.BUILD, {}, ()), author)
    with database.writing() as session, pytest.raises(AlreadyRunning):
        _insert(session, "c", JobPlan(JobKind.MINE, {}, ()), author)


def test_a_pair_is_decided_once_and_again_after_it_was_taken_back(database: Database, author: Author) -> None:
    assert author.user
    with database.writing() as session:
        give_verdict(session, author.user, "Query ", ["keyword"], "up", author.now)
    with database.writing() as session:
        made = decide(session, "query", "KEYWORD", "relevant", author)
    with database.writing() as session, pytest.raises(AlreadyDecided):
        decide(session, "query", "keyword", "irrelevant", author)
    with database.writing() as session:
        assert queue(session, 10) == ([], 0)
        undo_decision(session, made.id, author)
        assert queue(session, 10)[1] == 1
        decide(session, "query", "keyword", "irrelevant", author)


def test_workers_that_are_gone_are_forgotten(database: Database, author: Author) -> None:
    with database.writing() as session:
        report_worker(session, "0123", 1, 2, author.now)
        report_worker(session, "4567", 3, 4, author.now)
    with database.writing() as session:
        (row,) = serving_workers(session, author.now)
        assert (row.process, row.snapshot, row.rules_sequence, row.lexicons_sequence) == (this_process(), "4567", 3, 4)
        row.process = "999999999 1"
    with database.writing() as session:
        assert serving_workers(session, author.now) == []
        report_worker(session, "0123", 1, 2, author.now)
    with database.writing() as session:
        assert serving_workers(session, author.now + timedelta(days=2)) == []


@pytest.mark.parametrize("kind", list(ChangeKind))
def test_every_change_is_told_in_both_languages_with_what_somebody_named(kind: ChangeKind) -> None:
    change = Change(kind, "{where} {x} “a”", "{what}")
    assert Change.decode(change.encode()) == change
    for told in (change.text_en, change.text_zh):
        assert told and (change.what in told) == (kind is not ChangeKind.SENT)
    assert change.text_en != change.text_zh
