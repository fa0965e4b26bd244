"""What an adapter hands on: a batch of rows as they stand in the file, not yet checked against the schema."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from mining.ingest.reasons import Reject

RawText = Callable[[Sequence[int]], list[str]]
"""From positions in a batch to what was read there, for a rejects file."""


@dataclass
class Batch:
    """Rows of one file for one staged table.

    `columns` maps canonical column names to the raw values (a name that is not there is null everywhere), all of the
    length of `lines` (int64, line or row number from 1, ascending). `rejects` are the rows of the same stretch of the
    file that could not be taken apart. Rows read = len(lines) + len(rejects).
    """

    table: str
    lines: np.ndarray
    columns: dict[str, pa.Array]
    raw: RawText
    rejects: list[Reject] = field(default_factory=list)


Stretch = tuple[Batch, ...]
"""The batches, of different tables, that one stretch of a file gives; the lines of the next stretch are all higher."""


def text_array(values: Sequence[str | None]) -> pa.Array:
    """An Arrow text column from Python strings; raises UnicodeEncodeError if one holds a lone surrogate."""
    return pa.array(values, pa.string())
