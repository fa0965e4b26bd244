"""Writes `indexes.industries` from the mined tables industries and industry_keywords.

The tree is held whole while it is written, some hundred bytes an industry; safe keywords alone are kept.
"""

from pathlib import Path

import numpy as np

from indexes.arrays import Array, offsets_from_counts
from indexes.industries import KEYWORD_COLUMNS, IndustryRows, write_industries
from mining.build_tables import MinedTables
from mining.seed_bases import grouped_rows
from mining.text_ids import TextIds

_COLUMNS = {
    "score": "score",
    "advertisers": "advertisers",
    "of": "industry_advertisers",
    "first_day": "first_date",
    "last_day": "last_date",
}


def write_industry_tree(
    mined: MinedTables, ids: TextIds, severity: Array, folder: Path
) -> tuple[int | None, list[int]]:
    """Write the part; return the number of industries, and the numbers of those whose advertisers buy more
    keywords than are mined for a list. None, and nothing written, if there are no industries.

    `severity` uint8 is that of the audit, a keyword a row.
    """
    if not mined.has("industries"):
        return None, []
    names: dict[str, list[str]] = {"industry_id": [], "name_en": [], "name_zh": []}
    parent_ids: list[str | None] = []
    advertisers: list[int] = []
    for batch in mined.batches("industries", [*names, "parent_id", "advertisers"]):
        for name, texts in names.items():
            texts += [text or "" for text in batch[name].to_pylist()]
        parent_ids += batch["parent_id"].to_pylist()
        advertisers += batch["advertisers"].to_pylist()
    number = {industry: row for row, industry in enumerate(names["industry_id"])}
    if not number:
        return None, []
    most = mined.report["settings"].get("recall_keywords")
    cut: list[int] = []
    parents = np.array([-1 if parent is None else number[parent] for parent in parent_ids], np.int64)
    counts = np.zeros(len(number), np.int64)
    parts: dict[str, list[Array]] = {name: [np.empty(0)] for name in KEYWORD_COLUMNS}
    found = grouped_rows(mined, ids, "industry_keywords", "industry_id", tuple(_COLUMNS.values()))
    for industry, keyword, columns in found:
        order = np.lexsort((keyword, -columns["score"]))
        if most is not None and len(order) >= most:
            cut.append(number[industry])
        order = order[severity[keyword[order]] == 0]
        counts[number[industry]] = len(order)
        parts["keyword"].append(keyword[order])
        for name, column in _COLUMNS.items():
            parts[name].append(columns[column][order])
    rows = IndustryRows(
        names["industry_id"],
        names["name_en"],
        names["name_zh"],
        parents,
        np.array(advertisers, np.int64),
        offsets_from_counts(counts),
        {name: np.concatenate(columns) for name, columns in parts.items()},
    )
    write_industries(folder, rows)
    return len(number), sorted(cut)
