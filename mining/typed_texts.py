"""The texts that people typed in a simulated market, and which bid of a plan serves each of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array
from indexes.text import normalise, tokens

_NARROWNESS = {"EXACT": 0, "PHRASE": 1, "BROAD": 2}


@dataclass(frozen=True)
class Bid:
    """One bid of a plan; `group` names the set that it belongs to."""

    text: str
    match_type: str
    bid_micros: int
    group: str = ""


class TypedTexts:
    """The typed texts, normalised and in the order of their numbers, with the numbers that hold each word."""

    def __init__(self, typed: Sequence[str]) -> None:
        self.texts = [normalise(text) for text in typed]
        holding: dict[str, list[int]] = {}
        for number, text in enumerate(self.texts):
            for word in set(tokens(text)):
                holding.setdefault(word, []).append(number)
        self._holding = {word: np.array(numbers, np.int64) for word, numbers in holding.items()}

    def variants(self, group_of: Callable[[str], int]) -> "CloseVariants":
        """The typed texts with their groups of close variants, as `group_of` a normalised text says (-1: unknown)."""
        return CloseVariants(self, group_of)

    def holding(self, text: str, in_one_piece: bool) -> Array:
        """Numbers of the typed texts that hold all words of a normalised text, rising."""
        numbers: Array | None = None
        for word in set(tokens(text)):
            found = self._holding.get(word, np.empty(0, np.int64))
            numbers = found if numbers is None else numbers[np.isin(numbers, found, assume_unique=True)]
        if numbers is None:
            numbers = np.arange(len(self.texts))
        if in_one_piece:
            return np.array([number for number in numbers.tolist() if text in self.texts[number]], np.int64)
        return numbers


class CloseVariants:
    """Which bid of a plan serves each typed text, where the groups of close variants are known."""

    def __init__(self, typed: TypedTexts, group_of: Callable[[str], int]) -> None:
        self._typed, self._group_of = typed, group_of
        # A text without a group is its own variant only: numbers below zero, one a text.
        self._alone: dict[str, int] = {}
        self._numbers: dict[int, list[int]] = {}
        for number, text in enumerate(typed.texts):
            self._numbers.setdefault(self._variant(text), []).append(number)

    def owners(self, bids: Sequence[Bid]) -> Array:
        """The place of the bid that serves each typed text, -1 none: int64 (typed texts,).

        Exact bids serve close variants, broad ones the texts that hold their words, phrase ones those that hold them in
        one piece; the narrowest match serves first, then the one with more words, then the one named first.
        """
        texts = [normalise(bid.text) for bid in bids]
        order = sorted(
            range(len(bids)),
            key=lambda place: (
                _NARROWNESS[bids[place].match_type],
                0 if bids[place].match_type == "EXACT" else -len(tokens(texts[place])),
                place,
            ),
        )
        owners = np.full(len(self._typed.texts), -1, np.int64)
        # The last to write a place keeps it: from the last that serves to the first.
        for place in reversed(order):
            if bids[place].match_type == "EXACT":
                served = self._numbers.get(self._variant(texts[place]), [])
                owners[served] = place
            else:
                owners[self._typed.holding(texts[place], bids[place].match_type == "PHRASE")] = place
        return owners

    def _variant(self, text: str) -> int:
        group = self._group_of(text)
        return group if group >= 0 else self._alone.setdefault(text, -1 - len(self._alone))
