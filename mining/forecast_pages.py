"""The sections of docs/measurements.md about forecasts and budgets, written from the rows of the evaluations."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mining.scoreboard import write_section

_FORECAST_HEAD = (
    "| keywords | metric | n | mean outcome | mean forecast | in the 80 % range | counted exactly | interval score "
    "| WAPE | best naive: in range | exactly | interval score | WAPE |\n" + "|---|---|" + "--:|" * 11
)
_BUDGET_HEAD = (
    "| goal | budget | against | sets | for the same money | 95 % | spent of the budget |\n|---|--:|---|" + "--:|" * 4
)


def write_forecast_section(page: Path, title: str, command: str, rows: Sequence[dict[str, Any]]) -> None:
    """Put KR's rows, each beside the naive forecast with the least interval score, into a page."""
    lines = [f"Made by `{command}`.", "", _FORECAST_HEAD]
    for row in rows:
        if row["system"] != "KR":
            continue
        peers = [
            each
            for each in rows
            if each["system"] != "KR" and (each["rows"], each["metric"]) == (row["rows"], row["metric"])
        ]
        best = min(peers, key=lambda each: float(each["interval_score"])) if peers else None
        cells = [row["rows"], row["metric"], f"{row['n']:,}", f"{row['actual']:,.2f}", f"{row['forecast']:,.2f}"]
        cells += [f"{row['coverage']:.1%}", _ranged(row, "coverage_exact"), f"{row['interval_score']:,.2f}", _wape(row)]
        cells += (
            [f"{best['coverage']:.1%}", f"{best['coverage_exact']:.1%}", f"{best['interval_score']:,.2f}", _wape(best)]
            if best
            else ["–"] * 4
        )
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        "Counted exactly: an outcome on the edge of its range counts by the part of its probability inside, so that "
        "80 % is right also where counts are small. Naive: the last week × 4, the same weeks of last year, or the mean "
        "of the last four weeks, each with a Poisson range and the market's mean rates.",
    ]
    write_section(page, title, "\n".join(lines))


def write_budget_section(page: Path, title: str, command: str, rows: Sequence[dict[str, Any]]) -> None:
    """Put the rows of a budget evaluation into a page."""
    lines = [f"Made by `{command}`.", "", _BUDGET_HEAD]
    for row in rows:
        low, high = row["ratio_interval"]
        cells = [row["goal"], f"{row['budget_share']:.0%}", row["system"], str(row["sets"])]
        cells += [f"{row['ratio'] - 1:+.1%}", f"{low - 1:+.1%} … {high - 1:+.1%}", f"{row['spent']:.1%}"]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        "Candidates: 400 a set, drawn in proportion to searches, half exact, a quarter phrase, a quarter broad. "
        "Budgets are shares of what all of them would cost at the usual top-of-page bids; each list is bought down "
        "at these bids until it has cost in the held-out weeks what KR's set did; where the whole list is bought, all "
        "bids are lowered in proportion until it costs that.",
    ]
    write_section(page, title, "\n".join(lines))


def _ranged(row: dict[str, Any], name: str) -> str:
    low, high = row[f"{name}_interval"]
    return f"{row[name]:.1%} ({low:.1%}–{high:.1%})"


def _wape(row: dict[str, Any]) -> str:
    return "–" if row["wape"] is None else f"{row['wape']:.2f}"
