"""The columns of `indexes.keyword_stats` from the mined tables, each filled by streaming what it is made of.

Memory holds a few columns at a time (8 bytes a keyword each); months, devices and regions are filled in mapped files.
"""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from indexes.arrays import Array, ranges
from indexes.keyword_stats import UNKNOWN, KeywordStats
from mining.build_tables import MinedTables, numbers
from mining.text_ids import TextIds

ROWS = 500_000
"""Keywords whose figures are computed at a time."""


def write_statistics(
    mined: MinedTables,
    ids: TextIds,
    languages: Array,
    own_searches: Array,
    canonical: Array,
    group_offsets: Array,
    group_members: Array,
    folder: Path,
    scratch: Path,
) -> dict[str, list[str] | list[bool]]:
    """Write all columns; return the facts `months`, `complete_months`, `devices` and `regions`."""
    count = len(own_searches)
    months, complete, monthly = _monthly(mined, ids, count, scratch)
    _sum_over_variants(monthly, group_offsets, group_members)
    average, change_3m, change_yoy = _demand(monthly, complete, scratch)
    devices, by_device = _split(mined, ids, count, "device", scratch)
    regions, by_region = _split(mined, ids, count, "region", scratch)

    def column(name: str, dtype: type, unknown: float | None = None) -> Array:
        """A column of the table, read when it is asked for and kept on disk."""
        return _on_disk(scratch / f"{name}.npy", mined.column("keyword_statistics", name, dtype, unknown))

    searches = np.bincount(canonical, weights=own_searches, minlength=count).astype(np.int64)[canonical]
    KeywordStats(
        searches=searches,
        own_searches=own_searches,
        users=column("users", np.int64),
        first_day=column("first_date", np.int32),
        last_day=column("last_date", np.int32),
        avg_monthly_searches=average,
        monthly_searches=monthly,
        change_3m=change_3m,
        change_yoy=change_yoy,
        competition_index=column("competition_index", np.float32, np.nan),
        low_bid_micros=column("low_top_of_page_bid_micros", np.int64, UNKNOWN),
        high_bid_micros=column("high_top_of_page_bid_micros", np.int64, UNKNOWN),
        advertisers=column("advertisers", np.int32, UNKNOWN),
        clicks=column("clicks", np.int64, UNKNOWN),
        ad_ctr=column("ad_ctr", np.float32, np.nan),
        language=languages,
        canonical=canonical,
        searches_by_device=by_device,
        searches_by_region=by_region,
    ).write(folder)
    return {
        "months": [month.isoformat() for month in months],
        "complete_months": complete,
        "devices": devices,
        "regions": regions,
    }


