"""What became of pairs: whether people, after the log that was mined, put two keywords together.

A pair keyword → neighbor counts as confirmed by a later log if at least one of these holds:

 searched next      somebody searched the neighbor right after the keyword, in one session
 clicked in common  a page was clicked for both
 bought together    an advertiser who had not bought the one before buys it now, beside the other

That an advertiser goes on buying confirms nothing, since it was in the mined log already. URLs of very many keywords
and advertisers of everything say nothing here either, as in mining.

Most pairs are not confirmed because one of the two was not searched again, which says nothing of the pair: a pair can
only be judged if both keywords were searched in the later log (`judged`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from indexes.arrays import Array, sorted_distinct
from mining.log_split import SplitLog
from mining.session_sequences import SessionSequences, open_people_log, places_among
from mining.settings import MiningSettings

ROWS_AT_A_TIME = 1000


@dataclass(frozen=True)
class Confirmations:
    """The later log over the places of the mined keywords; matrices int32, keywords as rows.

    `searches` int64 counts; `next_search` (keywords × keywords) how often the one was searched right after the other;
    `clicked` (× URLs), `newly_bought` and `bought` (× advertisers) are 1 or nothing.
    """

    searches: Array
    next_search: csr_array
    clicked: csr_array
    newly_bought: csr_array
    bought: csr_array

    def judged(self, keyword: Array, neighbor: Array) -> Array:
        """Whether both keywords of a pair were searched again, bool."""
        return (self.searches[keyword] > 0) & (self.searches[neighbor] > 0)

    def by_kind(self, keyword: Array, neighbor: Array) -> dict[str, Array]:
        """For pairs in the order of their keywords: by kind of confirmation whether there is any, bool."""
        rows, own = np.unique(keyword, return_inverse=True)
        new, bought = self.newly_bought, self.bought
        return {
            "searched_next": _positive(self.next_search[rows], own, neighbor),
            "clicked_in_common": _common(self.clicked[rows], self.clicked, own, neighbor),
            "bought_together": _common(new[rows], bought, own, neighbor) | _common(bought[rows], new, own, neighbor),
        }

    @cached_property
    def followed(self) -> Array:
        """How many searches of mined keywords came right after each keyword, int64 (keywords,)."""
        return np.asarray(self.next_search.sum(axis=1), np.int64).ravel()

    def next_counts(self, keyword: Array, neighbor: Array) -> Array:
        """For pairs in the order of their keywords: how often the neighbor was searched next, int64."""
        rows, own = np.unique(keyword, return_inverse=True)
        matrix = self.next_search[rows].tocsr()
        matrix.sum_duplicates()
        wide = np.int64(matrix.shape[1])
        held = np.repeat(np.arange(len(rows), dtype=np.int64), np.diff(matrix.indptr)) * wide + matrix.indices
        wanted = own * wide + neighbor
        counts = np.zeros(len(keyword), np.int64)
        if len(held):
            place = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
            found = held[place] == wanted
            counts[found] = matrix.data[place[found]]
        return counts

    def confirmed(self, keyword: Array, neighbor: Array) -> Array:
        """Whether pairs in the order of their keywords were confirmed in any way, bool."""
        found = np.zeros(len(keyword), bool)
        for kind in self.by_kind(keyword, neighbor).values():
            found |= kind
        return found


def read_confirmations(split: SplitLog, keywords: pa.Array, settings: MiningSettings) -> Confirmations:
    """What the later part of a log says of the keywords that were mined from the earlier one."""
    with open_people_log(split.earlier, settings) as log:
        before = _named(log.purchases(), log.keywords, "advertiser_id", keywords)
    with open_people_log(split.later, settings) as log:
        sessions = log.sessions()
        clicked = _named(log.clicked(), log.keywords, "url", keywords)
        after = _named(log.purchases(), log.keywords, "advertiser_id", keywords)
    place, count = sessions.within(keywords), len(keywords)
    newly_bought, bought = _purchases(before, after, count, settings.account_max_keywords)
    return Confirmations(
        searches=np.bincount(place[place >= 0], minlength=count),
        next_search=_transitions(sessions, place, count),
        clicked=_incidence(clicked["place"].to_numpy(), _numbered(clicked["name"]), count),
        newly_bought=newly_bought,
        bought=bought,
    )


def _named(rows: pa.Table, texts: pa.Array, column: str, keywords: pa.Array) -> pa.Table:
    """(place, name) of the rows whose keyword was mined."""
    place = places_among(texts, keywords)[rows["keyword_id"].to_numpy()]
    found = pa.table({"place": place, "name": rows[column]})
    return found.filter(pa.array(place >= 0))


def _numbered(names: pa.ChunkedArray) -> Array:
    """A number for every name, equal for equal names."""
    return names.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)


def _incidence(row: Array, column: Array, count: int) -> csr_array:
    columns = int(column.max()) + 1 if len(column) else 1
    return csr_array((np.ones(len(row), np.int32), (row, column)), shape=(count, columns))


def _purchases(before: pa.Table, after: pa.Table, count: int, most_keywords: int) -> tuple[csr_array, csr_array]:
    """What was bought for the first time in the later log, and what was ever bought; keywords × advertisers."""
    both = pa.concat_tables([before, after])
    advertiser = _numbered(both["name"])
    key = advertiser * count + both["place"].to_numpy()
    bought = sorted_distinct(key)
    of_everything = np.flatnonzero(np.bincount(bought // max(count, 1)) > most_keywords)
    bought = bought[~np.isin(bought // max(count, 1), of_everything)]
    new = bought[~np.isin(bought, key[: len(before)])]
    width = int(advertiser.max()) + 1 if len(advertiser) else 1
    newly_bought, ever = (
        csr_array((np.ones(len(keys), np.int32), (keys % count, keys // count)), shape=(count, width))
        for keys in (new, bought)
    )
    return newly_bought, ever


def _transitions(sessions: SessionSequences, place: Array, count: int) -> csr_array:
    owner = sessions.owner
    step = np.flatnonzero((owner[:-1] == owner[1:]) & (place[:-1] >= 0) & (place[1:] >= 0))
    return csr_array((np.ones(len(step), np.int32), (place[step], place[step + 1])), shape=(count, count))


def _positive(matrix: csr_array, row: Array, column: Array) -> Array:
    """Whether the entries are more than 0, bool."""
    wide = np.int64(matrix.shape[1])
    matrix = matrix.tocsr()
    matrix.sum_duplicates()
    held = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr)) * wide + matrix.indices
    return np.isin(row * wide + column, held[matrix.data > 0])


def _common(some: csr_array, every: csr_array, row: Array, column: Array) -> Array:
    """Whether rows of two matrices have a column in common, bool; `row` ascends."""
    found = np.zeros(len(row), bool)
    other = every.T.tocsr()
    for begin in range(0, some.shape[0], ROWS_AT_A_TIME):
        part = slice(*np.searchsorted(row, [begin, begin + ROWS_AT_A_TIME]).tolist())
        found[part] = _positive(some[begin : begin + ROWS_AT_A_TIME] @ other, row[part] - begin, column[part])
    return found
