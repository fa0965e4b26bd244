"""What became of every row of an imported file: the counts, and the rows that were not taken, each with its reason."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

REASON_TEXTS: dict[str, tuple[str, str]] = {
    "no_keyword": ("the keyword is empty", "关键词为空"),
    "not_a_keyword": (
        "describes something other than a keyword, such as a campaign or an ad",
        "不是关键词行（如广告系列、广告）",
    ),
    "total_row": ("a line of totals", "合计行"),
    "repeated_header": ("the header again", "重复的表头行"),
    "duplicate": ("an earlier row says the same", "与前面的行重复"),
    "wrong_columns": ("has more or fewer columns than the header", "列数与表头不一致"),
    "torn_line": ("the file ends in the middle of this row", "文件在此行中断"),
    "unbalanced_quote": ("a quote is opened and not closed", "引号未闭合"),
    "malformed_quote": ("text stands after a closing quote", "引号后有多余文字"),
    "control_character": ("holds a NUL or another control character", "含有 NUL 或其他控制字符"),
    "undecodable": ("holds bytes that are no text in the file's encoding", "含有无法按文件编码读取的字节"),
    "keyword_too_long": ("the keyword is too long to be searched for", "关键词过长，无法搜索"),
    "huge_cell": ("a cell is too long", "单元格过长"),
    "huge_row": ("the line is too long", "行过长"),
    "formula": ("is a formula, not text", "是公式而不是文字"),
    "error_value": ("is an error of the spreadsheet, such as #N/A", "是表格错误值（如 #N/A）"),
    "date": ("was turned into a date by the spreadsheet", "被表格软件转换成了日期"),
    "unknown_match_type": ("the match type is not one that is known", "无法识别的匹配方式"),
    "unreadable_bid": ("the bid is not an amount", "出价不是金额"),
    "unreadable_number": ("holds a number that cannot be read", "含有无法读取的数字"),
    "not_json": ("is not a row in JSON", "不是 JSON 格式的行"),
}
"""Why a row is not taken, in English and Chinese."""

WARNING_TEXTS: dict[str, tuple[str, str]] = {
    "other_separator": ("rows separated by another character than the rest", "行的分隔符与其余行不同"),
    "kept_as_text": ("values that were not understood and are kept as text", "未能识别、按文字保留的值"),
    "duplicates": ("rows that say the same as an earlier one; kept and marked", "与前面重复的行（已保留并标记）"),
}

EXCERPT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was not taken: where it is, which field is wrong, why, and the beginning of what stood there."""

    line: int
    reason: str
    field: str = ""
    value: str = ""
    sheet: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON shows it, with the reason in words."""
        english, chinese = REASON_TEXTS[self.reason]
        # What cannot be shown (controls, lone surrogates) is shown as its escape: this goes to terminals and pages.
        value = "".join(
            character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
            for character in self.value[:EXCERPT_CHARS]
        )
        place = {"line": self.line} | ({"sheet": self.sheet} if self.sheet else {})
        return {
            **place,
            "field": self.field,
            "reason": self.reason,
            "text_en": english,
            "text_zh": chinese,
            "value": value,
        }


@dataclass
class ImportReport:
    """The accounting: `read` = `kept` + `rejected`, and `reasons` adds up to `rejected`.

    `set_aside` counts the lines that hold no row: preamble, header, blank, and those of sheets without keywords.
    """

    format: str = ""
    container: str = ""
    encoding: str | None = None
    delimiter: str | None = None
    decimal_mark: str = "."
    read: int = 0
    kept: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    set_aside: Counter[str] = field(default_factory=Counter)
    columns: dict[str, str | None] = field(default_factory=dict)
    months: tuple[str, ...] = ()

    @property
    def rejected(self) -> int:
        """Rows that were not taken."""
        return self.reasons.total()

    def as_dict(self) -> dict[str, Any]:
        """As JSON shows it; counters in the order of their names."""
        counted = {name: dict(sorted(getattr(self, name).items())) for name in ("reasons", "warnings", "set_aside")}
        fields = asdict(self)
        del fields["months"]
        head = {name: fields.pop(name) for name in ("format", "read", "kept")}
        return {**head, "rejected": self.rejected, **fields, **counted}
