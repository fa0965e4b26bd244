"""Kernels of the choice under a budget. Plain twins are in the tests.

A problem: items (keywords) in order of who serves first; pairs of an item and a query that it reaches, those of item i
at `offsets[i]..offsets[i + 1]`; `after[p]` is the pair of the same query with the next item, -1 if there is none,
`before[p]` the one before. `value` and `cost` float64 (pairs, bids) are what the pair's query brings its item at each
bid if it serves it. A choice is an int64 array (items,): the bid, or -1 for not bought. A query is served by the first
item bought that reaches it.
"""

import numpy as np

from indexes.arrays import Array
from indexes.compiled import njit


@njit
def serves(pair: int, before: Array, item: Array, choice: Array) -> bool:
    """Whether no item before the pair's is bought that reaches its query."""
    other = before[pair]
    while other >= 0:
        if choice[item[other]] >= 0:
            return False
        other = before[other]
    return True


@njit
def next_bought(pair: int, after: Array, item: Array, choice: Array) -> int:
    """The first pair after this one whose item is bought, or -1."""
    other = after[pair]
    while other >= 0 and choice[item[other]] < 0:
        other = after[other]
    return other


@njit
def totals(offsets: Array, item: Array, before: Array, value: Array, cost: Array, choice: Array) -> tuple[float, float]:
    """Value and cost of a choice."""
    gained, spent = 0.0, 0.0
    for own in range(len(choice)):
        bid = choice[own]
        if bid >= 0:
            for pair in range(offsets[own], offsets[own + 1]):
                if serves(pair, before, item, choice):
                    gained += value[pair, bid]
                    spent += cost[pair, bid]
    return gained, spent


@njit
def gains(
    own: int, offsets: Array, item: Array, before: Array, after: Array, value: Array, cost: Array, choice: Array,
    gained: Array, spent: Array,
) -> None:  # fmt: skip
    """What each bid of one item would add to the rest of a choice, into float64 (bids,) arrays."""
    gained[:] = 0.0
    spent[:] = 0.0
    for pair in range(offsets[own], offsets[own + 1]):
        if serves(pair, before, item, choice):
            other = next_bought(pair, after, item, choice)
            lost_value, lost_cost = 0.0, 0.0
            if other >= 0:
                lost_value = value[other, choice[item[other]]]
                lost_cost = cost[other, choice[item[other]]]
            for bid in range(value.shape[1]):
                gained[bid] += value[pair, bid] - lost_value
                spent[bid] += cost[pair, bid] - lost_cost


@njit
def ascend(
    price: float, offsets: Array, item: Array, before: Array, after: Array, value: Array, cost: Array, choice: Array,
    passes: int,
) -> None:  # fmt: skip
    """Improve value − price · cost item by item, in place, until nothing changes or so many passes are done."""
    gained, spent = np.empty(value.shape[1]), np.empty(value.shape[1])
    for _ in range(passes):
        changed = False
        for own in range(len(choice)):
            gains(own, offsets, item, before, after, value, cost, choice, gained, spent)
            best, worth = -1, 0.0
            for bid in range(value.shape[1]):
                if gained[bid] - price * spent[bid] > worth + 1e-12 * (1.0 + abs(worth)):
                    best, worth = bid, gained[bid] - price * spent[bid]
            if best != choice[own]:
                choice[own] = best
                changed = True
        if not changed:
            return


@njit
def relaxed(price: float, first: Array, after: Array, value: Array, cost: Array) -> tuple[float, float]:
    """The most value − price · cost if each query were served by whatever pair and bid is best for it, and that cost.

    `first` are the first pairs of all queries.
    """
    worth, spent = 0.0, 0.0
    for start in first:
        best, paid, pair = 0.0, 0.0, start
        while pair >= 0:
            for bid in range(value.shape[1]):
                if value[pair, bid] - price * cost[pair, bid] > best:
                    best = value[pair, bid] - price * cost[pair, bid]
                    paid = cost[pair, bid]
            pair = after[pair]
        worth += best
        spent += paid
    return worth, spent


