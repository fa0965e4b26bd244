"""Simulate a search market: the log in a raw format under OUT/raw, and the truth that was planted under OUT/truth."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from indexes.errors import KRError, UsageError
from indexes.terminal import progress
from mining.simulator.accounts import advertiser_table, bid_table, industry_table, user_table
from mining.simulator.page_texts import page_table
from mining.simulator.raw_files import TABLES_BESIDE, RawFiles, raw_files
from mining.simulator.setting import Setting, build_setting
from mining.simulator.shards import Shard, shards
from mining.simulator.site_pages import site_table
from mining.simulator.sizes import size_named
from mining.simulator.truth_files import TruthFiles, window_description

_UNFINISHED = ".unfinished"
# Distinct queries by how often they are searched: the top 1 %, the next 19 %, the rest.
_HEAD, _TORSO = 0.01, 0.20


def simulate(size: str, seed: int, out: Path, raw_format: str = "parquet") -> dict[str, Any]:
    """Simulate a market of a size (small, medium, large) and write OUT/raw and OUT/truth.

    The same size, seed and format give the same bytes. Both folders appear when they are complete. Returns a summary:
    rows of each table, distinct queries, shares of head, torso and tail in the searches.

    Raises UsageError for an unknown size or format, a bad seed, or folders that are there already; KRError if writing
    fails.
    """
    dimensions = size_named(size)
    unfinished = out / _UNFINISHED
    writer = raw_files(raw_format, unfinished / "raw")
    for name in ("raw", "truth"):
        if (out / name).exists():
            raise UsageError(f"{out / name} is there already.", "Name another folder, or remove it first.")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        for name in ("raw", "truth"):
            (unfinished / name).mkdir(parents=True)
        summary = _write_all(build_setting(dimensions, seed), writer, unfinished / "truth", raw_format)
        (unfinished / "truth").rename(out / "truth")
        (unfinished / "raw").rename(out / "raw")
        unfinished.rmdir()
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise KRError(
            f"The market cannot be written to {out}: {error}.", "Check the folder and the free space."
        ) from error
    return summary


def _write_all(setting: Setting, writer: RawFiles, truth_folder: Path, raw_format: str) -> dict[str, Any]:
    truth = TruthFiles(setting, truth_folder)
    rows: dict[str, int] = {}
    clicked = np.zeros(len(setting.pages), dtype=bool)

    def shown_urls(shard: Shard) -> np.ndarray:
        pages = setting.results.shown(shard.searches.query)
        return np.array(setting.urls.to_pylist(), dtype=object)[pages]

    with progress("simulating searches", setting.size.searches) as advance:
        for shard in shards(setting):
            writer.write_shard(shard, shown_urls)
            truth.add_shard(shard)
            clicked[shard.clicked_pages] = True
            for name in writer.tables:
                if name in shard.tables:
                    rows[name] = rows.get(name, 0) + len(shard.tables[name])
            advance(len(shard.searches))
    beside = _tables_beside(setting, np.flatnonzero(clicked)) if set(TABLES_BESIDE) <= set(writer.tables) else {}
    writer.finish(beside)
    rows |= {name: len(table) for name, table in beside.items()}
    summary = {
        "size": setting.size.name,
        "seed": setting.seed,
        "format": raw_format,
        "window": window_description(),
        "rows": rows,
        **_distribution(truth.searches_by_text),
    }
    truth.finish(summary)
    return summary


def _tables_beside(setting: Setting, pages: np.ndarray) -> dict[str, pa.Table]:
    return {
        "pages": pa.concat_tables(
            (page_table(setting.market, setting.catalogue, setting.pages, setting.urls, pages), site_table(setting))
        ).sort_by("url"),
        "advertisers": advertiser_table(setting),
        "bids": bid_table(setting),
        "industries": industry_table(setting),
        "users": user_table(setting),
    }


def _distribution(searches: np.ndarray) -> dict[str, Any]:
    """Distinct queries, and the shares of all searches that the most searched 1 %, the next 19 % and the rest have."""
    counts = np.sort(searches[searches > 0])[::-1]
    running = np.cumsum(counts) / counts.sum()
    head = float(running[max(0, int(len(counts) * _HEAD) - 1)])
    torso = float(running[max(0, int(len(counts) * _TORSO) - 1)])
    return {
        "distinct_queries": len(counts),
        "head_share": round(head, 4),
        "torso_share": round(torso - head, 4),
        "tail_share": round(1 - torso, 4),
        "searched_once": round(float((counts == 1).mean()), 4),
    }
