"""`plan group` and `evaluate grouping`; heavy libraries are imported inside them."""

from pathlib import Path
from typing import Any

import click

from indexes.errors import UsageError
from indexes.terminal import print_json
from kr.planning.command_files import OUT_FILE, format_of, plan_of

WAYS = ("stem", "meaning", "both", "intent")


@click.command("group")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--by", type=click.Choice(WAYS), help="Group this way; without it every way is measured and none shown.")
@click.option("--least", type=click.IntRange(1), default=2, show_default=True, help="Keywords of the smallest group.")
@click.option("--store", type=click.Path(path_type=Path), help="Snapshot store; default KR_STORE or var/store.")
@click.option("--out", type=OUT_FILE, help="Write the file's rows in their new ad groups: .jsonl, .csv or .xlsx.")
@click.option("--texts", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Names of intents.")
@click.option("--json", "as_json", is_flag=True, help="Print groups and measures as JSON.")
def group_file(
    file: Path, by: str | None, least: int, store: Path | None, out: Path | None, texts: str, as_json: bool
) -> None:
    """Group the keywords of FILE into ad groups; none mixes intents or languages.

    stem: by words in common; meaning: by meaning and by what people searched and clicked; both: by the mean of the two;
    intent: by intent alone.
    """
    from dataclasses import asdict

    from kr.planning.exporting import Export, write_whole
    from kr.planning.plan_rows import months_of, plan_rows
    from kr.service import KeywordService
    from kr.settings import load_settings

    if out and by is None:
        raise UsageError("--out needs one way to group.", f"Say --by {', '.join(WAYS)}.")
    read = plan_of(file)
    planner = KeywordService(load_settings(store=store)).planner
    ways = [by] if by else list(WAYS)
    found = [planner.plan_grouping(read, way, texts == "zh", least) for way in ways]  # type: ignore[arg-type]
    if out:
        from kr.planning.operations import perform

        grouped = read.edited(perform(read, found[0].operations))
        write_whole(out, Export(format_of(out), months_of(grouped), texts).chunks(plan_rows(grouped)))
    rows: list[dict[str, Any]] = [
        {
            "by": grouping.by,
            "measure": asdict(grouping.measure),
            "groups": [
                {
                    "name": group.title(texts == "zh"),
                    "intent": group.intent.value,
                    "language": group.language,
                    "rest": group.is_rest,
                    "keywords": list(group.keywords),
                }
                for group in grouping.groups
            ],
        }
        for grouping in found
    ]
    if as_json:
        print_json({"snapshot": planner.indexes.snapshot_id, "groupings": rows, "out": str(out) if out else None})
        return
    for row in rows:
        click.echo(f"{row['by']}: " + ", ".join(f"{name} {value}" for name, value in row["measure"].items()))
        if by:
            for group in row["groups"]:
                shown = ", ".join(group["keywords"][:8]) + (" …" if len(group["keywords"]) > 8 else "")
                click.echo(f"  {group['name']} ({len(group['keywords'])}): {shown}")


@click.command("grouping")
@click.option("--truth", type=click.Path(path_type=Path), required=True, help="The truth folder of a simulation.")
@click.option("--store", type=click.Path(path_type=Path), help="Snapshot store; default KR_STORE or var/store.")
@click.option("--keywords", type=click.IntRange(10, 20_000), default=3_000, show_default=True, help="Keywords drawn.")
@click.option("--industry", help="Only keywords of this industry, as one advertiser has them.")
@click.option("--seed", type=int, default=20240630, show_default=True, help="Of the draw.")
@click.option("--json", "as_json", is_flag=True, help="Print rows as JSON.")
def evaluate_grouping_command(
    truth: Path, store: Path | None, keywords: int, industry: str | None, seed: int, as_json: bool
) -> None:
    """How well ad groups find the planted products and intents, beside k-means told their number."""
    from kr.planning.grouping_evaluation import evaluate_grouping
    from kr.settings import load_settings

    rows = evaluate_grouping(load_settings(store=store).store, truth, keywords, industry, seed)
    if as_json:
        print_json({"rows": rows})
        return
    click.echo("\t".join(rows[0]))
    for row in rows:
        click.echo("\t".join(str(value) for value in row.values()))
