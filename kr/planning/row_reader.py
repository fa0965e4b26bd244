"""From the cells of a record to a typed row: one reader for all tables, told by a format what is particular to it."""

import json
import re
from collections.abc import Sequence

from kr.planning import values
from kr.planning.accounting import ImportReport, Rejection
from kr.planning.formats.plain import REASON_SEPARATOR
from kr.planning.formats.plan_format import PlanFormat, without_decoration
from kr.planning.formula_safety import FORMULA_SIGNS, without_apostrophe
from kr.planning.headers import field_of
from kr.planning.plan_row import METRICS, MatchType, MetricValue, PlanRow, Status
from kr.planning.records import MAX_CELL_CHARS, Cell, Record, UnusableCell

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
"""The last two are no characters in Unicode, and no workbook can hold them."""
_UNREADABLE = "\ufffd"
_TOTALS = ("total", "totaal", "总计", "合计", "總計")
_NEGATIVE = re.compile(r"(?:(?:campaign|ad group) )?negative\b\s*")
_YES = frozenset({"yes", "true", "1", "y", "x", "ja", "是", "negative"})
_NO = frozenset({"no", "false", "0", "n", "nee", "否", ""})
_ISO_4217 = re.compile(r"[A-Z]{3}")

MATCH_TYPES: dict[str, MatchType] = {
    **dict.fromkeys(("broad", "broad match", "breed zoeken", "广泛匹配", "廣泛比對", "advanced"), MatchType.BROAD),
    **dict.fromkeys(("phrase", "phrase match", "woordgroep", "词组匹配", "短语匹配", "詞組比對"), MatchType.PHRASE),
    **dict.fromkeys(("exact", "exact match", "exact zoekwoord", "完全匹配", "精确匹配", "standard"), MatchType.EXACT),
}
"""Yahoo's old advanced and standard match are read as broad and exact; the cell's own word is kept under `other`."""
_INTERPRETED = frozenset({"advanced", "standard"})
STATUSES: dict[str, Status] = {
    **dict.fromkeys(("enabled", "active", "live", "ingeschakeld", "已启用", "启用", "有效"), Status.ENABLED),
    **dict.fromkeys(("paused", "onderbroken", "已暂停", "暂停"), Status.PAUSED),
    **dict.fromkeys(("removed", "deleted", "verwijderd", "已移除", "已删除"), Status.REMOVED),
}
_TEXT_FIELDS = frozenset({"keyword", "campaign", "ad_group", "final_url", "labels"})


class _Refused(Exception):
    """Raised where a cell makes its row unusable: the reason, the heading and the text."""

    def __init__(self, reason: str, field: str, value: object) -> None:
        self.rejection = (reason, field, str(value))


