"""Which bid of a plan serves each typed text, beside the plain loop over texts and bids."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexes.text import normalise, tokens
from mining.typed_texts import Bid, TypedTexts

_WORDS = ["red", "rose", "roses", "shop", "cheap", "鲜花", "北京", "生日"]
_GROUPS = {"rose": 1, "roses": 1, "red rose": 2, "red roses": 2, "rose shop": 3, "shop rose": 3, "鲜花": 4}


def group_of(text: str) -> int:
    """Groups of close variants; most texts are in none."""
    return _GROUPS.get(text, -1)


def served_by(text: str, bids: list[Bid]) -> int:
    """The plain rule: exact first, then phrase, then broad; of one kind the bid with more words, then the first."""
    for place, bid in enumerate(bids):
        own = normalise(bid.text)
        if bid.match_type == "EXACT" and (own == text or (group_of(own) >= 0 and group_of(own) == group_of(text))):
            return place
    for match_type in ("PHRASE", "BROAD"):
        for _, place in sorted((-len(tokens(normalise(bid.text))), place) for place, bid in enumerate(bids)):
            bid = bids[place]
            own = normalise(bid.text)
            holds = set(tokens(own)) <= set(tokens(text)) and (match_type == "BROAD" or own in text)
            if bid.match_type == match_type and holds:
                return place
    return -1


texts = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=4).map(" ".join)
bids = st.builds(Bid, texts, st.sampled_from(["EXACT", "PHRASE", "BROAD"]), st.just(1_000_000))


@given(st.lists(texts, min_size=1, max_size=30), st.lists(bids, max_size=12))
def test_every_text_is_served_by_the_bid_that_the_plain_rule_names(typed: list[str], plan: list[Bid]) -> None:
    found = TypedTexts(typed).variants(group_of).owners(plan)
    assert found.dtype == np.int64
    assert found.tolist() == [served_by(normalise(text), plan) for text in typed]


def test_a_text_without_a_group_is_served_by_a_bid_on_itself_only() -> None:
    variants = TypedTexts(["cheap shop", "shop cheap", "Cheap  Shop"]).variants(group_of)
    plan = [Bid("red shop", "EXACT", 1), Bid("cheap shop", "EXACT", 1), Bid("cheap shop", "EXACT", 2)]
    assert variants.owners(plan).tolist() == [1, -1, 1]
