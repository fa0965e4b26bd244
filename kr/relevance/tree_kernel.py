"""Walking LightGBM's trees over eight rows at a time without a branch: the same bits as `Booster.predict`, sooner.

All trees lie in one array of nodes, siblings side by side, so that the next node is `left + (value > threshold)`. A
leaf points to itself behind an infinite threshold, so that every row takes as many steps as the tree is deep. Features
are float32; a threshold, a double in LightGBM, becomes the largest float32 not above it, which splits float32 alike.
"""

from dataclasses import dataclass

import numpy as np

from indexes.arrays import Array
from indexes.compiled import njit

BLOCK = 8
_CATEGORICAL, _MISSING = 1, 0b1100


@dataclass(frozen=True)
class Trees:
    """Nodes of all trees, one after the other: `feature` uint32, `threshold` float32, `left` uint32, `value` float64
    (of leaves). `roots` and `depths` int64 by tree; tree i adds to output i % outputs."""

    feature: Array
    threshold: Array
    left: Array
    value: Array
    roots: Array
    depths: Array
    outputs: int

    def scores(self, features: Array) -> Array:
        """Raw scores float64 (n, outputs) of rows float32 (n, columns): sums of leaf values in the trees' order."""
        rows = np.ascontiguousarray(features, np.float32)
        out = np.zeros((len(rows), self.outputs))
        _walk(rows, self.feature, self.threshold, self.left, self.value, self.roots, self.depths, out)
        return out


@njit
def _walk(
    rows: Array, feature: Array, threshold: Array, left: Array, value: Array, roots: Array, depths: Array, out: Array
) -> None:
    count, width = rows.shape
    flat = rows.ravel()
    outputs = out.shape[1]
    # The last block is moved back to end with the last row; its sums are written, not added twice.
    for block in range((count + BLOCK - 1) // BLOCK):
        first = min(block * BLOCK, count - BLOCK)
        if first < 0:
            break
        skip = block * BLOCK - first
        r0 = np.uint64(first * width)
        w = np.uint64(width)
        r1, r2, r3 = r0 + w, r0 + w * np.uint64(2), r0 + w * np.uint64(3)
        r4, r5, r6, r7 = r0 + w * np.uint64(4), r0 + w * np.uint64(5), r0 + w * np.uint64(6), r0 + w * np.uint64(7)
        for tree in range(len(roots)):
            root = np.uint32(roots[tree])
            n0, n1, n2, n3, n4, n5, n6, n7 = root, root, root, root, root, root, root, root
            for _ in range(depths[tree]):
                n0 = left[n0] + np.uint32(flat[r0 + feature[n0]] > threshold[n0])
                n1 = left[n1] + np.uint32(flat[r1 + feature[n1]] > threshold[n1])
                n2 = left[n2] + np.uint32(flat[r2 + feature[n2]] > threshold[n2])
                n3 = left[n3] + np.uint32(flat[r3 + feature[n3]] > threshold[n3])
                n4 = left[n4] + np.uint32(flat[r4 + feature[n4]] > threshold[n4])
                n5 = left[n5] + np.uint32(flat[r5 + feature[n5]] > threshold[n5])
                n6 = left[n6] + np.uint32(flat[r6 + feature[n6]] > threshold[n6])
                n7 = left[n7] + np.uint32(flat[r7 + feature[n7]] > threshold[n7])
            output = tree % outputs
            if skip <= 0:
                out[first, output] += value[n0]
            if skip <= 1:
                out[first + 1, output] += value[n1]
            if skip <= 2:
                out[first + 2, output] += value[n2]
            if skip <= 3:
                out[first + 3, output] += value[n3]
            if skip <= 4:
                out[first + 4, output] += value[n4]
            if skip <= 5:
                out[first + 5, output] += value[n5]
            if skip <= 6:
                out[first + 6, output] += value[n6]
            out[first + 7, output] += value[n7]
    if count < BLOCK:
        for row in range(count):
            for tree in range(len(roots)):
                node = np.uint32(roots[tree])
                for _ in range(depths[tree]):
                    node = left[node] + np.uint32(rows[row, feature[node]] > threshold[node])
                out[row, tree % outputs] += value[node]


def read_trees(texts: tuple[str, ...]) -> Trees:
    """The trees of LightGBM text models, one model after the other; ValueError for trees of another kind."""
    nodes: list[tuple[int, float, int, float]] = []
    roots, depths = [], []
    outputs = 1
    for text in texts:
        header, *parts = text.split("\nTree=")
        outputs = int(_fields(header)["num_tree_per_iteration"])
        for part in parts:
            roots.append(len(nodes))
            depths.append(_add_tree(_fields(part.split("\n\n", 1)[0]), nodes))
    return Trees(
        feature=np.array([node[0] for node in nodes], np.uint32),
        threshold=_floats_below(np.array([node[1] for node in nodes], np.float64)),
        left=np.array([node[2] for node in nodes], np.uint32),
        value=np.array([node[3] for node in nodes], np.float64),
        roots=np.array(roots, np.int64),
        depths=np.array(depths, np.int64),
        outputs=outputs,
    )


def _fields(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _add_tree(fields: dict[str, str], nodes: list[tuple[int, float, int, float]]) -> int:
    """Append one tree's nodes, siblings together, breadth first; the tree's depth."""
    values = [float(value) for value in fields["leaf_value"].split()]
    if int(fields["num_leaves"]) == 1:
        nodes.append((0, np.inf, len(nodes), values[0]))
        return 0
    features = [int(item) for item in fields["split_feature"].split()]
    thresholds = [float(item) for item in fields["threshold"].split()]
    kinds = [int(item) for item in fields["decision_type"].split()]
    if any(kind & (_CATEGORICAL | _MISSING) for kind in kinds) or int(fields.get("num_cat", 0)):
        raise ValueError("a tree splits by categories or by missing values, which this code does not walk")
    children = [[int(item) for item in fields[side].split()] for side in ("left_child", "right_child")]
    start = len(nodes)
    queue, depth = [(0, 0)], 0
    place = 0
    waiting = 1
    while place < len(queue):
        child, level = queue[place]
        depth = max(depth, level)
        if child < 0:  # a leaf is written as the complement of its number
            nodes.append((0, np.inf, start + place, values[~child]))
        else:
            nodes.append((features[child], thresholds[child], start + waiting, 0.0))
            queue += [(children[0][child], level + 1), (children[1][child], level + 1)]
            waiting += 2
        place += 1
    return depth


def _floats_below(thresholds: Array) -> Array:
    """The largest float32 not above each double."""
    rounded = thresholds.astype(np.float32)
    return np.where(
        rounded.astype(np.float64) > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded
    ).astype(np.float32)
