"""Rows as JSON lines, KR's own form between commands: one object a row, unknown fields refused, nothing lost."""

import json
import math
from collections.abc import Iterator
from typing import Any

from kr.planning.accounting import Rejection
from kr.planning.plan_row import METRICS, Kind, MatchType, MetricValue, PlanRow, Status
from kr.planning.records import MAX_CELL_CHARS
from kr.planning.source_file import SourceFile

LONGEST_LINE = 2**20
_PLACE = ("line", "sheet", "duplicate")
_TEXTS = ("keyword", "campaign", "ad_group", "currency", "final_url", "source")
_INFINITE = "∞"


def row_as_dict(row: PlanRow) -> dict[str, Any]:
    """A row as JSON shows it: null for what is unknown, `∞` for an infinite change."""
    return {
        "keyword": row.keyword,
        "match_type": row.match_type,
        "negative": row.negative,
        "campaign": row.campaign or None,
        "ad_group": row.ad_group or None,
        "max_cpc_micros": row.max_cpc_micros,
        "currency": row.currency or None,
        "final_url": row.final_url or None,
        "status": row.status,
        "labels": list(row.labels),
        "metrics": {name: _INFINITE if value == math.inf else value for name, value in row.metrics.items()},
        "months": dict(row.months),
        "reasons": list(row.reasons),
        "source": row.source or None,
        "other": dict(row.other),
        "line": row.line,
        "sheet": row.sheet or None,
        "duplicate": row.duplicate,
    }


def row_from_dict(fields: dict[str, Any]) -> PlanRow:
    """What `row_as_dict` was given. ValueError, naming the field, for anything else."""
    known = PlanRow.__dataclass_fields__
    for name in fields:
        if name not in known:
            raise ValueError(name)
    texts: dict[str, Any] = {name: _text(fields, name) for name in _TEXTS}
    if not texts["keyword"]:
        raise ValueError("keyword")
    bid = fields.get("max_cpc_micros")
    if bid is not None and (not isinstance(bid, int) or isinstance(bid, bool) or bid < 0):
        raise ValueError("max_cpc_micros")
    if not isinstance(fields.get("negative", False), bool):
        raise ValueError("negative")
    return PlanRow(
        **texts,
        match_type=_named(MatchType, fields, "match_type"),
        negative=fields.get("negative", False),
        max_cpc_micros=bid,
        status=_named(Status, fields, "status"),
        labels=_list(fields, "labels"),
        metrics={name: _metric(name, value) for name, value in _mapping(fields, "metrics").items()},
        months={month: _figure("months", value) for month, value in _mapping(fields, "months").items()},
        reasons=_list(fields, "reasons"),
        other={name: _told(value, "other") for name, value in _mapping(fields, "other").items()},
    )


class JsonRows:
    """A file of JSON lines; `rows` gives each as a row or a rejection, with its number."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source

    def rows(self) -> Iterator[tuple[int, PlanRow | Rejection | None]]:
        """Line by line; None for a blank line."""
        with self._source.open() as file:
            number = 0
            while line := file.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    while (piece := file.readline(LONGEST_LINE)) and not piece.endswith(b"\n"):
                        pass
                    yield number, Rejection(number, "huge_row", value=line[:200].decode("utf-8", "replace"))
                    continue
                yield number, self._row(number, line) if line.strip() else None

    @staticmethod
    def _row(number: int, line: bytes) -> PlanRow | Rejection:
        shown = line[:200].decode("utf-8", "replace").strip()
        try:
            fields = json.loads(line.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return Rejection(number, "undecodable", value=shown)
        except (ValueError, RecursionError):
            return Rejection(number, "not_json" if line.endswith(b"\n") else "torn_line", value=shown)
        if not isinstance(fields, dict):
            return Rejection(number, "not_json", value=shown)
        try:
            row = row_from_dict(fields)
        except ValueError as error:
            return Rejection(number, "not_json", str(error), shown)
        return row


def _told(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_CELL_CHARS or "\0" in value:
        raise ValueError(name)
    return value


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return "" if value is None else " ".join(_told(value, name).split())


def _named(kind: Any, fields: dict[str, Any], name: str) -> Any:
    value = fields.get(name)
    try:
        return None if value is None else kind(value)
    except ValueError:
        raise ValueError(name) from None


def _list(fields: dict[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name) or []
    if not isinstance(value, list):
        raise ValueError(name)
    return tuple(_told(item, name) for item in value)


def _mapping(fields: dict[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name) or {}
    if not isinstance(value, dict):
        raise ValueError(name)
    return value


def _metric(name: str, value: Any) -> MetricValue:
    if name not in METRICS:
        raise ValueError(name)
    kind = METRICS[name].kind
    if kind is Kind.LEVEL and value in ("LOW", "MEDIUM", "HIGH"):
        return str(value)
    if kind is Kind.FRACTION and value == _INFINITE:
        return math.inf
    if kind is Kind.LEVEL or (kind is Kind.MICROS and not isinstance(value, int)):
        raise ValueError(name)
    return _figure(name, value)


def _figure(name: str, value: Any) -> MetricValue:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(name)
    return value
