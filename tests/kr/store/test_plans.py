"""Plans on both databases: versions, conflicts, undo, and what is another's."""

import json
from datetime import datetime

import pytest
from sqlalchemy import func, select

from indexes.errors import UsageError
from kr.planning.operations import AddKeywords, RemoveKeywords, RenameAdGroup, SetBudget
from kr.planning.plan import Plan
from kr.planning.plan_row import MatchType, PlanRow
from kr.planning.plan_rows import plan_rows
from kr.store import Database
from kr.store.accounts import NoSuchRecord, create_organisation
from kr.store.named_versions import StaleVersion
from kr.store.plans import (
    KEPT_CHANGES,
    add_to_plan,
    change_plan,
    create_plan,
    delete_plan,
    find_plan,
    import_rows,
    plan_named,
    plans_of,
    read_plan,
    rename_plan,
    undo_last_change,
)
from kr.store.schema import PlanChange, StoredPlanKeyword

ROWS = [
    PlanRow(
        "鲜花速递", "花", "速递", MatchType.PHRASE, max_cpc_micros=2_000_000_000_000, labels=("a",), other={"x": "y"}
    ),
    PlanRow("鲜花店", "花", "店", MatchType.EXACT, metrics={"ctr": 0.25}, months={"2024-01": 7}),
    PlanRow("免费", "花", "", MatchType.BROAD, negative=True),
]


@pytest.fixture
def home(database: Database, clock) -> str:
    with database.writing() as session:
        return create_organisation(session, "home", clock.now).id


@pytest.fixture
def plan_id(database: Database, home: str, clock) -> str:
    with database.writing() as session:
        made = create_plan(session, home, " my  plan ", clock.now)
        assert made.name == "my plan"
        assert import_rows(session, home, made.id, ROWS, None, clock.now) == 3
        return made.id


def read(database: Database, home: str, plan_id: str) -> tuple[int, Plan]:
    with database.reading() as session:
        found = find_plan(session, home, plan_id)
        return found.version, read_plan(session, found)


def test_what_was_imported_is_read_back_as_it_was(database: Database, home: str, plan_id: str) -> None:
    version, plan = read(database, home, plan_id)
    assert version == 2
    assert list(plan_rows(plan)) == ROWS
    with database.reading() as session:
        (summary,) = plans_of(session, home)
    assert (summary.ad_groups, summary.keywords, summary.negatives) == (2, 2, 1)


def test_changes_are_undone_one_after_the_other(database: Database, home: str, plan_id: str, clock) -> None:
    plans = [read(database, home, plan_id)[1]]
    for operation in (
        RenameAdGroup(ad_group=2, name="delivery"),
        SetBudget(campaign=1, daily_budget_micros=9),
        RemoveKeywords(keywords=(3, 5)),
    ):
        with database.writing() as session:
            version = find_plan(session, home, plan_id).version
            change_plan(session, home, plan_id, [operation], version, None, clock.now)
        plans.append(read(database, home, plan_id)[1])
    for expected in reversed(plans[:-1]):
        with database.writing() as session:
            version = find_plan(session, home, plan_id).version
            undo_last_change(session, home, plan_id, version, None, clock.now)
        found = read(database, home, plan_id)[1]
        assert (found.campaigns, found.ad_groups, found.keywords) == (
            expected.campaigns,
            expected.ad_groups,
            expected.keywords,
        )
    with database.writing() as session:
        undo_last_change(session, home, plan_id, find_plan(session, home, plan_id).version, None, clock.now)
        assert not read_plan(session, find_plan(session, home, plan_id)).keywords, "the import itself is undone"
    with database.writing() as session, pytest.raises(UsageError, match="left to undo"):
        undo_last_change(session, home, plan_id, find_plan(session, home, plan_id).version, None, clock.now)


def test_two_editors_do_not_overwrite_each_other(database: Database, home: str, plan_id: str, clock) -> None:
    version, _ = read(database, home, plan_id)
    with database.writing() as session:
        change_plan(session, home, plan_id, [RenameAdGroup(ad_group=2, name="one")], version, None, clock.now)
    with database.writing() as session, pytest.raises(StaleVersion, match="version 3"):
        change_plan(session, home, plan_id, [RenameAdGroup(ad_group=2, name="two")], version, None, clock.now)
    with database.writing() as session, pytest.raises(StaleVersion):
        undo_last_change(session, home, plan_id, version, None, clock.now)
    with database.writing() as session, pytest.raises(StaleVersion):
        delete_plan(session, home, plan_id, version)
    with database.writing() as session, pytest.raises(StaleVersion):
        rename_plan(session, home, plan_id, "x", version)
    with database.writing() as session:
        added = AddKeywords(keywords=("生日鲜花",), ad_group=2)
        assert add_to_plan(session, home, plan_id, [added], None, clock.now).version == 4, "adding never conflicts"
    assert read(database, home, plan_id)[1].ad_groups[2].name == "one"


def test_a_change_that_cannot_be_done_leaves_the_plan(database: Database, home: str, plan_id: str, clock) -> None:
    before = read(database, home, plan_id)
    operations = [RenameAdGroup(ad_group=2, name="x"), RemoveKeywords(keywords=(99,))]
    with pytest.raises(UsageError, match="keyword 99"), database.writing() as session:
        change_plan(session, home, plan_id, operations, before[0], None, clock.now)
    assert read(database, home, plan_id) == before
    with database.writing() as session:
        same = [RenameAdGroup(ad_group=2, name="速递")]
        assert change_plan(session, home, plan_id, same, before[0], None, clock.now).version == before[0]


def test_another_organisations_plan_is_not_there(database: Database, home: str, plan_id: str, clock) -> None:
    with database.writing() as session:
        other = create_organisation(session, "other", clock.now).id
    for attempt in (
        lambda session: find_plan(session, other, plan_id),
        lambda session: change_plan(session, other, plan_id, [RemoveKeywords(keywords=(3,))], 2, None, clock.now),
        lambda session: undo_last_change(session, other, plan_id, 2, None, clock.now),
        lambda session: delete_plan(session, other, plan_id, 2),
        lambda session: rename_plan(session, other, plan_id, "x", 2),
        lambda session: import_rows(session, other, plan_id, ROWS, None, clock.now),
    ):
        with database.writing() as session, pytest.raises(NoSuchRecord):
            attempt(session)
    with database.writing() as session:
        assert plans_of(session, other) == []
        assert plan_named(session, other, "my plan", clock.now).id != plan_id
        assert plan_named(session, home, "my plan", clock.now).id == plan_id


def test_names_are_taken_once_and_deleting_leaves_nothing(database: Database, home: str, plan_id: str, clock) -> None:
    with database.writing() as session, pytest.raises(UsageError, match="already"):
        create_plan(session, home, "my plan", clock.now)
    with database.writing() as session:
        delete_plan(session, home, plan_id, 2)
    with database.reading() as session:
        for table in (StoredPlanKeyword, PlanChange):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_the_changes_that_are_kept_are_bounded(database: Database, home: str, plan_id: str, clock) -> None:
    for number in range(KEPT_CHANGES + 5):
        with database.writing() as session:
            operation = SetBudget(campaign=1, daily_budget_micros=number)
            change_plan(session, home, plan_id, [operation], number + 2, None, clock.now)
    with database.reading() as session:
        changes = session.scalars(select(PlanChange).order_by(PlanChange.version)).all()
    assert len(changes) == KEPT_CHANGES
    assert json.loads(changes[-1].edits)[0]["after"] == {"daily_budget_micros": KEPT_CHANGES + 4}
    assert isinstance(changes[-1].ts, datetime)
