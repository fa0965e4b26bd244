"""Real accounts as plans: nothing is lost, findings agree with counts made another way, and fixes are undone."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from indexes.opened import Indexes
from indexes.text import normalise
from kr.audit.stage import UnsafeKeywordAudit
from kr.planning.commands import plan as plan_commands
from kr.planning.findings import Code
from kr.planning.operations import perform
from kr.planning.plan import Plan, PlanEditor, inverted
from kr.planning.plan_row import PlanRow
from kr.planning.plan_rows import add_rows, plan_rows
from kr.planning.planner import Planner

pytestmark = pytest.mark.shared_data
FILES = ["air_france_sem.xls", "google_ads_keyword_report_nl.csv.gz"]


@pytest.fixture(scope="module")
def planner(tiny_store: Path) -> Planner:
    indexes = Indexes.open(tiny_store)
    return Planner(indexes, UnsafeKeywordAudit.open(indexes, (), 1))


@pytest.fixture(params=FILES)
def rows(request: pytest.FixtureRequest, shared_data: Path, imported: Callable[..., Any]) -> list[PlanRow]:
    result = imported((shared_data / "accounts" / request.param).read_bytes())
    assert result.report.kept > 500
    return list(result.rows)


def plan_of(rows: list[PlanRow]) -> Plan:
    editor = PlanEditor(Plan())
    assert add_rows(editor, rows) == len(rows)
    return editor.plan()


def test_a_real_account_is_a_plan_and_the_same_rows_again(rows: list[PlanRow]) -> None:
    plan = plan_of(rows)
    assert list(plan_rows(plan)) == rows
    assert {campaign.name for campaign in plan.campaigns.values()} == {row.campaign for row in rows}
    assert len(plan.ad_groups) == len({(row.campaign, row.ad_group) for row in rows})


def test_findings_of_a_real_account_agree_with_counting_and_every_fix_is_undone(
    rows: list[PlanRow], planner: Planner
) -> None:
    plan = plan_of(rows)
    findings = planner.diagnose(plan)
    counted = Counter(
        (row.campaign, row.ad_group, normalise(row.keyword), row.match_type)
        for row in rows
        if not row.negative and row.status != "REMOVED"
    )
    removed = {number for finding in findings if finding.code is Code.DUPLICATE_IN_GROUP for number in finding.keywords}
    assert len(removed) == sum(count - 1 for count in counted.values())
    for finding in findings[:: max(1, len(findings) // 40)]:
        if finding.fix:
            edits = perform(plan, finding.operations)
            assert edits
            again = plan.edited(edits).edited(inverted(edits))
            assert again.keywords == plan.keywords and again.ad_groups == plan.ad_groups


@pytest.mark.parametrize("way", ["stem", "both"])
def test_grouping_a_real_account_keeps_every_keyword_in_its_campaign(
    rows: list[PlanRow], planner: Planner, way: Any
) -> None:
    plan = plan_of(rows)
    found = planner.plan_grouping(plan, way)
    after = plan.edited(perform(plan, found.operations))
    assert Counter((item.campaign, item.text) for item in after.positive()) == Counter(
        (item.campaign, item.text) for item in plan.positive()
    )
    assert found.measure.groups == len(after.ad_groups)


def test_the_command_prints_findings_of_a_real_account(shared_data: Path, tiny_store: Path) -> None:
    path = shared_data / "accounts" / FILES[0]
    result = CliRunner().invoke(plan_commands, ["diagnose", str(path), "--store", str(tiny_store)])
    assert result.exit_code == 0, result.output
    assert "duplicate_in_group" in result.output and "conflict" not in result.output
