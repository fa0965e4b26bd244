"""What keyword search answers: rows, notices, corrections, and an explanation if it was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kr.facets import Facets
from kr.reasons import NOTICE_TEXTS, Notice
from kr.relaxations import Relaxation


@dataclass(frozen=True)
class NoticeText:
    """Something that the reply as a whole says."""

    code: Notice
    text_en: str
    text_zh: str


@dataclass(frozen=True)
class Correction:
    """What the caller may have meant."""

    seed: str
    correction: str


@dataclass(frozen=True)
class Reply:
    """What keyword search answers. `total` counts the rows of all pages; `explain` is a tree if it was asked for."""

    snapshot: str
    seeds: tuple[str, ...]
    rows: Sequence[dict[str, Any]] = ()
    """As `kr.json_rows.JsonRows` where there are any."""
    total: int = 0
    corrections: tuple[Correction, ...] = ()
    notices: tuple[NoticeText, ...] = ()
    explain: dict[str, Any] | None = None
    page: dict[str, Any] | None = None
    """The page that was read, if the request named one: see `kr.pages.reader.PageRead.as_data`."""
    site: dict[str, Any] | None = None
    """The site whose pages were read, if the request named one: see `kr.pages.site.SiteRead.as_data`."""
    facets: Facets | None = None
    """Counts over all rows of all pages, if they were asked for."""
    relaxations: tuple[Relaxation, ...] = ()
    """Which filter to relax, where the filters leave nothing."""
    industries: tuple[dict[str, Any], ...] = ()
    """The industries that the request named: id, name_en, name_zh, advertisers."""
    degraded: bool = False


def notice(code: Notice, **values: object) -> NoticeText:
    """A notice with its texts filled in."""
    english, chinese = NOTICE_TEXTS[code]
    return NoticeText(code, english.format(**values), chinese.format(**values))
