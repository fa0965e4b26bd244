"""SQL that brings a raw value to its column's type: null where it cannot be brought there, never an error."""

from mining.ingest.mapping import MICROSECONDS, ColumnMapping
from mining.schema import Column

BLANKS = " \t\r\n\u00a0\u3000"
"""What is taken off both ends of a text before it is read as a number, a time or a truth value."""

_ISO = r"\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
_OFFSET = r"(Z|[+-]\d\d(:?\d\d)?)"
_WHOLE = r"[+-]?\d{1,18}(\.0+)?"
_DECIMAL = r"[+-]?\d{1,16}(\.\d{1,9})?"
_LARGEST_MICROS = 9_000_000_000_000_000_000
_DUCKDB_TYPES = {
    "string": "VARCHAR",
    "choice": "VARCHAR",
    "timestamp": "TIMESTAMPTZ",
    "date": "DATE",
    "int32": "BIGINT",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "bool": "BOOLEAN",
    "string_list": "VARCHAR[]",
}


def sql_text(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def convert(column: Column, kind: str, mapping: ColumnMapping) -> str:
    """SQL of the cleaned value in the column's type, null where it is not one."""
    name = f'"{column.name}"'
    if kind == "null":
        return f"CAST(NULL AS {_DUCKDB_TYPES[column.type]})"
    if column.type in ("string", "choice"):
        return name if kind == "text" else f"CAST({name} AS VARCHAR)"
    if kind == "text" and column.type != "string_list":
        name = f"trim({name}, {'||'.join(f'chr({ord(character)})' for character in BLANKS)})"
    if column.type == "string_list":
        parts = name if kind == "text_list" else f"string_split({name}, {sql_text(mapping.separator)})"
        stripped = f"list_transform({parts}, lambda part: nfc_normalize(trim(part)))"
        return f"list_filter({stripped}, lambda part: part IS NOT NULL AND part <> '')"
    if column.type == "timestamp":
        return _convert_timestamp(name, kind, mapping)
    if column.type == "date":
        text = f"CASE WHEN regexp_full_match({name}, '\\d{{4}}-\\d\\d-\\d\\d') THEN TRY_CAST({name} AS DATE) END"
        return text if kind == "text" else f"CAST({name} AS DATE)"
    if column.type == "bool":
        if kind == "text":
            truth, falsehood = f"lower({name}) IN ('true', '1')", f"lower({name}) IN ('false', '0')"
            return f"CASE WHEN {truth} THEN true WHEN {falsehood} THEN false END"
        return f"CASE {name} WHEN 1 THEN true WHEN 0 THEN false END" if kind == "int" else f"CAST({name} AS BOOLEAN)"
    if column.type == "float64":
        number = f"TRY_CAST({name} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    # Whole numbers are all read as 64 bits, so that the bounds of a 32-bit column are reported as bounds.
    if kind == "text":
        return f"CASE WHEN regexp_full_match({name}, '{_WHOLE}') THEN TRY_CAST({name} AS BIGINT) END"
    if kind in ("float", "decimal"):
        return f"CASE WHEN {name} = trunc({name}) THEN TRY_CAST({name} AS BIGINT) END"
    return f"TRY_CAST({name} AS BIGINT)"


def clock(kind: str, mapping: ColumnMapping) -> str:
    """The DuckDB type of what `convert` gives; TIMESTAMP is in UTC."""
    plain = kind == "text" and mapping.unit is None and mapping.format is None and mapping.timezone == "UTC"
    return "TIMESTAMP" if plain else "TIMESTAMPTZ"


def _convert_timestamp(name: str, kind: str, mapping: ColumnMapping) -> str:
    zone = sql_text(mapping.timezone)
    if mapping.unit is not None and kind in ("text", "int", "float"):
        factor = MICROSECONDS[mapping.unit]
        if kind == "int":
            largest = _LARGEST_MICROS // factor
            micros = f"CASE WHEN {name} BETWEEN -{largest} AND {largest} THEN CAST({name} AS BIGINT) * {factor} END"
        elif kind == "float":
            micros = f"TRY_CAST(round({name} * {factor}) AS BIGINT)"
        else:
            product = f"TRY_CAST(trunc(TRY_CAST({name} AS DECIMAL(38, 9)) * {factor}) AS BIGINT)"
            micros = f"CASE WHEN regexp_full_match({name}, '{_DECIMAL}') THEN {product} END"
        return (
            f"make_timestamptz(CASE WHEN {micros} BETWEEN -{_LARGEST_MICROS} AND {_LARGEST_MICROS} THEN {micros} END)"
        )
    if kind == "instant":
        return name
    if kind in ("timestamp", "date"):
        return f"timezone({zone}, TRY_CAST({name} AS TIMESTAMP))"
    if mapping.format is not None:
        parsed = f"try_strptime({name}, {sql_text(mapping.format)})"
        return parsed if "%z" in mapping.format.lower() else f"timezone({zone}, {parsed})"
    if mapping.timezone == "UTC":
        # Most logs come this way, and it needs no calendar. The cast to TIMESTAMP passes over an offset.
        plain = f"WHEN regexp_full_match({name}, '{_ISO}Z?') THEN TRY_CAST({name} AS TIMESTAMP)"
        moved = f"timezone('UTC', TRY_CAST({name} AS TIMESTAMPTZ))"
        return f"CASE {plain} WHEN regexp_full_match({name}, '{_ISO}{_OFFSET}') THEN {moved} END"
    with_offset = f"WHEN regexp_full_match({name}, '{_ISO}{_OFFSET}') THEN TRY_CAST({name} AS TIMESTAMPTZ)"
    local = f"WHEN regexp_full_match({name}, '{_ISO}') THEN timezone({zone}, TRY_CAST({name} AS TIMESTAMP))"
    return f"CASE {with_offset} {local} END"
