"""Why a row was not kept: the closed list of reason codes, their texts, and the record that a rejects file holds.

A rejects file has one JSON object a line, in the order of the input:
`{"file", "line", "table", "column", "reason", "text", "raw"}`. `line` counts from 1 and is the physical line on which
the row starts (for Parquet, which has no lines, the number of the row); `raw` is what was read, cut to RAW_CHARS.
"""

import json
from dataclasses import dataclass

RAW_CHARS = 500
"""How much of a rejected row is quoted: enough to recognise it, bounded so that a rejects file stays readable."""

REASONS = {
    # the row cannot be taken apart
    "torn_line": "The last line has no line end and is incomplete: the file was cut off while it was being written.",
    "undecodable": "The bytes are not valid text in the file's encoding.",
    "wrong_columns": "The row does not have the number of columns that it should have.",
    "unclosed_quote": "A quote is opened here and never closed; reading went on with the next line.",
    "malformed_quote": "Text follows a closing quote where a delimiter should.",
    "not_json": "The line is not valid JSON.",
    "not_an_object": "The line is JSON, but not an object.",
    "not_ubi": "The object has neither action_name (an event) nor user_query (a query).",
    "unbracketed_query": "The query does not stand in [brackets].",
    "not_rank_and_order": "The fourth column is not a rank and an order, two numbers.",
    "not_a_category": "The line is no category with a path: NUMBER - NAME > NAME, or the path alone in every line.",
    # a value breaks the schema
    "missing_value": "A required value is missing or blank.",
    "wrong_type": "The value is of a type that the column cannot hold.",
    "not_a_number": "The value is not a whole number, or too large to be stored.",
    "not_a_timestamp": "The value is not a date and time in the expected form.",
    "not_a_date": "The value is not a date of the form YYYY-MM-DD.",
    "not_a_boolean": "The value is not true, false, 1 or 0.",
    "below_minimum": "The number is below the column's minimum.",
    "above_maximum": "The number is above the column's maximum.",
    "not_a_choice": "The value is not one of the words that the column allows.",
    "too_long": "The text is longer than the column allows.",
    "timestamp_in_future": "The time lies more than one day after the ingest.",
    "timestamp_before_1990": "The time lies before 1990: mostly a sign of a wrong unit.",
    # a row disagrees with other rows
    "duplicate": "An earlier row has the same key.",
    "unknown_parent": "No line has the category above this one.",
    "unknown_query": "The event's query_id belongs to no query of this log.",
    # nothing is wrong with the row
    "event_without_table": "A valid event of a kind that the canonical tables have no place for.",
}

NOT_A_DEFECT = frozenset({"event_without_table"})
"""Reasons that say nothing against the log: counted and listed, but not held against the limit of rejected rows."""


@dataclass(frozen=True)
class Reject:
    """One row that was not kept. `detail` replaces the reason's general text where more is known."""

    line: int
    reason: str
    raw: str
    table: str | None = None
    column: str | None = None
    detail: str | None = None

    def encode(self, file: str) -> bytes:
        """The line of the rejects file, with its line end; lone surrogates become question marks."""
        record = {
            "file": file,
            "line": self.line,
            "table": self.table,
            "column": self.column,
            "reason": self.reason,
            "text": self.detail or REASONS[self.reason],
            "raw": self.raw if len(self.raw) <= RAW_CHARS else self.raw[:RAW_CHARS] + "…",
        }
        return json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