class RowReader:
    """Reads the records below one header."""

    def __init__(
        self,
        format: PlanFormat,
        header: Sequence[object],
        report: ImportReport,
        *,
        is_text: bool,
        has_header: bool = True,
    ) -> None:
        """`header` may be made up where a file has none; `is_text` says that cells come from a text file."""
        self._format = format
        self._report = report
        self._is_text = is_text
        self._guarded = is_text and format.name == "plain"
        self.header = [" ".join(str(cell).split()) for cell in header]
        self._has_header = has_header
        self._places: dict[str, int] = {}
        self._metrics: list[tuple[str, int]] = []
        self._months: list[tuple[str, int]] = []
        self._unknown: list[tuple[str, int]] = []
        self._currency = ""
        for place, heading in enumerate(self.header):
            self._assign(place, heading)
        self._text_places = [place for field, place in self._places.items() if field in _TEXT_FIELDS]

    def _assign(self, place: int, heading: str) -> None:
        field, currency = field_of(heading, self._format.headings)
        taken = {
            *self._places,
            *(f"metric:{name}" for name, _ in self._metrics),
            *(f"month:{m}" for m, _ in self._months),
        }
        name = heading or f"column {place + 1}"
        if name in self._report.columns:
            name = f"{name} (column {place + 1})"
        if field in taken:
            field = None
        self._report.columns[name] = field
        if field is None:
            self._unknown.append((name, place))
            return
        self._currency = self._currency or currency
        if field.startswith("metric:"):
            self._metrics.append((field.removeprefix("metric:"), place))
        elif field.startswith("month:"):
            self._months.append((field.removeprefix("month:"), place))
        else:
            self._places[field] = place

    @property
    def width(self) -> int:
        """How many cells a record should have."""
        return len(self.header)

    @property
    def months(self) -> tuple[str, ...]:
        """The months whose searches the table tells."""
        return tuple(month for month, _ in self._months)

    def numbers_in(self, record: Record) -> list[str]:
        """The texts of a record's cells in columns of numbers, from which the decimal mark is told."""
        places = [place for _, place in self._metrics] + [self._places[f] for f in ("max_cpc",) if f in self._places]
        return [cell for place in places if place < len(record.cells) and isinstance(cell := record.cells[place], str)]

    def read(self, record: Record) -> PlanRow | Rejection | None:
        """The row, why there is none, or None for a line that tells something about the file."""
        try:
            return self._row(record.cells, record)
        except _Refused as refused:
            reason, field, value = refused.rejection
            return Rejection(record.line, reason, field, value, record.sheet)

    def _row(self, cells: list[Cell], record: Record) -> PlanRow | None:
        self._check(cells)
        if self._is_text:
            # Before guards are taken off: with one it is text.
            for place in self._text_places:
                if place < len(cells) and str(cells[place]).startswith(FORMULA_SIGNS):
                    raise _Refused("formula", self.header[place], cells[place])
        if self._guarded:
            cells = [without_apostrophe(cell) if isinstance(cell, str) else cell for cell in cells]
        negative = False
        if "entity" in self._places:
            entity = self._text(cells, "entity").casefold()
            found = self._format.entities.get(entity, "other")
            if found is None:
                return None
            if found == "other":
                raise _Refused("not_a_keyword", self.header[self._places["entity"]], entity)
            negative = bool(found)
        keyword = self._text(cells, "keyword")
        if not keyword:
            self._refuse_without_keyword(cells)
        elif keyword == self.header[self._places["keyword"]] and self._is_header(cells):
            raise _Refused("repeated_header", keyword, keyword)
        other: dict[str, str] = {}
        match_type, is_negative = self._match_type(cells, other)
        if self._format.decorated:
            keyword, match_type = without_decoration(keyword, match_type, "match_type" in self._places)
        metrics, months = self._figures(cells, other)
        row_other = self._other(cells, other)
        return PlanRow(
            keyword=keyword,
            campaign=self._text(cells, "campaign"),
            ad_group=self._text(cells, "ad_group"),
            match_type=match_type,
            negative=negative or is_negative or self._negative(cells, other),
            max_cpc_micros=self._bid(cells, other),
            currency=self._currency_of(cells, other),
            final_url=self._text(cells, "final_url"),
            status=self._status(cells, other),
            labels=tuple(dict.fromkeys(filter(None, map(str.strip, self._text(cells, "labels").split(";"))))),
            metrics=metrics,
            months=months,
            reasons=tuple(filter(None, self._text(cells, "reasons").split(REASON_SEPARATOR))),
            source=self._text(cells, "source") or (self._report.format if metrics or months else ""),
            other=row_other | other,
            line=record.line,
            sheet=record.sheet,
        )

    def _check(self, cells: list[Cell]) -> None:
        """Refuse what no cell may hold, looking at all cells at once: it is rare."""
        joined = "\t".join([cell for cell in cells if isinstance(cell, str)])
        if len(joined) <= MAX_CELL_CHARS and _UNREADABLE not in joined and not _CONTROL.search(joined):
            return
        for place, cell in enumerate(cells):
            name = self.header[place] if place < len(self.header) else f"column {place + 1}"
            if len(str(cell)) > MAX_CELL_CHARS:
                raise _Refused("huge_cell", name, cell)
            if _UNREADABLE in str(cell):
                raise _Refused("undecodable", name, cell)
            if _CONTROL.search(str(cell)):
                raise _Refused("control_character", name, cell)

    def _is_header(self, cells: list[Cell]) -> bool:
        return self._has_header and [" ".join(str(cell).split()) for cell in cells] == self.header

    def _refuse_without_keyword(self, cells: list[Cell]) -> None:
        heading = self.header[self._places["keyword"]]
        first = next((str(cell).strip() for cell in cells if str(cell).strip()), "")
        if first.casefold().startswith(_TOTALS):
            raise _Refused("total_row", heading, first)
        raise _Refused("not_a_keyword" if "campaign" in self._places else "no_keyword", heading, first)

    def _cell(self, cells: list[Cell], field: str) -> Cell:
        place = self._places.get(field)
        return "" if place is None or place >= len(cells) else cells[place]

    def _text(self, cells: list[Cell], field: str) -> str:
        cell = self._cell(cells, field)
        if isinstance(cell, str):
            return " ".join(cell.split())
        if isinstance(cell, UnusableCell):
            raise _Refused(cell.reason, self.header[self._places[field]], cell)
        return values.write_number(int(cell) if cell == int(cell) else cell)

    def _keep(self, field: str, other: dict[str, str], text: object, counted: bool = True) -> None:
        """Keep a cell that was not understood as text."""
        other[self.header[self._places[field]]] = str(text).strip()
        if counted:
            self._report.warnings["kept_as_text"] += 1

    def _match_type(self, cells: list[Cell], other: dict[str, str]) -> tuple[MatchType | None, bool]:
        text = self._text(cells, "match_type")
        key = values.plain(text).casefold()
        if key in values.UNKNOWN:
            return None, False
        positive = _NEGATIVE.sub("", key)
        found = MATCH_TYPES.get(positive)
        if found is None and positive:
            raise _Refused("unknown_match_type", self.header[self._places["match_type"]], text)
        if positive in _INTERPRETED:
            self._keep("match_type", other, text, counted=False)
        return found, positive != key

    def _negative(self, cells: list[Cell], other: dict[str, str]) -> bool:
        text = self._text(cells, "negative")
        if (key := text.casefold()) not in _YES | _NO:
            self._keep("negative", other, text)
        return key in _YES

    def _bid(self, cells: list[Cell], other: dict[str, str]) -> int | None:
        cell = self._cell(cells, "max_cpc")
        if isinstance(cell, UnusableCell):
            raise _Refused(cell.reason, self.header[self._places["max_cpc"]], cell)
        if values.is_unknown(cell):
            return None
        if isinstance(cell, str) and "(" in cell:
            self._keep("max_cpc", other, cell, counted=False)
        try:
            return values.micros(cell, self._report.decimal_mark)
        except ValueError:
            raise _Refused("unreadable_bid", self.header[self._places["max_cpc"]], cell) from None

    def _currency_of(self, cells: list[Cell], other: dict[str, str]) -> str:
        text = self._text(cells, "currency").upper()
        if text and not _ISO_4217.fullmatch(text):
            self._keep("currency", other, text)
            return self._currency
        return text or self._currency

    def _status(self, cells: list[Cell], other: dict[str, str]) -> Status | None:
        text = self._text(cells, "status")
        found = STATUSES.get(text.casefold())
        if text and found is None:
            self._keep("status", other, text)
        return found

    def _figures(
        self, cells: list[Cell], other: dict[str, str]
    ) -> tuple[dict[str, MetricValue], dict[str, MetricValue]]:
        metrics: dict[str, MetricValue] = {}
        mark = self._report.decimal_mark
        for name, place in self._metrics:
            cell = cells[place] if place < len(cells) else ""
            if isinstance(cell, UnusableCell):
                self._keep_figure(place, cell, other)
            elif not values.is_unknown(cell):
                try:
                    metrics[name] = values.read_metric(METRICS[name].kind, cell, mark)
                except ValueError:
                    ends = values.read_range(cell, mark) if name == "avg_monthly_searches" else None
                    if ends:
                        metrics["min_monthly_searches"], metrics["max_monthly_searches"] = ends
                    else:
                        self._keep_figure(place, cell, other)
        density = self._cell(cells, "competition_density")
        if density != "":
            try:
                metrics["competition_index"] = values.whole_or_float(values.number(density, mark) * 100)  # type: ignore[arg-type]
            except ValueError:
                self._keep("competition_density", other, density)
        months: dict[str, MetricValue] = {}
        for month, place in self._months:
            cell = cells[place] if place < len(cells) else ""
            if isinstance(cell, UnusableCell):
                self._keep_figure(place, cell, other)
            elif not values.is_unknown(cell):
                try:
                    months[month] = values.whole_or_float(values.number(cell, mark))
                except ValueError:
                    self._keep_figure(place, cell, other)
        return metrics, months

    def _keep_figure(self, place: int, cell: Cell, other: dict[str, str]) -> None:
        other[self.header[place]] = str(cell).strip()
        self._report.warnings["kept_as_text"] += 1

    def _other(self, cells: list[Cell], other: dict[str, str]) -> dict[str, str]:
        """The cells of columns without a field, and those that an earlier export kept."""
        kept: dict[str, str] = {}
        told = self._text(cells, "other")
        if told:
            try:
                parsed = json.loads(str(self._cell(cells, "other")))
            except ValueError:
                parsed = None
            if isinstance(parsed, dict) and all(isinstance(value, str) for value in parsed.values()):
                kept |= parsed
            else:
                self._keep("other", other, told)
        for name, place in self._unknown:
            if place < len(cells) and (cell := cells[place]) != "":
                text = self._plain_text(cell)
                if text:
                    kept[name] = text
        for place in range(self.width, len(cells)):
            if text := self._plain_text(cells[place]):
                kept[f"column {place + 1}"] = text
        return kept

    @staticmethod
    def _plain_text(cell: Cell) -> str:
        if isinstance(cell, int | float):
            return values.write_number(int(cell) if cell == int(cell) else cell)
        return str(cell).strip()
