"""What becomes of each keyword that a caller wants scored: nothing is added, nothing left out, the order stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from indexes.text import normalise


class ScoreStatus(StrEnum):
    """Why a keyword has a score, or none."""

    SCORED = "scored"
    KNOWN = "known"
    """Its numbers are known, but nothing was searched for to compare it with."""
    NEVER_SEARCHED = "never_searched"
    UNSAFE = "unsafe"
    WITHOUT_WORDS = "without_words"


STATUS_TEXTS: dict[ScoreStatus, tuple[str, str]] = {
    ScoreStatus.SCORED: ("scored against the search", "已按搜索词评分"),
    ScoreStatus.KNOWN: ("nothing was searched for to compare it with", "没有可比较的搜索词"),
    ScoreStatus.NEVER_SEARCHED: ("nobody searched it in the period of the log", "日志期间没有人搜索"),
    ScoreStatus.UNSAFE: ("of a category that this platform does not advertise", "属于本平台不予推广的类别"),
    ScoreStatus.WITHOUT_WORDS: ("has no visible character", "没有可见字符"),
}


@dataclass(frozen=True)
class KeywordScore:
    """One keyword as it was given, its identity, and its row (`kr.rows`), None without one."""

    given: str
    text: str
    status: ScoreStatus
    row: Mapping[str, Any] | None

    def as_data(self, columns: Sequence[str]) -> dict[str, Any]:
        """A flat row: what is unknown of these columns is None, or empty where it is a list."""
        english, chinese = STATUS_TEXTS[self.status]
        row = self.row or {}
        empty: dict[str, Any] = {name: [] for name in LISTS}
        return {
            "given": self.given,
            **{name: row.get(name, empty.get(name)) for name in columns},
            "text": self.text,
            "status": self.status.value,
            "status_text_en": english,
            "status_text_zh": chinese,
        }


LISTS = frozenset(
    ("monthly_search_volumes", "close_variants", "matched_terms", "missed_terms", "added_terms", "reasons")
)


def scores_in_order(
    given: Sequence[str],
    rows: Mapping[str, Mapping[str, Any]],
    unsafe: frozenset[str],
    status: ScoreStatus,
) -> tuple[KeywordScore, ...]:
    """One score a keyword given, repeats too. `rows` are the known ones by identity, `status` is what they have."""
    scores = []
    for keyword in given:
        text = normalise(keyword)
        if not text:
            scores.append(KeywordScore(keyword, text, ScoreStatus.WITHOUT_WORDS, None))
        elif text in unsafe:
            scores.append(KeywordScore(keyword, text, ScoreStatus.UNSAFE, None))
        elif text in rows:
            scores.append(KeywordScore(keyword, text, status, rows[text]))
        else:
            scores.append(KeywordScore(keyword, text, ScoreStatus.NEVER_SEARCHED, None))
    return tuple(scores)
