"""`plan forecast` and `plan budget`; heavy libraries are imported inside them."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexes.errors import UsageError
from indexes.terminal import print_json, say
from kr.store_options import snapshot_option, store_and_snapshot, store_option

if TYPE_CHECKING:
    from kr.planning.forecast_types import Estimate, PlannedKeyword
    from kr.service import KeywordService

MICROS = 1_000_000
_FILE = click.argument("file", type=click.Path(path_type=Path), required=False)
_KEYWORDS = click.option("--keyword", "--keywords", "texts", multiple=True, help="A keyword; may be repeated.")
_MATCH = click.option(
    "--match-type",
    type=click.Choice(["exact", "phrase", "broad"]),
    default="exact",
    show_default=True,
    help="Of keywords that say none.",
)
_START = click.option(
    "--start", type=click.DateTime(["%Y-%m-%d"]), help="First day; default the day after the log's last."
)
_WEEKS = click.option("--weeks", type=click.IntRange(1, 26), default=4, show_default=True)


@click.command("forecast")
@_FILE
@_KEYWORDS
@_MATCH
@click.option("--bid", type=float, help="Bid in units of the currency, of keywords that say none.")
@click.option("--budget", type=float, help="Also choose the best set of them within this budget for the period.")
@_START
@_WEEKS
@store_option
@snapshot_option
@click.option("--json", "as_json", is_flag=True, help="Print the API's envelope.")
def forecast(
    file: Path | None,
    texts: tuple[str, ...],
    match_type: str,
    bid: float | None,
    budget: float | None,
    start: datetime | None,
    weeks: int,
    store: Path | None,
    snapshot: Path | None,
    as_json: bool,
) -> None:
    """What the keywords of FILE (any format that `plan import` reads) or --keyword will bring, with 80 % ranges."""
    from kr.planning.forecast_envelope import budget_envelope, forecast_envelope
    from kr.planning.forecast_texts import FORECAST_NOTES

    service = _service(store, snapshot)
    keywords = read_keywords(service, file, texts, match_type, _micros(bid, "--bid"))
    found = service.forecast(keywords, start.date() if start else None, weeks)
    limit = _micros(budget, "--budget")
    choice = service.budget(keywords, limit, "clicks", start.date() if start else None, weeks) if limit else None
    if as_json:
        document = forecast_envelope(found, keywords)
        print_json(document | ({"budget": budget_envelope(choice, keywords)["data"]} if choice else {}))
        return

    for row in found.keywords:
        clicks, cost = row.metrics["clicks"], row.metrics["cost_micros"]
        bid_shown = "no bid" if row.bid_micros is None else f"bid {row.bid_micros / MICROS:,.2f}"
        click.echo(
            f"{row.text}  [{row.match_type.value.lower()}, {bid_shown}]  "
            f"clicks {_range(clicks)}, cost {_range(cost, MICROS)}, conversions {_range(row.metrics['conversions'])}"
        )
        for note in row.notes:
            say(f"    {FORECAST_NOTES[note][0]} / {FORECAST_NOTES[note][1]}")
    for group, of_group in found.groups.items():
        clicks, cost = of_group["clicks"], of_group["cost_micros"]
        click.echo(f"{group}: clicks {_range(clicks)}, cost {_range(cost, MICROS)}")
    total = found.total
    click.echo(
        f"the set, {found.start} for {weeks} weeks: impressions {_range(total['impressions'])}, "
        f"clicks {_range(total['clicks'])}, cost {_range(total['cost_micros'], MICROS)}, "
        f"conversions {_range(total['conversions'])}"
    )
    if found.unknown_keywords:
        say(f"{found.unknown_keywords} keywords were never searched in the log; the total leaves them out")
    say(f"{found.method}; log up to {found.data_until}, snapshot {found.snapshot}")
    if choice:
        _print_choice(choice)


@click.command("budget")
@_FILE
@_KEYWORDS
@_MATCH
@click.option("--bid", type=float, help="The most to bid, in units of the currency, for keywords that say none.")
@click.option("--budget", type=float, required=True, help="For the whole period, in units of the currency.")
@click.option(
    "--goal", type=click.Choice(["clicks", "conversions", "value"]), default="clicks", show_default=True,
    help="What to get the most of.",
)  # fmt: skip
@_START
@_WEEKS
@store_option
@snapshot_option
@click.option("--json", "as_json", is_flag=True, help="Print the API's envelope.")
def budget(
    file: Path | None,
    texts: tuple[str, ...],
    match_type: str,
    bid: float | None,
    budget: float,
    goal: str,
    start: datetime | None,
    weeks: int,
    store: Path | None,
    snapshot: Path | None,
    as_json: bool,
) -> None:
    """Choose which keywords of FILE or --keyword to buy, at which bids, to get the most for a budget."""
    from kr.planning.forecast_envelope import budget_envelope

    service = _service(store, snapshot)
    keywords = read_keywords(service, file, texts, match_type, _micros(bid, "--bid"))
    limit = _micros(budget, "--budget")
    assert limit is not None
    choice = service.budget(
        keywords, limit, "value_micros" if goal == "value" else goal, start.date() if start else None, weeks
    )
    if as_json:
        print_json(budget_envelope(choice, keywords))
        return
    _print_choice(choice)


def read_keywords(
    service: "KeywordService", file: Path | None, texts: Sequence[str], match_type: str, bid: int | None
) -> "list[PlannedKeyword]":
    """The keywords of a plan file or of the options. UsageError for none, for both, and for a file with rejected rows
    only; rejected, negative, paused and removed rows are said and left out."""
    from kr.planning.forecast_types import PlannedKeyword
    from kr.planning.importing import PlanImport
    from kr.planning.plan_row import PlanRow, Status
    from kr.planning.source_file import SourceFile
    from kr.relevance.match import MatchType

    default = MatchType(match_type.upper())
    if bool(file) == bool(texts):
        raise UsageError("No keyword was named, or a file and keywords.", "Give a FILE or --keyword.")
    if file is None:
        return [PlannedKeyword(text, default, bid) for text in texts]
    importing = PlanImport(
        SourceFile.at(file, service.settings.plan_max_bytes), max_rows=service.settings.plan_max_rows
    )
    found, left_out = [], 0
    for row in importing:
        if not isinstance(row, PlanRow):
            continue
        if row.negative or row.status not in (None, Status.ENABLED):
            left_out += 1
            continue
        group = " / ".join(part for part in (row.campaign, row.ad_group) if part)
        found.append(PlannedKeyword(row.keyword, row.match_type or default, row.max_cpc_micros or bid, group))
    if importing.report.rejected:
        say(f"  {importing.report.rejected:,} rows were not taken; `plan import` shows them")
    if left_out:
        say(f"  {left_out:,} negative, paused or removed rows were left out")
    if not found:
        raise UsageError(f"{file.name} holds no keyword to forecast.", "Look at it with `plan import`.")
    return found


def _service(store: Path | None, snapshot: Path | None) -> "KeywordService":
    from kr.service import KeywordService
    from kr.settings import load_settings

    store, snapshot_id = store_and_snapshot(store, snapshot)
    return KeywordService(load_settings(store=store), snapshot_id=snapshot_id)


def _micros(amount: float | None, option: str) -> int | None:
    if amount is None:
        return None
    if not 0 < amount < 1e9:
        raise UsageError(f"{option} {amount} is out of range.", "Give an amount above 0 and below 1,000,000,000.")
    return round(amount * MICROS)


def _range(estimate: "Estimate | None", unit: int = 1) -> str:
    if estimate is None:
        return "unknown"
    return f"{estimate.mean / unit:,.1f} ({estimate.low / unit:,.1f}–{estimate.high / unit:,.1f})"


def _print_choice(choice: Any) -> None:
    from kr.planning.forecast_texts import decision_text

    for row in choice.decisions:
        bid_shown = "        –" if row.bid_micros is None else f"{row.bid_micros / MICROS:9,.2f}"
        text = decision_text(row, choice.goal, choice.marginal_cost)
        click.echo(f"{bid_shown}  {row.text} [{row.match_type.value.lower()}]  {text}")
    expected = choice.expected
    click.echo(
        f"{len(choice.chosen)} of {len(choice.decisions)} keywords: cost {expected['cost_micros'] / MICROS:,.2f} of "
        f"{choice.budget_micros / MICROS:,.2f}, clicks {expected['clicks']:,.1f}, "
        f"conversions {expected['conversions']:,.2f}, value {expected['value_micros'] / MICROS:,.2f}"
    )
    say(f"at most {choice.gap:.2%} below the best set; log up to {choice.data_until}, snapshot {choice.snapshot}")
