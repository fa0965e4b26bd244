"""What is searched next: which keywords are drawn, what the trees are given, and that they learn shares."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from mining import next_share_training
from mining.fusion_features import FEATURES, NAMES
from mining.fusion_labels import Confirmations
from mining.fusion_model import FusionModel
from mining.next_share_training import FollowedPairs, chance_to_be_drawn, fit_next_share, followed_pairs
from mining.pair_evidence import Pairs

KEYWORDS = 40


class MadeEvidence:
    """Every keyword with its five next ones as neighbours; the only feature tells how near."""

    keywords = pa.array([f"k{number:02d}" for number in range(KEYWORDS)])

    def __len__(self) -> int:
        return KEYWORDS

    def pairs(self) -> list[Pairs]:
        keyword = np.repeat(np.arange(KEYWORDS), 5)
        step = np.tile(np.arange(1, 6), KEYWORDS)
        features = np.zeros((len(keyword), len(FEATURES)), np.float32)
        features[:, NAMES.index("embeddings.similarity")] = 1 - step / 10
        half = len(keyword) // 2
        parts = (slice(None, half), slice(half, None))
        return [Pairs(keyword[part], (keyword + step)[part] % KEYWORDS, features[part], {}) for part in parts]


def confirmations() -> Confirmations:
    """Keyword i was followed 3·(i mod 4) times: twice in three by the next one, else by the one after."""
    times = np.arange(KEYWORDS) % 4
    row = np.tile(np.arange(KEYWORDS), 2)
    column = np.concatenate([(np.arange(KEYWORDS) + 1) % KEYWORDS, (np.arange(KEYWORDS) + 2) % KEYWORDS])
    counts = csr_array((np.concatenate([2 * times, times]), (row, column)), shape=(KEYWORDS, KEYWORDS))
    nothing = csr_array((KEYWORDS, 1), dtype=np.int32)
    return Confirmations(np.ones(KEYWORDS, np.int64), counts, nothing, nothing, nothing)


def test_pairs_carry_the_share_of_the_searches_that_followed() -> None:
    found = followed_pairs(MadeEvidence(), confirmations())  # type: ignore[arg-type]
    followed = 3 * (np.arange(KEYWORDS) % 4)
    asked = np.repeat(np.arange(KEYWORDS), 5)[followed[np.repeat(np.arange(KEYWORDS), 5)] > 0]
    assert found.weight.tolist() == followed[asked].tolist()
    assert found.share == pytest.approx(np.tile([2 / 3, 1 / 3, 0, 0, 0], len(asked) // 5))
    assert found.card == {"keywords": 30, "pairs": 150, "searches": 180, "found": 180}


def test_of_too_many_pairs_those_of_followed_keywords_are_drawn_first(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = followed_pairs(MadeEvidence(), confirmations())  # type: ignore[arg-type]
    monkeypatch.setattr(next_share_training, "MOST_PAIRS", 60)
    some = followed_pairs(MadeEvidence(), confirmations())  # type: ignore[arg-type]
    assert 0 < len(some.share) < len(whole.share)
    # Whoever was drawn stands for those who were not: followed / chance is the same for all that might not be drawn.
    assert len(set(some.weight.round(6).tolist())) == 1


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), min_size=1, max_size=30), st.integers(1, 300)
)  # fmt: skip
def test_chances_grow_with_what_followed_and_expect_as_many_pairs_as_wanted(
    cases: list[tuple[int, int]], most: int
) -> None:
    followed, pairs_of = (np.array([case[side] for case in cases]) for side in (0, 1))
    chance = chance_to_be_drawn(followed, pairs_of, most)
    assert (chance[followed == 0] == 0).all() and chance.max(initial=0) <= 1
    assert (np.diff(chance[np.argsort(followed, kind="stable")]) >= -1e-12).all()
    possible = pairs_of[followed > 0].sum()
    assert (chance * pairs_of).sum() == pytest.approx(min(most, possible), rel=1e-6)


def test_the_trees_tell_shares_where_everything_is_confirmed() -> None:
    """All pairs came true, half of them ten times as often: what a confirmation cannot tell, a share does."""
    features = np.zeros((4000, len(FEATURES)), np.float32)
    often = np.arange(4000) % 2 == 0
    features[often, NAMES.index("cooccurrence.weight")] = 3
    pairs = FollowedPairs(features, np.where(often, 0.2, 0.02), np.full(4000, 50.0), {})
    trees = fit_next_share(pairs)
    model = FusionModel(trees, trees, (0.0, 0.0), np.zeros(1), np.ones(1), {})
    shares = model.next_share(features)
    assert shares[often] == pytest.approx(0.2, abs=0.01) and shares[~often] == pytest.approx(0.02, abs=0.01)
    assert fit_next_share(pairs) == trees
