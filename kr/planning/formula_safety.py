"""No text that is exported may run as a formula in a spreadsheet, and none may be lost by that.

A cell is a formula where its text begins with = + - @, a tab or a carriage return, or with the full-width forms of
these signs, which spreadsheets in East Asia take for the same. But `+running shoes` and `-5 degree` are keywords.

- `apostrophe`, for plain CSV: an apostrophe before the sign, taken off again by the reader of plain CSV, which tells it
  from those that stood there before. Since a spreadsheet may be set to split at semicolons, the place after one counts
  as the beginning of a cell.
- `space`, for files that are uploaded to advertising products: a space before the sign, as Google's own exports have
  it; products and readers trim it. In keywords also after a semicolon, which no product allows in a keyword.
- XLSX needs neither: text is written as text, marked to stay text when somebody edits the cell.
"""

import re

SIGNS = "=+\\-@\t\r＝＋－＠"
FORMULA_SIGNS = ("=", "＝")
"""What no keyword begins with: a cell of a text file that does, unguarded, is a formula of whoever wrote it."""
_CELL_START = re.compile(rf"(^|[;\t\n])('*)(?=[{SIGNS}])")
_GUARDED = re.compile(rf"(^|[;\t\n])'('*)(?=[{SIGNS}])")
_AFTER_SEMICOLON = re.compile(rf"(?<=[;\t\n])(?=[{SIGNS}])")
_STARTS = re.compile(rf"[{SIGNS}]")


def begins_like_a_formula(text: str) -> bool:
    """Whether a spreadsheet would take the text for a formula."""
    return bool(_STARTS.match(text))


def guard_with_apostrophe(text: str) -> str:
    """The text with an apostrophe wherever a cell could begin with a sign."""
    return _CELL_START.sub(r"\1'\2", text)


def without_apostrophe(text: str) -> str:
    """What `guard_with_apostrophe` was given."""
    return _GUARDED.sub(r"\1\2", text) if "'" in text else text


def guard_with_space(text: str, is_keyword: bool) -> str:
    """The text with a space before a leading sign, and in a keyword also after semicolons before one."""
    if is_keyword and ";" in text:
        text = _AFTER_SEMICOLON.sub(" ", text)
    return f" {text}" if begins_like_a_formula(text) else text
