"""How big a simulated market is, and over which days."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from indexes.errors import UsageError

FIRST_DAY = date(2023, 5, 1)
LAST_DAY = date(2024, 6, 30)
DAYS = (LAST_DAY - FIRST_DAY).days + 1
MICROS = 1_000_000
DAY_MICROS = 86_400 * MICROS
# Microseconds since 1970 at which the log begins, and ends (exclusive), in UTC.
WINDOW_START = int(datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC).timestamp()) * MICROS
WINDOW_END = WINDOW_START + DAYS * DAY_MICROS


@dataclass(frozen=True)
class Size:
    """One size of market; counts are aims, the drawn numbers differ by a percent or two."""

    name: str
    searches: int
    users: int
    advertisers: int
    # How much of the language is in use: kinds and cities a product, queries that have misspelt or variant forms.
    kinds: int
    places: int
    places_with_kinds: int
    varied_queries: int
    robots: int
    fraud_rings: int
    bursts: int
    # Searches that are worked out and written at a time; bounds the memory.
    shard_searches: int = 250_000


SIZES = {
    size.name: size
    for size in (
        Size("small", 50_000, 9_000, 420, 6, 8, 2, 5_000, 4, 6, 8),
        Size("medium", 740_000, 110_000, 450, 14, 20, 6, 40_000, 14, 16, 24),
        Size("large", 6_900_000, 840_000, 600, 20, 42, 10, 120_000, 60, 50, 48),
    )
}


def size_named(name: str) -> Size:
    """The size of that name. Raises UsageError for another."""
    if name not in SIZES:
        raise UsageError(f"There is no market size {name!r}.", f"Use one of {', '.join(SIZES)}.")
    return SIZES[name]


def streams(seed: int, *names: str) -> dict[str, np.random.Generator]:
    """One independent random stream a name, the same for the same seed and name whatever other names there are."""
    if not 0 <= seed < 2**63:
        raise UsageError(f"The seed {seed} is out of range.", "Use a whole number from 0 to 9223372036854775807.")
    return {
        name: np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *name.encode()]))) for name in names
    }
