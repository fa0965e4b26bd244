"""The scoreboard as a page and as text: what the evaluations measured, with commands, dates and sizes."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mining.evaluation import BEST_ORDER
from mining.mined_pairs import PAIR_MINERS
from mining.next_query import BANDS, CURRENT, SESSION

HEAD = """# Scoreboard

Written by `manage.py evaluate` with `--markdown`: every table names the command that made it. Intervals are 95 %
bootstrap intervals, users or keywords drawn.
"""
OF_SESSIONS = """The log is cut by time: the earlier part is mined, and everything learns from it alone; the fusion is
trained on a cut of this earlier part. Asked is every place of a later session where a keyword is searched that the
session had not had before. Nothing is left out: keywords that the earlier part never saw cannot be answered for, and
count as missed. Head, torso and tail are the keywords that make up a third of the earlier searches each, by the keyword
searched just before; those never seen are tail. p: paired sign flips by user, corrected by Holm for all rows of a
table; in brackets the difference of the MRR@10."""
OF_MINERS = """Keywords drawn by their searches; a pair is right if both stand for the same product in the same
language; recall counts keywords searched at least 5 times; NDCG takes the need, the product and its relations for
grades."""
OF_HEADROOM = """What the aim of 10 % above the best single miner (SPEC §4) comes to, and how much of the room between
that miner and the best order of the very same pairs is gained:"""
OF_SEEDS = """Ten seeds for each industry and for accounts drawn evenly, judged by the planted products: a seed belongs
to an industry if its product is of the industry or of one below it, to an account if the account buys a keyword of its
product. Reach: planted keywords of the context among the good results of its seeds. Results: share of these results
that belong. Needs: different intents and facets a seed. Separation: how often coherence alone puts a keyword that
belongs before one that doesn't, over keywords that did not make the context."""
TITLES = {
    CURRENT: "The next query from the one before",
    SESSION: "The next query from the session so far",
}
SINGLE_MINERS = (*PAIR_MINERS, "embeddings")
CELLS = ("mrr_at_10", "recall_at_10", "coverage", *(f"mrr_at_10_{band}" for band in BANDS))
LABELS = ("MRR@10", "recall@10", "coverage", *(f"MRR@10 {band}" for band in BANDS))


def sessions_section(result: dict[str, Any], command: str) -> str:
    """What `evaluate sessions` measured, as Markdown below a section's heading."""
    split, searches = result["split"][:16].replace("T", " "), result["searches"]
    known, answerable = (f"{result[name]:.1%}" for name in ("current_known", "answerable"))
    sizes = (
        f"{today()}. {searches['earlier']:,} searches of {result['keywords']:,} keywords before {split}, "
        f"{searches['later']:,} after; {result['questions']:,} questions of {result['users']:,} users. The keyword "
        f"before was known in {known} of them, and the right answer too in {answerable}."
    )
    parts = [f"`{command}`", sizes, OF_SESSIONS]
    if result["no_fusion"]:
        parts.append(f"Without a fusion: {result['no_fusion']}")
    for variant, title in TITLES.items():
        rows = [row for row in result["rows"] if row["variant"] == variant]
        parts.append(f"### {title}\n\n{_markdown(rows, result['compared_with'])}")
    return "\n\n".join(parts) + "\n"


def _markdown(rows: Sequence[dict[str, Any]], compared: str) -> str:
    lines = [f"| system | {' | '.join(LABELS)} | p against {compared} |", "|---" * (len(LABELS) + 2) + "|"]
    for row in rows:
        name = f"**{row['system']}**" if row["system"] == compared else row["system"]
        lines.append(f"| {name} | {' | '.join(interval_cell(row, cell) for cell in CELLS)} | {_p(row)} |")
    return "\n".join(lines)


def interval_cell(row: dict[str, Any], name: str) -> str:
    if row.get(name) is None:
        return "–"
    low, high = row[f"{name}_interval"]
    return f"{row[name]:.3f} [{low:.3f}, {high:.3f}]"


