"""Feedback becomes labels: what counts, what stays personal, and where people disagree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.errors import UsageError
from kr.relevance.feedback import LABELS, PERSONAL, Verdict, agreement_of, labels_of_feedback


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
    assert found.most_contested == () and found.agreement() == (None, None)
    assert found.not_my_business == (("a", "鲜花", "花店"),) and found.judgements == 1


every = st.tuples(st.sampled_from("abc"), st.sampled_from(["花店", "跑鞋", "!"]), st.sampled_from([*LABELS, PERSONAL]))


@given(st.lists(every, max_size=20))
def test_without_what_is_personal_the_labels_are_the_same_and_every_row_is_accounted_for(
    rows: list[tuple[str, str, str]],
) -> None:
    found = labels_of_feedback(verdicts(*rows))
    assert found.rows == found.replaced + found.without_text + found.judgements + len(found.not_my_business)
    assert sum(each.positive + each.negative for each in found.votes) == found.judgements
    # An account's last word on a keyword, if it is personal, takes its earlier labels away and gives none.
    last = {(account, keyword): verdict for account, keyword, verdict in rows}
    judged = [(account, keyword, last[account, keyword]) for account, keyword in last]
    kept = labels_of_feedback(verdicts(*(row for row in judged if row[2] != PERSONAL)))
    assert found.votes == kept.votes and found.pairs.keywords == kept.pairs.keywords
    assert found.pairs.labels.tolist() == kept.pairs.labels.tolist()


def test_a_row_without_visible_text_is_counted_and_left_aside() -> None:
    found = labels_of_feedback(verdicts(("a", "\u200b", "up"), ("a", "花店", "up")))
    assert (found.without_text, found.pairs.keywords) == (1, ("花店",))


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
    # Minorities of one each: 跑鞋 is the more evenly split.
    assert [(row.keyword, row.positive, row.negative) for row in found.most_contested] == [
        ("跑鞋", 1, 1),
        ("花店", 2, 1),
    ]
    # Two of three judgements of 花店 meet one that agrees and one that does not; the two of 跑鞋 none that agrees.
    assert found.agreement()[0] == pytest.approx((2 / 2 + 0) / 5)


def test_alpha_is_that_of_the_published_example() -> None:
    """Two observers, ten items, binary (Computing Krippendorff's Alpha-Reliability, 2011, example A): 0.095."""
    one, other = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    counts = np.array([[2 - a - b, a + b] for a, b in zip(one, other, strict=True)])
    observed, alpha = agreement_of(counts)
    assert observed == pytest.approx(0.6) and alpha == pytest.approx(0.095, abs=5e-4)


def naive_alpha(items: list[list[int]]) -> float | None:
    """Observed and expected disagreement from the matrix of coincidences, judgement by judgement."""
    coincidences = np.zeros((2, 2))
    for item in items:
        for place, one in enumerate(item):
            for other_place, other in enumerate(item):
                if place != other_place:
                    coincidences[one, other] += 1 / (len(item) - 1)
    total, margins = coincidences.sum(), coincidences.sum(axis=1)
    if not total or not margins.all():
        return None
    return 1 - (total - 1) * coincidences[0, 1] * 2 / (2 * margins[0] * margins[1])


@given(st.lists(st.lists(st.integers(0, 1), max_size=5), max_size=8))
def test_alpha_equals_the_matrix_of_coincidences(items: list[list[int]]) -> None:
    counts = np.array([[item.count(0), item.count(1)] for item in items], np.int64).reshape(-1, 2)
    observed, alpha = agreement_of(counts)
    assert alpha == (None if (naive := naive_alpha(items)) is None else pytest.approx(naive))
    assert (observed is None) == (not any(len(item) > 1 for item in items))


def test_perfect_agreement_is_one_and_a_single_label_leaves_alpha_open() -> None:
    assert agreement_of(np.array([[2, 0], [0, 3]])) == (1.0, 1.0)
    assert agreement_of(np.array([[2, 0], [3, 0]])) == (1.0, None)


def test_an_unknown_verdict_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="'meh' of account a"):
        labels(("a", "花店", "meh"))
