"""Everything that the build computes from the keywords' text, a batch at a time, in several processes if it pays.

What comes out is the same whatever the number of processes: batches are cut and collected in the keywords' order.
"""

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from indexes.array_writer import ArrayWriter
from indexes.arrays import Array, ArrayFolder, offsets_from_counts
from indexes.errors import CorruptError
from indexes.forward import write_forward
from indexes.keyword_stats import LANGUAGES
from indexes.postings import write_postings
from indexes.prefixes_write import write_prefixes_of_words
from indexes.text import language, tokens
from indexes.text.readings import sounds_of, words_of_each
from indexes.unsafe_terms import UnsafeTerms
from indexes.vocabulary import VocabularyWriter, write_vocabulary
from mining.build_tables import MINE_AGAIN, MinedTables
from mining.close_variants import variant_keys

BATCH = 20_000
PROCESSES_FROM = 200_000
"""Keywords from which a build uses two: starting those that read them takes a second."""
REMAP = 4_000_000
"""Token ids that are renumbered at a time."""


@dataclass(frozen=True)
class Rows:
    """Texts of some keywords as rows of numbers int32, `counts` int64 of each: positions in `distinct`."""

    distinct: list[str]
    numbers: Array
    counts: Array

    @staticmethod
    def of(rows: Sequence[Sequence[str]]) -> "Rows":
        places: dict[str, int] = {}
        flat = [places.setdefault(text, len(places)) for row in rows for text in row]
        return Rows(list(places), np.array(flat, np.int32), np.array([len(row) for row in rows], np.int64))


@dataclass(frozen=True)
class ReadBatch:
    """What is read off some keywords: the tokens of retrieval, the words that are read aloud, and more."""

    tokens: Rows
    words: Rows
    languages: Array
    fingerprints: Array
    sound_keys: Array


def read_batch(keywords: Sequence[str]) -> ReadBatch:
    """Tokens, words, languages and the keys of close variants of some keywords."""
    words = list(words_of_each(keywords))
    fingerprints, sound_keys = variant_keys(keywords, sounds_of(keywords, words))
    return ReadBatch(
        Rows.of([tokens(keyword) for keyword in keywords]),
        Rows.of(words),
        np.array([LANGUAGES.index(language(keyword)) for keyword in keywords], np.uint8),
        fingerprints,
        sound_keys,
    )


class Numbering:
    """Numbers texts in the order in which they come, and keeps the rows of numbers in a file."""

    def __init__(self, scratch: Path, name: str) -> None:
        self.number_of: dict[str, int] = {}
        self.counts = [np.empty(0, np.int64)]
        self.path = scratch / f"{name}.npy"
        self._writer = ArrayWriter(scratch, self.path.name, np.int32)

    def append(self, rows: Rows) -> None:
        numbers = [self.number_of.setdefault(text, len(self.number_of)) for text in rows.distinct]
        self._writer.append(np.array(numbers, np.int32)[rows.numbers])
        self.counts.append(rows.counts)

    def __enter__(self) -> "Numbering":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._writer.__exit__(kind, error, None)


@dataclass(frozen=True)
class KeywordTexts:
    """What later parts need of the keywords' text: arrays a row a keyword, mapped where they are wide."""

    languages: Array  # uint8
    severity: Array  # uint8
    fingerprints: Array  # uint64 (keywords, 2)
    sound_keys: Array  # uint64 (keywords, 2)
    terms: list[str]
    token_counts: Array  # int64
    tokens: Array  # int32, mapped: positions in `terms`
    words: list[str]
    word_counts: Array  # int64
    word_ids: Array  # int32, mapped: positions in `words`

    def weigh_terms(self, searches: Array) -> Array:
        """How often keywords with each term were searched, float64 (terms,)."""
        weights = np.zeros(len(self.terms), np.float64)
        ends = np.cumsum(self.token_counts)
        begin = 0
        while begin < len(self.token_counts):
            first = int(ends[begin - 1]) if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, first + REMAP, "right")))
            repeated = np.repeat(searches[begin:end], self.token_counts[begin:end])
            weights += np.bincount(self.tokens[first : int(ends[end - 1])], weights=repeated, minlength=len(weights))
            begin = end
        return weights


