"""`plan diagnose`; heavy libraries are imported inside it."""

from pathlib import Path

import click

from indexes.errors import UsageError
from indexes.terminal import print_json, say
from kr.planning.command_files import OUT_FILE, format_of, plan_of


@click.command("diagnose")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--store", type=click.Path(path_type=Path), help="Snapshot store; default KR_STORE or var/store.")
@click.option("--fix", is_flag=True, help="Do every fix, one after the other, and write the mended rows to --out.")
@click.option("--out", type=OUT_FILE, help="Where --fix writes: .jsonl, .csv or .xlsx.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings with their evidence and fixes as JSON.")
def diagnose_file(file: Path, store: Path | None, fix: bool, out: Path | None, as_json: bool) -> None:
    """Find what is wrong with the account in FILE: each finding with its evidence and its fix. FILE stays as it is."""
    from collections import Counter

    from kr.planning.exporting import Export, write_whole
    from kr.planning.plan_rows import months_of, plan_rows
    from kr.service import KeywordService
    from kr.settings import load_settings

    if fix != (out is not None):
        raise UsageError("--fix and --out go together.", "Say --fix --out mended.csv.")
    read = plan_of(file)
    service = KeywordService(load_settings(store=store))
    planner = service.planner
    findings = service.diagnose(read)
    shown = [finding.as_dict(read) for finding in findings]
    mended = 0
    if out:
        format_name = format_of(out)
        read, mended = planner.mended(read)
        write_whole(out, Export(format_name, months_of(read)).chunks(plan_rows(read)))
    counts = dict(Counter(finding.code.value for finding in findings))
    if as_json:
        print_json(
            {
                "snapshot": planner.indexes.snapshot_id,
                "keywords": len(read.positive()),
                "negatives": len(read.negative()),
                "counts": counts,
                "findings": shown,
                "fixed": mended,
                "out": str(out) if out else None,
            }
        )
        return
    for row in shown:
        place = " › ".join(item["name"] or "–" for item in (row["campaign"], row["ad_group"]) if item)
        click.echo(f"{row['severity']:6}  {row['code']}  {place or 'plan'}: {row['text_en']} / {row['text_zh']}")
    say(f"{len(shown)} findings: " + (", ".join(f"{name} {count}" for name, count in counts.items()) or "none"))
