"""Topics: planted ones come out, documents decide them and nothing else, and too little gives none."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csc_array

from mining.settings import MiningSettings
from mining.topics import MIN_DOCUMENTS, pair_coherence, train_topics

WORDS = {topic: [f"{topic}{number}" for number in range(12)] for topic in ("flower", "shoe", "loan")}


def corpus(documents: int = MIN_DOCUMENTS) -> list[list[str]]:
    """Documents of one topic each, with a word of all topics now and then."""
    generator = random.Random(1)
    topics = list(WORDS)
    return [
        [*generator.sample(WORDS[topics[number % 3]], 4), *generator.sample(["buy", "price", "near"], 1)]
        for number in range(documents)
    ]


@pytest.fixture(scope="module")
def settings() -> MiningSettings:
    return MiningSettings.model_validate({"topics": 6})


def test_words_of_one_planted_topic_are_nearer_to_each_other_than_to_any_other(settings: MiningSettings) -> None:
    terms, topics = train_topics(corpus(), settings)
    assert topics.num_rows == 6 and terms.num_rows == 36, "words of a third of all documents are left out"
    vector = {row["term"]: np.array(row["vector"]) for row in terms.to_pylist()}
    near = {topic: sum(vector[word] for word in words[:6]) for topic, words in WORDS.items()}
    for topic, words in WORDS.items():
        for word in words[6:]:
            cosine = {other: vector[word] @ centre / np.linalg.norm(centre) for other, centre in near.items()}
            assert max(cosine, key=cosine.__getitem__) == topic
    first = topics.to_pylist()[0]
    assert len({term.rstrip("0123456789") for term in first["terms"]}) == 1
    assert topics["strength"].to_pylist() == sorted(topics["strength"].to_pylist(), reverse=True)


def test_the_same_documents_give_the_same_rows_and_say_in_how_many_a_word_stands(settings: MiningSettings) -> None:
    documents = corpus()
    terms, topics = train_topics(documents, settings)
    again = train_topics([list(words) for words in documents], settings)
    assert (terms, topics) == again
    for row in terms.to_pylist():
        assert row["documents"] == sum(row["term"] in words for words in documents)


def test_a_small_log_and_a_vocabulary_of_few_words_have_no_topics(settings: MiningSettings) -> None:
    for documents in (corpus(MIN_DOCUMENTS - 1), [["same", "words"]] * MIN_DOCUMENTS, []):
        assert [table.num_rows for table in train_topics(documents, settings)] == [0, 0]
    assert train_topics(corpus(), MiningSettings.model_validate({"topics": 0}))[0].num_rows == 0


@given(st.lists(st.sets(st.integers(0, 4), max_size=5), min_size=1, max_size=30))
def test_the_coherence_of_terms_is_that_of_a_count_pair_by_pair(documents: list[set[int]]) -> None:
    holds = csc_array(np.array([[term in words for term in range(5)] for words in documents], np.float64))
    scores = []
    for one, other in itertools.combinations(range(5), 2):
        both = sum({one, other} <= words for words in documents) / len(documents)
        alone = [sum(term in words for words in documents) / len(documents) for term in (one, other)]
        if both == 0:
            scores.append(-1.0)
        elif both == 1:
            scores.append(1.0)
        else:
            scores.append(np.log(both / (alone[0] * alone[1])) / -np.log(both))
    assert pair_coherence(holds) == pytest.approx(sum(scores) / len(scores))
