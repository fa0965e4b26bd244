#!/usr/bin/env python
"""The entry point: assembles the command groups that each package defines in its commands.py."""

import os
import sys

import click

import indexes.commands
import kr.commands
import mining.commands
import webui.commands
from indexes.errors import KRError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option("0.4.0", prog_name="kr")
def main() -> None:
    """KR: keyword search and recommendation for search advertising."""


@main.group()
def train() -> None:
    """Fit a model."""


@main.group()
def evaluate() -> None:
    """Measure quality against truth or held-out data."""


@main.group()
def bench() -> None:
    """Measure speed, size and memory."""


for package in (indexes, mining, kr, webui):
    for command in package.commands.COMMANDS:
        main.add_command(command)
    for command in getattr(package.commands, "TRAIN_COMMANDS", ()):
        train.add_command(command)
    for command in getattr(package.commands, "EVALUATE_COMMANDS", ()):
        evaluate.add_command(command)
    for command in getattr(package.commands, "BENCH_COMMANDS", ()):
        bench.add_command(command)


def run() -> None:
    """Run the command line; a KRError becomes one line on stderr and its exit code, never a traceback."""
    try:
        main.main(prog_name="manage.py")
    except KRError as error:
        click.echo(f"error: {error}".encode("utf-8", "replace").decode(), err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    run()
