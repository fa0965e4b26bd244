"""Which columns the table of keywords shows: from the address, else as last chosen (a cookie), else the usual ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext

from webui.form_values import Errors

COLUMNS = (
    "searches",
    "trend",
    "competition",
    "bid",
    "relevance",
    "why",
    "intent",
    "group",
    "devices",
    "advertisers",
    "clicks",
    "ad_ctr",
)
"""In the order in which they stand; the keyword itself always stands first."""
USUAL = ("searches", "trend", "competition", "bid", "relevance", "why")
COOKIE = "kr_columns"
COOKIE_SECONDS = 365 * 24 * 3600
_SEPARATOR = "."


@dataclass(frozen=True)
class Columns:
    """The columns shown; `in_address` is what this search's address says of them, None if nothing."""

    shown: tuple[str, ...] = USUAL
    in_address: str | None = None

    def __contains__(self, name: str) -> bool:
        return name in self.shown

    @property
    def written(self) -> str:
        """These columns as the value of an address, so that who opens it sees the same."""
        return written(self.shown)

    def toggled(self, name: str) -> str:
        """The value of the address that shows a column, or hides it if it is shown."""
        return written(tuple(one for one in COLUMNS if (one in self.shown) != (one == name)))


def written(columns: Sequence[str]) -> str:
    """The columns as one value of an address or a cookie; `none` for no column but the keyword."""
    return _SEPARATOR.join(columns) or "none"


def read_columns(values: Sequence[str], remembered: str | None, errors: Errors) -> Columns:
    """From the values in an address: one written here, or one a ticked box of the form."""
    chosen = [part for value in values for part in value.split(_SEPARATOR) if part]
    if chosen:
        if unknown := [name for name in chosen if name not in (*COLUMNS, "none")]:
            errors["columns"] = gettext("There is no column “%(name)s”.", name=unknown[0][:40])
        shown = tuple(name for name in COLUMNS if name in chosen)
        return Columns(shown, written(shown))
    # A cookie with mistakes is one of an older version: its known columns count.
    kept = tuple(name for name in COLUMNS if name in (remembered or "").split(_SEPARATOR))
    return Columns(kept) if kept or remembered == "none" else Columns()
