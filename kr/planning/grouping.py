"""Ad groups from keywords, in several ways to choose from, each with its measure.

No group ever mixes intents or languages: an ad answers one question in one language. Within an intent and a language
keywords are joined by average linkage (Sokal & Michener 1958) until no two groups are alike enough on average:

| by | alike are |
|---|---|
| stem | keywords that share the words of what they are about |
| meaning | keywords whose words are used alike, or that people searched, clicked or bought together |
| both | the mean of the two |
| intent | all: a group an intent and a language |

Every keyword is in exactly one group. Groups smaller than `least` are put together, an intent and a language each, as
*rest*; so are none of the others. The same keywords on the same snapshot give the same groups.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from scipy import sparse
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from indexes.arrays import Array
from indexes.errors import UsageError
from indexes.text import language
from kr.planning.intents import INTENT_NAMES, Intent
from kr.planning.keyword_space import KeywordSpace

By = Literal["stem", "meaning", "both", "intent"]
WAYS: tuple[By, ...] = get_args(By)
WAY_NAMES: dict[By, tuple[str, str]] = {
    "stem": ("by shared words", "按共同词语"),
    "meaning": ("by meaning", "按语义"),
    "both": ("by words and meaning", "按词语与语义"),
    "intent": ("by intent alone", "仅按意图"),
}
_WEIGHTS: dict[By, tuple[float, float]] = {"stem": (1, 0), "meaning": (0, 1), "both": (1, 1), "intent": (0, 0)}
"""What words and meaning count."""
LEAST_LIKENESS: dict[By, float] = {"stem": 0.3, "meaning": 0.65, "both": 0.5, "intent": 0.0}
"""Mean likeness down to which groups are joined; chosen on the simulator's medium market, seed 1."""
MOST_AT_ONCE = 3_000
"""Keywords that are clustered at once: the table of their likenesses has the square of it."""
MOST_KEYWORDS = 20_000
LEAST_OF_GROUP = 2
NAMED_SHARE = 0.6
"""Share of a group's keywords that hold a word from which it is in the group's name."""
NAME_WORDS = 4


@dataclass(frozen=True)
class Group:
    """Keywords of one intent and language, the most searched first. `name` says what they are about, without intent.

    A rest holds what is in no other group; its name is its most searched keyword's.
    """

    name: str
    intent: Intent
    language: str
    keywords: tuple[str, ...]
    is_rest: bool = False

    def title(self, chinese: bool = False) -> str:
        """The name of the ad group."""
        intent = INTENT_NAMES[self.intent][int(chinese)]
        name = ("其他" if chinese else "other") if self.is_rest else self.name
        return f"{name} – {intent}"


@dataclass(frozen=True)
class Measure:
    """How good a grouping is, measured in words and meaning alike; all but `groups` are in 0..1, silhouette in −1..1.

    `cohesion` is the mean likeness of keywords to the centre of their group, `separation` one minus the likeness to the
    nearest other centre of the same intent and language, `silhouette` (Rousseeuw 1987, simplified to centres) joins
    both. `balance` is the evenness of group sizes (entropy over its greatest). `ungrouped` is the share of keywords in
    rests. None where there is nothing to measure: a single group has no neighbour.
    """

    groups: int
    largest: int
    cohesion: float | None
    separation: float | None
    silhouette: float | None
    balance: float | None
    ungrouped: float


@dataclass(frozen=True)
class Grouping:
    """One way to group; groups by their searches, the rests last."""

    by: By
    groups: tuple[Group, ...]
    measure: Measure
    labels: Array = field(repr=False)
    """The number of the group of each keyword that was given, int32."""


