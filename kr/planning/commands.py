"""The commands of planning, a file each."""

import click

from kr.planning.diagnosis_commands import diagnose_file
from kr.planning.export_commands import export_file
from kr.planning.forecast_commands import budget, forecast
from kr.planning.grouping_commands import evaluate_grouping_command, group_file
from kr.planning.import_commands import import_file


@click.group()
def plan() -> None:
    """Keywords of a plan: read them from files, write them to files."""


for command in (import_file, export_file, group_file, diagnose_file, forecast, budget):
    plan.add_command(command)

COMMANDS: list[click.Command] = [plan]
EVALUATE_COMMANDS: list[click.Command] = [evaluate_grouping_command]
