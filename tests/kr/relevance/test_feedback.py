"""Feedback becomes labels: what counts, what stays personal, and where people disagree."""

import pytest

from indexes.errors import UsageError
from kr.relevance.feedback import Verdict, labels_of_feedback


def verdicts(*rows: tuple[str, str, str]) -> list[Verdict]:
    """Rows of account, keyword and verdict on the query 鲜花, a second apart."""
    return [
        Verdict(float(ts), account, "鲜花", keyword, verdict) for ts, (account, keyword, verdict) in enumerate(rows)
    ]


def labels(*rows: tuple[str, str, str]) -> dict[str, float]:
    pairs = labels_of_feedback(verdicts(*rows)).pairs
    return dict(zip(pairs.keywords, pairs.labels.tolist(), strict=True))


def test_not_my_business_is_personal_and_never_a_label() -> None:
    found = labels_of_feedback(verdicts(("a", "花店", "not_my_business"), ("b", "花店", "up")))
    assert found.personal == (("a", "花店"),)
    assert found.pairs.keywords == ("花店",) and found.pairs.labels.tolist() == [1.0]
    assert found.disagreements == () and found.agreement is None


def test_the_last_verdict_of_an_account_counts_in_any_order() -> None:
    rows = verdicts(("a", "花店", "up"), ("a", "花店", "irrelevant"), ("a", "花 店", "up"), ("a", "Ｘ", "saved"))
    assert labels_of_feedback(rows).pairs.labels.tolist() == labels_of_feedback(rows[::-1]).pairs.labels.tolist()
    assert labels(("a", "花店", "up"), ("a", "花店", "irrelevant")) == {"花店": 0.0}


def test_the_majority_decides_and_a_tie_is_left_out() -> None:
    rows = [("a", "花店", "up"), ("b", "花店", "saved"), ("c", "花店", "irrelevant"), ("a", "跑鞋", "up"),
            ("b", "跑鞋", "irrelevant")]  # fmt: skip
    assert labels(*rows) == {"花店": 1.0}
    found = labels_of_feedback(verdicts(*rows))
    assert found.ties == 1
    assert [(row.keyword, row.positive, row.negative) for row in found.disagreements] == [
        ("花店", 2, 1),
        ("跑鞋", 1, 1),
    ]
    # Of the ordered pairs of judges, two of six agree on 花店 and none of two on 跑鞋.
    assert found.agreement == pytest.approx(2 / 8)


def test_an_unknown_verdict_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="'meh' of account a"):
        labels(("a", "花店", "meh"))