def group_keywords(
    space: KeywordSpace,
    intents: Sequence[Intent],
    by: By = "both",
    least: int = LEAST_OF_GROUP,
    likeness: float | None = None,
) -> Grouping:
    """Group the keywords of a space. UsageError for an unknown way or too many keywords."""
    if by not in WAYS:
        raise UsageError("Keywords are not grouped by {by!r}.", "Use one of {choices}.", by=by, choices=", ".join(WAYS))
    if len(space) > MOST_KEYWORDS:
        raise UsageError(
            "{count:,} keywords are too many to group.", "Group {most:,} at most.", count=len(space), most=MOST_KEYWORDS
        )
    bar = LEAST_LIKENESS[by] if likeness is None else likeness
    parts: dict[tuple[str, Intent], list[int]] = {}
    for row, (keyword, intent) in enumerate(zip(space.keywords, intents, strict=True)):
        parts.setdefault((language(keyword), intent), []).append(row)
    drafts: list[tuple[Group, Array]] = []
    for (spoken, intent), members in sorted(parts.items()):
        rows = np.array(members)
        found = [rows] if by == "intent" else _clusters(space, rows, *_WEIGHTS[by], bar)
        small = [group for group in found if len(group) < least] if by != "intent" else []
        whole = [group for group in found if by == "intent" or len(group) >= least]
        drafts += [_named(space, group, intent, spoken, is_rest=False) for group in whole]
        if small:
            drafts.append(_named(space, np.sort(np.concatenate(small)), intent, spoken, is_rest=True))
    demand = space.demand
    drafts.sort(key=lambda draft: (draft[0].is_rest, -float(demand[draft[1]].sum()), draft[0].keywords))
    labels = np.empty(len(space), np.int32)
    for number, (_, rows) in enumerate(drafts):
        labels[rows] = number
    groups = tuple(group for group, _ in drafts)
    return Grouping(by, groups, measure(space, labels, groups), labels)


def measure(space: KeywordSpace, labels: Array, groups: Sequence[Group]) -> Measure:
    """The measure of a grouping whose group numbers are `labels`."""
    count = len(labels)
    sizes = np.bincount(labels, minlength=len(groups)) if count else np.zeros(0, np.int64)
    rest = np.array([group.is_rest for group in groups], bool)
    ungrouped = float(sizes[rest].sum() / count) if count else 0.0
    shares = sizes[sizes > 0] / max(count, 1)
    balance = float(-(shares * np.log(shares)).sum() / np.log(len(shares))) if len(shares) > 1 else None
    judged = np.flatnonzero(~rest[labels]) if count else np.empty(0, np.int64)
    if not len(judged):
        return Measure(len(groups), int(sizes.max(initial=0)), None, None, None, _round(balance), round(ungrouped, 4))
    points = space.joint()
    member = sparse.csr_matrix((np.ones(count), (labels, np.arange(count))), shape=(len(groups), count))
    sums = member @ points
    own, nearest = _own_and_nearest(points, sums, labels, judged, sizes, groups)
    cohesion = float(own.mean())
    has_other = nearest > -1
    separation = float((1 - nearest[has_other]).mean()) if has_other.any() else None
    near, far = 1 - own[has_other], 1 - nearest[has_other]
    worst = np.maximum(near, far)
    silhouette = (
        float(np.where(worst > 0, (far - near) / np.where(worst > 0, worst, 1), 0).mean()) if len(far) else None
    )
    return Measure(
        len(groups), int(sizes.max()), _round(cohesion), _round(separation), _round(silhouette), _round(balance),
        round(ungrouped, 4),
    )  # fmt: skip


def _own_and_nearest(
    points: sparse.csr_matrix,
    sums: sparse.csr_matrix,
    labels: Array,
    judged: Array,
    sizes: Array,
    groups: Sequence[Group],
) -> tuple[Array, Array]:
    """Cosines of keywords to the centre of their group without themselves, and to the nearest other of the same kind.

    −1 where there is no other. A keyword alone in its group is as near to it as can be told: 0.
    """
    own, nearest = np.zeros(len(judged)), np.full(len(judged), -1.0)
    kinds: dict[tuple[Intent, str], list[int]] = {}
    for number, group in enumerate(groups):
        if not group.is_rest:
            kinds.setdefault((group.intent, group.language), []).append(number)
    place_of = np.full(len(groups), -1)
    for numbers in kinds.values():
        place_of[numbers] = np.arange(len(numbers))
        rows = judged[np.isin(labels[judged], numbers)]
        here = np.flatnonzero(np.isin(labels[judged], numbers))
        centre = sums[numbers]
        squares = np.asarray(centre.multiply(centre).sum(axis=1)).ravel()
        for begin in range(0, len(rows), 1_000):
            some, places = rows[begin : begin + 1_000], here[begin : begin + 1_000]
            product = np.asarray((points[some] @ centre.T).todense())
            home = place_of[labels[some]]
            lines = np.arange(len(some))
            with_home = product[lines, home]
            # Without the keyword itself: |c − x|² = |c|² − 2 c·x + 1.
            without = np.sqrt(np.maximum(squares[home] - 2 * with_home + 1, 0))
            alone = sizes[labels[some]] < 2
            own[places] = np.where(alone | (without < 1e-9), 0, (with_home - 1) / np.maximum(without, 1e-9))
            cosines = product / np.sqrt(np.maximum(squares, 1e-12))[None, :]
            cosines[lines, home] = -1
            nearest[places] = cosines.max(axis=1)
    return np.clip(own, 0, 1), np.clip(nearest, -1, 1)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _clusters(space: KeywordSpace, rows: Array, words_weight: float, meaning_weight: float, bar: float) -> list[Array]:
    """The clusters of rows by average linkage, each ascending; by their first row."""
    found: list[Array] = []
    for part in _parts(space, rows, words_weight, meaning_weight, bar):
        if len(part) == 1:
            found.append(part)
            continue
        distances = 1 - space.likeness(part, words_weight, meaning_weight).astype(np.float64)
        np.fill_diagonal(distances, 0)
        distances = np.maximum((distances + distances.T) / 2, 0)
        tree = linkage(squareform(np.round(distances, 6), checks=False), method="average")
        joined = int((tree[:, 2] <= 1 - bar).sum())
        labels = cut_tree(tree, n_clusters=len(part) - joined).ravel()
        found += [part[labels == label] for label in range(int(labels.max()) + 1)]
    return sorted(found, key=lambda cluster: int(cluster[0]))


