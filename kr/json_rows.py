"""Rows as JSON, written from columns: an array of objects is joined once, instead of a dictionary made for each row.

A column is a list of encoded values, one a row. What all rows have in common (names, braces) is encoded once a page.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np
import orjson

from indexes.arrays import Array

Encoded = Sequence[bytes]
NULL = b"null"


class JsonRows(Sequence[dict[str, Any]]):
    """The rows of one page: `json` is a JSON array of objects; they are read back for whoever looks at one."""

    def __init__(self, json: bytes, count: int) -> None:
        self.json = json
        self._count = count
        self._read: list[dict[str, Any]] | None = None

    def as_dictionaries(self) -> list[dict[str, Any]]:
        """One dictionary a row, always the same ones."""
        if self._read is None:
            self._read = orjson.loads(self.json)
        return self._read

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[dict[str, Any]]: ...

    def __getitem__(self, place: int | slice) -> dict[str, Any] | Sequence[dict[str, Any]]:
        return self.as_dictionaries()[place]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.as_dictionaries())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, JsonRows):
            return self.json == other.json
        return self.as_dictionaries() == list(other) if isinstance(other, tuple | list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


class RowTemplate:
    """An object with places for values; `fill` writes it once a row."""

    def __init__(self) -> None:
        self._constants = [b"{"]
        self._columns: list[Encoded] = []

    def field(self, name: str, column: Encoded) -> None:
        """A field with a value a row."""
        self.constant(self._comma() + orjson.dumps(name) + b":")
        self.value(column)

    def fields(self, columns: Mapping[str, Encoded]) -> None:
        """Several fields, in their order."""
        for name, column in columns.items():
            self.field(name, column)

    def field_of_objects(self, name: str, constants: Iterable[Mapping[str, Any]], key: str, table: Array) -> None:
        """A field with a list of objects: each has its constant values, and under `key` its column of a table.

        `table` whole numbers (rows, objects).
        """
        self.constant(self._comma() + orjson.dumps(name) + b":[")
        for place, (each, column) in enumerate(zip(constants, columns_of(table), strict=True)):
            start = orjson.dumps(each)[:-1]
            self.constant(b",%b" % start if place else start)
            self.constant(b',"%b":' % key.encode())
            self.value(column)
            self.constant(b"}")
        self.constant(b"]")

    def field_of_counts(self, name: str, keys: Sequence[str], table: Array) -> None:
        """A field with an object that has, under each key, its column of a table of whole numbers (rows, keys)."""
        self.constant(self._comma() + orjson.dumps(name) + b":{")
        for place, (key, column) in enumerate(zip(keys, columns_of(table), strict=True)):
            self.constant((b"," if place else b"") + orjson.dumps(key) + b":")
            self.value(column)
        self.constant(b"}")

    def constant(self, text: bytes) -> None:
        """What all rows have at this place."""
        self._constants[-1] += text

    def value(self, column: Encoded) -> None:
        """What each row has of its own at this place."""
        self._columns.append(column)
        self._constants.append(b"")

    def fill(self, count: int) -> JsonRows:
        """So many rows. ValueError if a column has another length."""
        one: list[bytes] = []
        for constant in self._constants:
            one += (constant, b"")
        one[-1] = b"},"
        pieces = one * count
        for place, column in enumerate(self._columns):
            pieces[2 * place + 1 :: len(one)] = column
        # The text is long: it is joined once, brackets and all, and never copied.
        if count:
            pieces[0], pieces[-1] = b"[" + pieces[0], b"}]"
        return JsonRows(b"".join(pieces) if count else b"[]", count)

    def _comma(self) -> bytes:
        return b"" if self._constants == [b"{"] else b","


def texts(values: Iterable[str]) -> list[bytes]:
    """Strings."""
    return list(map(orjson.dumps, values))


def numbers(column: Array | list[Any]) -> list[bytes]:
    """Whole numbers, or floats of which none is infinite; NaN as null."""
    if not len(column):
        return []
    return orjson.dumps(column, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")


def columns_of(table: Array) -> list[list[bytes]]:
    """The columns of a table of whole numbers (n, m)."""
    width = table.shape[1]
    flat = numbers(np.ascontiguousarray(table).reshape(-1))
    return [flat[place::width] for place in range(width)]


def counts(column: Array) -> list[bytes]:
    """Whole numbers, negative ones (unknown) as null."""
    return [NULL if value[:1] == b"-" else value for value in numbers(column)]


def rounded(column: Array, digits: int) -> list[bytes]:
    """Floats rounded as Python's `round` does it, NaN as null.

    A 32-bit float times 10^digits (up to 10^12) is exact in 64 bits, so that numpy's rounding, which multiplies first,
    then gives the same; of a 64-bit float it is not.
    """
    if column.dtype == np.float32:
        return numbers(np.round(column.astype(np.float64), digits))
    return numbers([None if value != value else round(value, digits) for value in column.tolist()])