def _p(row: dict[str, Any]) -> str:
    if row["p"] is None:
        return "–"
    return f"{row['p']:.3f} ({row['difference']:+.3f})"


def miners_section(rows: Sequence[dict[str, Any]], command: str) -> str:
    """What `evaluate miners` measured, as Markdown below a section's heading."""
    names = ("coverage", "precision", "precision_at_10", "recall", "ndcg_at_10")
    lines = ["| system | coverage | precision | precision@10 | recall | NDCG@10 |", "|---" * (len(names) + 1) + "|"]
    for row in rows:
        cells = [interval_cell(row, name) for name in names]
        name = f"**{row['system']}**" if row["system"] == "fusion" else row["system"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    asked = next((row["queries"] for row in rows if row["queries"]), 0)
    parts = [f"`{command}`", f"{today()}. {asked:,} keywords. {OF_MINERS}", "\n".join(lines), headroom(rows)]
    return "\n\n".join(part for part in parts if part) + "\n"


def headroom(rows: Sequence[dict[str, Any]]) -> str:
    """How far the combination stands above the best single miner, and what the miners' pairs leave to gain at all."""
    by_name = {row["system"]: row for row in rows}
    joint = by_name.get("fusion") or by_name.get("all together")
    best_order = by_name.get(BEST_ORDER)
    single = [by_name[name] for name in SINGLE_MINERS if name in by_name]
    if joint is None or best_order is None or not single:
        return ""
    heads = ["", "best single miner", joint["system"], "above it", "10 % above it", BEST_ORDER, "of the room"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, label in (("precision_at_10", "precision@10"), ("recall", "recall"), ("ndcg_at_10", "NDCG@10")):
        best = max(single, key=lambda row: row.get(name) or 0.0)
        low, reached, most = (row.get(name) or 0.0 for row in (best, joint, best_order))
        cells = [
            label,
            f"{best['system']} {low:.3f}",
            f"{reached:.3f}",
            f"{reached / low - 1:+.1%}" if low else "–",
            f"{1.1 * low:.3f}" + (", more than there is" if 1.1 * low > most else ""),
            f"{most:.3f}",
            f"{(reached - low) / (most - low):.0%}" if most > low else "–",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return OF_HEADROOM + "\n\n" + "\n".join(lines)


def seeds_section(rows: Sequence[dict[str, Any]], command: str) -> str:
    """What `evaluate seeds` measured, as Markdown below a section's heading."""
    names = ("coverage", "precision_at_10", "reach", "result_precision", "needs", "separation")
    lines = [
        "| system | context | coverage | precision@10 | reach | results | needs | separation |",
        "|---" * (len(names) + 2) + "|",
    ]
    for row in rows:
        name = f"**{row['system']}**" if row["system"] == "S with topics" else row["system"]
        lines.append(f"| {name} | {row['kind']} | {' | '.join(interval_cell(row, each) for each in names)} |")
    sizes = ", ".join(
        f"{count:,} {'industries' if kind == 'industry' else 'accounts'}"
        for kind, count in {row["kind"]: row["contexts"] for row in rows}.items()
    )
    return "\n\n".join([f"`{command}`", f"{today()}. {sizes}. {OF_SEEDS}", "\n".join(lines)]) + "\n"


def today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def text_table(result: dict[str, Any]) -> str:
    """The rows for a terminal."""
    heads = ["variant", "system", *LABELS, "p"]
    rows = result["rows"]
    lines = [
        heads,
        *([row["variant"], row["system"], *(interval_cell(row, cell) for cell in CELLS), _p(row)] for row in rows),
    ]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def write_section(page: Path, title: str, text: str) -> None:
    """Put a section into the page in place of the one of the same title, else at its end; other sections stay."""
    existing = page.read_text(encoding="utf-8") if page.is_file() else HEAD
    section = f"## {title}\n\n{text.strip()}\n"
    pattern = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if pattern.search(existing):
        changed = pattern.sub(lambda _: section + "\n", existing)
    else:
        changed = f"{existing.rstrip()}\n\n{section}"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(changed.rstrip() + "\n", encoding="utf-8")