def write_keywords(
    mined: MinedTables, unsafe_terms: UnsafeTerms, folder: Path, scratch: Path, processes: int = 1
) -> KeywordTexts:
    """Write the vocabulary and what is unsafe in it; read everything else off the texts into `scratch`.

    `processes` is how many read the texts. Raises CorruptError if the keywords are not sorted.
    """
    languages = [np.empty(0, np.uint8)]
    with (
        VocabularyWriter(folder, "keywords") as vocabulary,
        ArrayWriter(folder, "unsafe/categories.npy", np.uint32) as categories,
        ArrayWriter(folder, "unsafe/severity.npy", np.uint8) as severities,
        Numbering(scratch, "tokens") as numbered_tokens,
        Numbering(scratch, "words") as numbered_words,
        ArrayWriter(scratch, "fingerprints.npy", np.uint64) as fingerprints,
        ArrayWriter(scratch, "sound_keys.npy", np.uint64) as sound_keys,
    ):
        for keywords, read in _read_all(_keyword_batches(mined), processes):
            try:
                vocabulary.append(keywords)
            except ValueError as error:
                raise CorruptError(f"The mined table keyword_statistics is not sorted: {error}.", MINE_AGAIN) from None
            mask, severity = unsafe_terms.scan(keywords)
            categories.append(mask)
            severities.append(severity)
            numbered_tokens.append(read.tokens)
            numbered_words.append(read.words)
            languages.append(read.languages)
            fingerprints.append(read.fingerprints.ravel())
            sound_keys.append(read.sound_keys.ravel())
    number_of = numbered_tokens.number_of
    terms = sorted(number_of)
    final = np.empty(len(terms), np.int32)
    final[[number_of[term] for term in terms]] = np.arange(len(terms), dtype=np.int32)
    mapped = ArrayFolder(scratch)
    return KeywordTexts(
        np.concatenate(languages),
        np.load(folder / "unsafe/severity.npy"),
        mapped.array("fingerprints.npy").reshape(-1, 2),
        mapped.array("sound_keys.npy").reshape(-1, 2),
        terms,
        np.concatenate(numbered_tokens.counts),
        _renumbered(numbered_tokens.path, final),
        list(numbered_words.number_of),
        np.concatenate(numbered_words.counts),
        mapped.array(numbered_words.path.name),
    )


def write_terms(folder: Path, texts: KeywordTexts, searches: Array) -> None:
    """Write the terms, and which keywords hold which, those that are searched most first."""
    offsets = offsets_from_counts(texts.token_counts)
    write_vocabulary(folder, "terms", texts.terms)
    write_postings(folder, len(texts.terms), offsets, texts.tokens, searches)
    write_forward(folder, offsets, texts.tokens)


def write_suggestions(folder: Path, texts: KeywordTexts, searches: Array, canonical: Array) -> None:
    """Write the index of prefixes: of the keywords that are safe to show, by the searches of their close variants."""
    demand = np.bincount(canonical, weights=searches, minlength=len(searches))[canonical]
    offsets = offsets_from_counts(texts.word_counts)
    write_prefixes_of_words(
        folder, texts.words, offsets, texts.word_ids, demand.astype(np.int64), canonical, texts.severity == 0
    )


def _renumbered(path: Path, final: Array) -> Array:
    """The array of this file with each number replaced by the one at its place in `final`; mapped."""
    if not np.load(path, mmap_mode="r").size:
        return np.empty(0, np.int32)
    numbers = np.load(path, mmap_mode="r+")
    for begin in range(0, len(numbers), REMAP):
        numbers[begin : begin + REMAP] = final[numbers[begin : begin + REMAP]]
    numbers.flush()
    return np.load(path, mmap_mode="r")


def _keyword_batches(mined: MinedTables) -> Iterator[list[str]]:
    for table in mined.batches("keyword_statistics", ["keyword"]):
        for begin in range(0, len(table), BATCH):
            yield table["keyword"].slice(begin, BATCH).to_pylist()


def _read_all(batches: Iterator[list[str]], processes: int) -> Iterator[tuple[list[str], ReadBatch]]:
    """Each batch with what was read off it, in order; only a few batches are in memory."""
    if processes == 1:
        for batch in batches:
            yield batch, read_batch(batch)
        return
    with _pool(processes) as pool:
        waiting: deque[tuple[list[str], multiprocessing.pool.AsyncResult[ReadBatch]]] = deque()
        for batch in batches:
            waiting.append((batch, pool.apply_async(read_batch, (batch,))))
            if len(waiting) > 2 * processes:
                keywords, result = waiting.popleft()
                yield keywords, result.get()
        for keywords, result in waiting:
            yield keywords, result.get()


@contextmanager
def _pool(processes: int) -> Iterator["multiprocessing.pool.Pool"]:
    """Worker processes that are waited for, or ended where the block fails."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield pool
        pool.close()
        pool.join()