def demand_figures(whole_months: Array) -> tuple[Array, Array, Array]:
    """Average monthly searches over the last 12 whole months, three-month and year-on-year change (fractions).

    `whole_months` is int64 (keywords, months), oldest first. Averages are float64, changes float32; NaN where the
    months do not reach, or where the earlier period had no search.
    """
    count, months = whole_months.shape
    unknown = np.full(count, np.nan)

    def change(now: Array, before: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(before > 0, now / before - 1, np.nan).astype(np.float32)

    average = whole_months[:, -12:].mean(axis=1) if months else unknown
    recent = whole_months[:, -3:].sum(axis=1)
    quarter = change(recent, whole_months[:, -6:-3].sum(axis=1)) if months >= 6 else unknown.astype(np.float32)
    # Year on year compares the last month with the same month a year before, as search advertisers are used to.
    year = change(whole_months[:, -1], whole_months[:, -13]) if months >= 13 else unknown.astype(np.float32)
    return average, quarter, year


def _monthly(mined: MinedTables, ids: TextIds, count: int, scratch: Path) -> tuple[list[date], list[bool], Array]:
    """The months in order, whether each is whole, and each keyword's own searches int32 (keywords, months)."""
    whole: dict[date, bool] = {}
    for batch in mined.batches("keyword_months", ["month", "complete"]):
        for row in batch.group_by("month").aggregate([("complete", "max")]).to_pylist():
            whole[row["month"]] = row["complete_max"]
    months = sorted(whole)
    monthly = _new_table(scratch / "monthly.npy", count, len(months))
    places = pa.array(months, pa.date32())
    for batch in mined.batches("keyword_months", ["month", "searches"], ["keyword"]):
        rows = ids.of("keyword_months", batch["keyword"])
        _add(monthly, rows, pc.index_in(batch["month"], value_set=places).to_numpy(), numbers(batch["searches"]))
    return months, [whole[month] for month in months], monthly


def _split(mined: MinedTables, ids: TextIds, count: int, by: str, scratch: Path) -> tuple[list[str], Array]:
    """The known values of a segment column and searches int32 (keywords, values); unknown ones are in no column."""
    known: set[str] = set()
    for batch in mined.batches("keyword_segments", [by]):
        known.update(value for value in pc.unique(batch[by]).to_pylist() if value is not None)
    values = sorted(known)
    counts = _new_table(scratch / f"{by}.npy", count, len(values))
    for batch in mined.batches("keyword_segments", [by, "searches"], ["keyword"]) if values else ():
        batch = batch.filter(pc.is_valid(batch[by]))
        rows = ids.of("keyword_segments", batch["keyword"])
        places = pc.index_in(batch[by], value_set=pa.array(values, pa.string())).to_numpy()
        _add(counts, rows, places, numbers(batch["searches"]))
    return values, counts


def _add(table: Array, rows: Array, columns: Array, counts: Array) -> None:
    """Add counts at (row, column), which may repeat; rows of one call stand close together."""
    if not len(rows):
        return
    first, width = int(rows.min()), table.shape[1]
    height = int(rows.max()) - first + 1
    # Sums of whole numbers below 2^53 are exact as floats.
    added = np.bincount((rows - first) * width + columns, weights=counts, minlength=height * width)
    table[first : first + height] += added.reshape(height, width).astype(np.int32)


def _sum_over_variants(monthly: Array, offsets: Array, members: Array) -> None:
    """Give every member of a group of close variants the group's months."""
    sizes = np.diff(offsets)
    heads = np.flatnonzero(sizes)
    for begin in range(0, len(heads), ROWS):
        part = heads[begin : begin + ROWS]
        own = members[ranges(offsets[part], sizes[part])]
        starts = np.cumsum(sizes[part]) - sizes[part]
        sums = np.add.reduceat(monthly[own].astype(np.int64), starts, axis=0)
        monthly[own] = np.repeat(sums, sizes[part], axis=0).astype(np.int32)


def _demand(monthly: Array, complete: list[bool], scratch: Path) -> tuple[Array, Array, Array]:
    """`demand_figures` of all keywords, on disk."""
    count = len(monthly)
    whole = np.array(complete, bool)
    average = np.lib.format.open_memmap(scratch / "average.npy", "w+", np.float64, (count,))
    quarter = np.lib.format.open_memmap(scratch / "quarter.npy", "w+", np.float32, (count,))
    year = np.lib.format.open_memmap(scratch / "year.npy", "w+", np.float32, (count,))
    for begin in range(0, count, ROWS):
        part = slice(begin, min(begin + ROWS, count))
        average[part], quarter[part], year[part] = demand_figures(monthly[part][:, whole].astype(np.int64))
    return average, quarter, year


def _new_table(path: Path, rows: int, columns: int) -> Array:
    """Zeros int32 (rows, columns) in a mapped file; a table without columns cannot be mapped."""
    if not columns:
        return np.zeros((rows, 0), np.int32)
    table: Array = np.lib.format.open_memmap(path, "w+", np.int32, (rows, columns))
    return table


def _on_disk(path: Path, values: Array) -> Array:
    np.save(path, values)
    return np.load(path, mmap_mode="r")
