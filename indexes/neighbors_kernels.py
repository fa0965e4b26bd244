"""The compiled reader of `indexes.neighbors`: what `Neighbors._read_plain` does, pair by pair."""

import numpy as np

from indexes.arrays import Array
from indexes.compiled import njit
from indexes.neighbors_write import STRENGTH_STEPS

_STEPS = np.float32(STRENGTH_STEPS)


@njit
def read_lists(
    records: Array,
    offsets: Array,
    ranks: Array,
    strengths: Array,
    first_rows: Array,
    id_bits: int,
    keyword_ids: Array,
    keyword_count: int,
    position_of: Array,
    neighbor_of: Array,
    row_of: Array,
    strength_of: Array,
) -> Array:
    """Fill the four arrays (miners, pairs asked for) and return how many entries each miner has, int64 (miners,).

    Nothing is returned, int64 (0,), if a list leads out of its file.
    """
    miners = ranks.shape[1]
    width = np.int64(id_bits + miners)
    pair_count = np.int64(offsets[len(offsets) - 1])
    id_mask = (np.uint64(1) << np.uint64(id_bits)) - np.uint64(1)
    counts = np.zeros(miners, np.int64)
    rows = np.empty(miners, np.int64)
    for position in range(len(keyword_ids)):
        start = np.int64(offsets[keyword_ids[position]])
        end = np.int64(offsets[keyword_ids[position] + 1])
        if start > end or end > pair_count:
            return np.empty(0, np.int64)
        first = start - start % 64
        for miner in range(miners):
            rows[miner] = first_rows[miner] + np.int64(ranks[first // 64, miner])
        for pair in range(first, end):
            bit = pair * width
            word, shift = bit >> 6, np.uint64(bit & 63)
            record = (records[word] >> shift) | ((records[word + 1] << np.uint64(1)) << (np.uint64(63) - shift))
            mask = record >> np.uint64(id_bits)
            neighbor = np.int64(record & id_mask)
            for miner in range(miners):
                if (mask >> np.uint64(miner)) & np.uint64(1):
                    if pair >= start:
                        row, place = rows[miner], counts[miner]
                        if row >= first_rows[miner + 1] or neighbor >= keyword_count:
                            return np.empty(0, np.int64)
                        position_of[miner, place] = position
                        neighbor_of[miner, place] = neighbor
                        row_of[miner, place] = row - first_rows[miner]
                        strength_of[miner, place] = np.float32(strengths[row]) / _STEPS
                        counts[miner] = place + 1
                    rows[miner] += 1
    return counts
