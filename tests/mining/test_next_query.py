"""Questions, metrics and systems of next-query prediction against plain Python on tiny sessions."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.arrays import offsets_from_counts
from mining.fusion_features import FEATURES
from mining.next_query import (
    BANDS,
    CURRENT,
    CUT,
    SESSION,
    UNKNOWN,
    Histories,
    Questions,
    ask,
    bands_of,
    best_of_rows,
    metrics,
    reciprocal_ranks,
)
from mining.next_query_peers import Popularity, peers
from mining.next_query_systems import HISTORY_DECAY, PairSystem
from mining.pair_evidence import Pairs
from mining.session_sequences import SessionSequences

KEYWORDS = 6
Sessions = list[list[int]]

some_sessions = st.lists(st.lists(st.integers(0, KEYWORDS - 1), min_size=1, max_size=7), max_size=6)


def sequences(sessions: Sessions) -> SessionSequences:
    return SessionSequences(
        pa.array([f"k{number}" for number in range(KEYWORDS)]),
        offsets_from_counts(np.array([len(session) for session in sessions], np.int64)),
        np.array([keyword for session in sessions for keyword in session], np.int32),
        np.arange(len(sessions), dtype=np.int64) // 2,
    )


def naive_questions(sessions: Sessions, known: list[int]) -> list[tuple[int, int, list[int]]]:
    asked = []
    for session in sessions:
        for place in range(1, len(session)):
            before = session[:place]
            if session[place] in before:
                continue
            latest = [keyword for at, keyword in enumerate(before) if keyword not in before[at + 1 :]]
            history = [known[keyword] for keyword in latest if known[keyword] != UNKNOWN]
            asked.append((known[session[place]], known[before[-1]], history))
    return asked


def histories_of(rows: list[list[int]]) -> Histories:
    counts = np.array([len(row) for row in rows], np.int64)
    return Histories(offsets_from_counts(counts), np.array([keyword for row in rows for keyword in row], np.int64))


def rows_of(histories: Histories) -> list[list[int]]:
    bounds = zip(histories.offsets, histories.offsets[1:], strict=False)
    return [histories.keyword[begin:end].tolist() for begin, end in bounds]


@given(some_sessions, st.sets(st.integers(0, KEYWORDS - 1)))
def test_every_new_keyword_of_a_session_is_asked_for_once(sessions: Sessions, unknown: set[int]) -> None:
    known = [UNKNOWN if keyword in unknown else keyword + 10 for keyword in range(KEYWORDS)]
    questions = ask(sequences(sessions), np.array(known))
    found = zip(questions.target.tolist(), questions.current.tolist(), rows_of(questions.histories), strict=True)
    assert list(found) == naive_questions(sessions, known)
    histories, place = questions.given(CURRENT)
    given = rows_of(histories)
    expected = [[] if current == UNKNOWN else [current] for current in questions.current.tolist()]
    assert [given[row] for row in place.tolist()] == expected
    assert questions.given(SESSION)[0] is questions.histories


def test_sessions_of_one_query_ask_nothing() -> None:
    assert len(ask(sequences([[1], [2], [2]]), np.arange(KEYWORDS))) == 0


@given(
    st.lists(
        st.tuples(
            st.integers(UNKNOWN, KEYWORDS - 1), st.lists(st.integers(0, KEYWORDS - 1), unique=True, max_size=CUT)
        ),
        min_size=1,
        max_size=12,
    ),
    st.data(),
)
def test_metrics_equal_a_naive_count(cases: list[tuple[int, list[int]]], data: st.DataObject) -> None:
    target = np.array([case[0] for case in cases])
    named = np.array([case[1] + [UNKNOWN] * (CUT - len(case[1])) for case in cases])
    band = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(cases), max_size=len(cases))))
    naive = [1 / (answer.index(right) + 1) if right in answer else 0.0 for right, answer in cases]
    assert reciprocal_ranks(named, target).tolist() == naive
    questions = Questions(target, target, np.arange(len(cases)), histories_of([[] for _ in cases]))
    [row] = metrics([named], questions, band)
    assert row["mrr_at_10"] == pytest.approx(np.mean(naive), abs=1e-4)
    assert row["recall_at_10"] == pytest.approx(np.mean([rank > 0 for rank in naive]), abs=1e-4)
    assert row["coverage"] == pytest.approx(np.mean([bool(answer) for _, answer in cases]), abs=1e-4)
    for place, name in enumerate(BANDS):
        inside = [rank for rank, of in zip(naive, band.tolist(), strict=True) if of == place]
        expected = pytest.approx(np.mean(inside), abs=1e-4) if inside else None
        assert row[f"mrr_at_10_{name}"] == expected
        assert (row[f"mrr_at_10_{name}_interval"] is None) == (not inside)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_bands_are_thirds_of_the_searches_and_new_keywords_are_tail(searches: list[int]) -> None:
    found = bands_of(np.array(searches), np.array([*range(len(searches)), UNKNOWN])).tolist()
    assert found[-1] == BANDS.index("tail")
    before = 0
    for keyword in sorted(range(len(searches)), key=lambda one: (-searches[one], one)):
        assert found[keyword] == min(before * 3 // max(sum(searches), 1), 2)
        before += searches[keyword]


scores = st.dictionaries(
    st.tuples(st.integers(0, KEYWORDS - 1), st.integers(0, KEYWORDS - 1)), st.sampled_from([0.0, 0.25, 0.5, 1.0])
)
some_histories = st.lists(st.lists(st.integers(0, KEYWORDS - 1), unique=True, max_size=4), max_size=5)


@given(scores, some_histories)
def test_pairs_are_ranked_by_their_sum_over_the_history(
    score: dict[tuple[int, int], float], histories: list[list[int]]
) -> None:
    keys = sorted(score)
    keyword, neighbor = (np.array([key[side] for key in keys], np.int64) for side in (0, 1))
    pairs = Pairs(keyword, neighbor, np.zeros((len(keys), len(FEATURES)), np.float32), {})
    system = PairSystem("one", pairs, np.array([score[key] for key in keys]), KEYWORDS)
    found = system.predict(histories_of(histories))
    for row, history in zip(found.tolist(), histories, strict=True):
        sums: Counter[int] = Counter()
        for age, given_keyword in enumerate(reversed(history)):
            for other in range(KEYWORDS):
                sums[other] += HISTORY_DECAY**age * score.get((given_keyword, other), 0.0)
        ranked = sorted(
            (other for other in sums if sums[other] > 0 and other not in history), key=lambda o: (-sums[o], o)
        )
        assert row == ranked + [UNKNOWN] * (CUT - len(ranked))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 3)), unique_by=lambda r: r[:2]))
def test_the_best_of_each_row_are_kept(entries: list[tuple[int, int, int]]) -> None:
    row, column, score = (np.array([entry[side] for entry in entries], np.int64) for side in range(3))
    for number, found in enumerate(best_of_rows(row, column, score, 3).tolist()):
        ranked = [one for _, one in sorted((-value, other) for own, other, value in entries if own == number)][:CUT]
        assert found == ranked + [UNKNOWN] * (CUT - len(ranked))


@given(some_histories)
def test_popularity_names_the_most_searched_that_are_new(histories: list[list[int]]) -> None:
    searches = np.array([5, 9, 9, 1, 0, 2])
    order = [1, 2, 0, 5, 3, 4]
    for row, history in zip(Popularity(searches).predict(histories_of(histories)).tolist(), histories, strict=True):
        new = [keyword for keyword in order if keyword not in history]
        assert row == new + [UNKNOWN] * (CUT - len(new))


@settings(max_examples=5)
@given(some_histories)
def test_peers_name_what_is_searched_together_and_nothing_that_was_given(histories: list[list[int]]) -> None:
    # 0, 1 and 2 are one need, 3 and 4 another, 5 is alone.
    sessions = [[0, 1, 2], [1, 2, 0], [2, 0], [3, 4], [4, 3], [3, 4], [5]] * 4
    searches = np.bincount(np.concatenate(sessions), minlength=KEYWORDS)
    found = {system.name: system for system in peers(sequences(sessions), searches)}
    assert len(found) == 6
    for system in found.values():
        for row, history in zip(system.predict(histories_of(histories)).tolist(), histories, strict=True):
            named = [keyword for keyword in row if keyword != UNKNOWN]
            assert not set(named) & set(history) and len(named) == len(set(named))
    # Six words are too few for word2vec to learn from by drawing others as wrong ones.
    for name in ("item-kNN, cosine (implicit)", "item-kNN, BM25 (implicit)", "ALS (implicit)"):
        first = found[name].predict(histories_of([[3], [0, 1]]))[:, 0]
        assert first.tolist() == [4, 2], name
