"""What `evaluate recommend` measured, as a section of a page and as text."""

from typing import Any

from mining.recommend_questions import COLD, HISTORY
from mining.scoreboard import interval_cell, today

MEASURES = {"recall_at_20": "recall@20", "ndcg_at_20": "NDCG@20", "coverage": "coverage"}
TITLES = {HISTORY: "Accounts with a history", COLD: "Cold start: accounts whose history is hidden"}
METHOD = """The log is cut by time: the earlier part is mined, and everything learns from it alone; the learned blend is
trained on a cut of this earlier part. Named are 20 keywords, none that the account owns; KR names no close variant of
these either. A keyword counts if the account buys it later as it stands (cold start: if it ever buys it). recall@20 is
the share of the purchases that are named, of 20 at most. Keywords that the earlier part never saw count as missed.
Intervals are 95 % bootstrap intervals, accounts drawn; p: paired sign flips by account against the first blend below,
corrected by Holm for all rows of a table, of NDCG@20 (in brackets its difference) and of recall@20."""


def recommend_section(result: dict[str, Any], command: str) -> str:
    """The section below its heading, Markdown."""
    split = result["split"][:10]
    parts = [
        f"`{command}`",
        f"{today()}. {result['keywords']:,} keywords before {split}, {result['bought_keywords']:,} of them bought.",
        METHOD,
    ]
    if result["no_model"]:
        parts.append(f"Without a learned blend: {result['no_model']}")
    for variant, asked in result["asked"].items():
        lines = [
            f"### {TITLES[variant]}\n",
            f"{asked['accounts']:,} accounts, {asked['purchases']:,} purchases; of an account's, {asked['known']:.1%} "
            "are of keywords that the earlier part knew.\n",
            f"| system | kind | {' | '.join(MEASURES.values())} | p NDCG | p recall |",
            "|---" * (len(MEASURES) + 4) + "|",
        ]
        for row in result["rows"]:
            if row["variant"] == variant:
                name = f"**{row['system']}**" if row["kind"] == "blend" else row["system"]
                cells = [interval_cell(row, measure) for measure in MEASURES]
                lines.append(f"| {name} | {row['kind']} | {' | '.join(cells)} | {' | '.join(_p(row))} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def recommend_table(result: dict[str, Any]) -> str:
    """The rows for a terminal."""
    heads = ["variant", "system", "kind", *MEASURES.values(), "p NDCG", "p recall"]
    lines = [heads]
    for row in result["rows"]:
        cells = [interval_cell(row, measure) for measure in MEASURES]
        lines.append([row["variant"], row["system"], row["kind"], *cells, *_p(row)])
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines)


def _p(row: dict[str, Any]) -> tuple[str, str]:
    if row["p"] is None:
        return "–", "–"
    return f"{row['p']:.3f} ({row['difference']:+.3f})", f"{row['p_recall']:.3f}"