@njit
def best_move(
    room: float, skipped: int, offsets: Array, item: Array, before: Array, after: Array, value: Array, cost: Array,
    choice: Array, by_value: bool,
) -> tuple[int, int, float, float]:  # fmt: skip
    """The change of one item (not the `skipped`) that gains the most for its cost, or the most (`by_value`), and costs
    no more than there is room for: (item, bid, gain, cost); (-1, -1, 0, 0) if none gains."""
    gained, spent = np.empty(value.shape[1]), np.empty(value.shape[1])
    found, found_bid, found_gain, found_cost, found_worth = -1, -1, 0.0, 0.0, 0.0
    for own in range(len(choice)):
        if own == skipped:
            continue
        gains(own, offsets, item, before, after, value, cost, choice, gained, spent)
        now = choice[own]
        now_value, now_cost = (gained[now], spent[now]) if now >= 0 else (0.0, 0.0)
        for bid in range(value.shape[1]):
            gain, extra = gained[bid] - now_value, spent[bid] - now_cost
            if bid != now and gain > 1e-12 and extra <= room:
                worth = gain if by_value else gain / max(extra, 1e-9)
                if worth > found_worth:
                    found, found_bid, found_gain, found_cost, found_worth = own, bid, gain, extra, worth
    return found, found_bid, found_gain, found_cost


@njit
def branch_and_bound(
    budget: float, price: float, offsets: Array, item: Array, after: Array, query: Array, queries: int,
    value: Array, cost: Array, choice: Array, best_value: float, node_limit: int,
) -> tuple[float, bool]:  # fmt: skip
    """The best choice within the budget, written into `choice` if it beats `best_value`, and whether that is proven.

    Items are decided in order, so that what an item serves is final once it is decided. The bound of what is left is
    the Lagrangian one at `price`: each query not yet served by whatever undecided pair is best for it.
    """
    items, bids = len(choice), value.shape[1]
    # What the best of a pair and those after it is worth to its query at this price.
    ahead = np.zeros(len(item))
    for pair in range(len(item) - 1, -1, -1):
        best = 0.0
        for bid in range(bids):
            best = max(best, value[pair, bid] - price * cost[pair, bid])
        if after[pair] >= 0:
            best = max(best, ahead[after[pair]])
        ahead[pair] = best
    server = np.full(queries, -1)
    left = np.zeros(items + 1)
    gained, spent = np.zeros(items + 1), np.zeros(items + 1)
    tried = np.full(items, -2)
    current = np.full(items, -1)
    seen = np.zeros(queries, np.bool_)
    for pair in range(len(item)):
        if not seen[query[pair]]:
            seen[query[pair]] = True
            left[0] += ahead[pair]
    depth, nodes = 0, 0
    tolerance = 1e-9 * (1.0 + abs(best_value))
    while depth >= 0:
        if depth == items:
            if gained[depth] > best_value + tolerance:
                best_value = gained[depth]
                choice[:] = current
            depth -= 1
            continue
        if tried[depth] > -2:
            # Take back what this item served.
            for pair in range(offsets[depth], offsets[depth + 1]):
                if server[query[pair]] == depth:
                    server[query[pair]] = -1
        # Dear bids first, "not bought" last.
        tried[depth] = bids - 1 if tried[depth] == -2 else tried[depth] - 1
        if tried[depth] < -1:
            tried[depth] = -2
            depth -= 1
            continue
        nodes += 1
        if nodes > node_limit:
            return best_value, False
        bid = tried[depth]
        current[depth] = bid
        gained[depth + 1], spent[depth + 1], left[depth + 1] = gained[depth], spent[depth], left[depth]
        for pair in range(offsets[depth], offsets[depth + 1]):
            if server[query[pair]] < 0:
                left[depth + 1] -= ahead[pair]
                if bid >= 0:
                    server[query[pair]] = depth
                    gained[depth + 1] += value[pair, bid]
                    spent[depth + 1] += cost[pair, bid]
                elif after[pair] >= 0:
                    left[depth + 1] += ahead[after[pair]]
        bound = gained[depth + 1] + price * (budget - spent[depth + 1]) + left[depth + 1]
        if spent[depth + 1] <= budget * (1 + 1e-12) and bound > best_value + tolerance:
            depth += 1
            if depth < items:
                tried[depth] = -2
    return best_value, True