def _parts(space: KeywordSpace, rows: Array, words_weight: float, meaning_weight: float, bar: float) -> list[Array]:
    """Parts of at most MOST_AT_ONCE rows. Rows that share no word, pair or direction of meaning need not be compared.

    A larger set falls into the components of words in common, the commonest words left out until no part is too large;
    by meaning, into the halves along its greatest spread, again and again.
    """
    if len(rows) <= MOST_AT_ONCE:
        return [rows]
    if meaning_weight > 0 and space.vectors[rows].any():
        return _halves(space, rows)
    terms = space.terms[rows].copy()
    terms.data[:] = 1
    frequency = np.asarray(terms.sum(axis=0)).ravel()
    commonest = int(frequency.max())
    while commonest > 1:
        rare = sparse.diags((frequency <= commonest).astype(float))
        count, labels = connected_components(terms @ rare @ terms.T, directed=False)
        if np.bincount(labels).max() <= MOST_AT_ONCE:
            return _packed([rows[labels == label] for label in range(count)])
        commonest //= 2
    return [rows[begin : begin + MOST_AT_ONCE] for begin in range(0, len(rows), MOST_AT_ONCE)]


def _packed(parts: list[Array]) -> list[Array]:
    """Small parts put together up to the most at once, since a common word may still join them."""
    result: list[Array] = []
    for part in parts:
        if result and len(result[-1]) + len(part) <= MOST_AT_ONCE:
            result[-1] = np.sort(np.concatenate([result[-1], part]))
        else:
            result.append(part)
    return result


def _halves(space: KeywordSpace, rows: Array) -> list[Array]:
    if len(rows) <= MOST_AT_ONCE:
        return [rows]
    vectors = space.vectors[rows].astype(np.float64)
    centred = vectors - vectors.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    position = np.round(centred @ directions[:, -1], 9)
    order = np.lexsort((rows, position))
    middle = len(rows) // 2
    return _halves(space, np.sort(rows[order[:middle]])) + _halves(space, np.sort(rows[order[middle:]]))


def _named(space: KeywordSpace, rows: Array, intent: Intent, spoken: str, is_rest: bool) -> tuple[Group, Array]:
    """A group of rows, the most searched first, named after the words that most of them are about."""
    order = rows[np.lexsort((rows, -space.demand[rows]))]
    keywords = tuple(space.keywords[row] for row in order.tolist())
    cores = [space.cores[row] for row in order.tolist()]
    counts = Counter(word for core in cores for word in dict.fromkeys(core))
    wanted = {word for word, times in counts.items() if times >= NAMED_SHARE * len(cores)}
    held = max(cores, key=lambda core: len(wanted & set(core))) if wanted else cores[0]
    chosen = [word for word in dict.fromkeys(held) if word in wanted][:NAME_WORDS] or list(cores[0])[:NAME_WORDS]
    return Group(("" if spoken == "zh" else " ").join(chosen), intent, spoken, keywords, is_rest), rows
