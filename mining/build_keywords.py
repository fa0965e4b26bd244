"""Everything that the build computes from the keywords' text, a batch at a time, in several processes if it pays.

What comes out is the same whatever the number of processes: batches are cut and collected in the keywords' order.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.array_writer import ArrayWriter
from indexes.arrays import Array, ArrayFolder, offsets_from_counts
from indexes.errors import CorruptError
from indexes.forward import write_forward
from indexes.keyword_stats import LANGUAGES
from indexes.postings import write_postings
from indexes.spelling import sounds_of
from indexes.text import language, tokens
from indexes.unsafe_terms import UnsafeTerms
from indexes.vocabulary import StringList, StringWriter, VocabularyWriter, write_vocabulary
from mining.build_tables import MINE_AGAIN, MinedTables
from mining.close_variants import variant_keys

BATCH = 20_000
PROCESSES_FROM = 200_000
"""Keywords from which two processes read them: starting them takes a second."""
REMAP = 4_000_000
"""Token ids that are renumbered at a time."""


@dataclass(frozen=True)
class ReadBatch:
    """What is read off some keywords; `tokens` int32 are positions in `words`, their distinct tokens."""

    words: list[str]
    tokens: Array
    counts: Array
    languages: Array
    fingerprints: Array
    sound_keys: Array
    sounds: list[str | None]


def read_batch(keywords: Sequence[str]) -> ReadBatch:
    """Tokens, languages, sounds and the keys of close variants of some keywords."""
    rows = [tokens(keyword) for keyword in keywords]
    places: dict[str, int] = {}
    flat = [places.setdefault(token, len(places)) for row in rows for token in row]
    sounds = sounds_of(keywords)
    fingerprints, sound_keys = variant_keys(keywords, sounds)
    return ReadBatch(
        list(places),
        np.array(flat, np.int32),
        np.array([len(row) for row in rows], np.int64),
        np.array([LANGUAGES.index(language(keyword)) for keyword in keywords], np.uint8),
        fingerprints,
        sound_keys,
        sounds,
    )


@dataclass(frozen=True)
class KeywordTexts:
    """What later parts need of the keywords' text: arrays a row a keyword, mapped where they are wide."""

    languages: Array  # uint8
    severity: Array  # uint8
    fingerprints: Array  # uint64 (keywords, 2)
    sound_keys: Array  # uint64 (keywords, 2)
    sounds: "Sounds"
    terms: list[str]
    token_counts: Array  # int64
    tokens: Array  # int32, mapped

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


class Sounds(Sequence[str | None]):
    """Each keyword's pinyin by id, read from disk; None for keywords that are not Chinese."""

    def __init__(self, texts: StringList) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, keyword_id: int) -> str | None:  # type: ignore[override]
        return self._texts[keyword_id] or None


def write_keywords(
    mined: MinedTables, unsafe_terms: UnsafeTerms, folder: Path, scratch: Path, processes: int | None = None
) -> KeywordTexts:
    """Write the vocabulary and what is unsafe in it; read everything else off the texts into `scratch`.

    `processes` is how many read the texts; by default one for few keywords and up to two for many. Raises CorruptError
    if the keywords are not sorted.
    """
    if processes is None:
        many = mined.count_keywords() >= PROCESSES_FROM
        processes = min(2, os.cpu_count() or 1) if many else 1
    term_numbers: dict[str, int] = {}
    counts, languages = [np.empty(0, np.int64)], [np.empty(0, np.uint8)]
    with (
        VocabularyWriter(folder, "keywords") as vocabulary,
        ArrayWriter(folder, "unsafe/categories.npy", np.uint32) as categories,
        ArrayWriter(folder, "unsafe/severity.npy", np.uint8) as severities,
        ArrayWriter(scratch, "tokens.npy", np.int32) as token_ids,
        ArrayWriter(scratch, "fingerprints.npy", np.uint64) as fingerprints,
        ArrayWriter(scratch, "sound_keys.npy", np.uint64) as sound_keys,
        StringWriter(scratch, "sounds") as sounds,
    ):
        for keywords, read in _read_all(_keyword_batches(mined), processes):
            try:
                vocabulary.append(keywords)
            except ValueError as error:
                raise CorruptError(f"The mined table keyword_statistics is not sorted: {error}.", MINE_AGAIN) from None
            mask, severity = unsafe_terms.scan(keywords)
            categories.append(mask)
            severities.append(severity)
            numbers = [term_numbers.setdefault(word, len(term_numbers)) for word in read.words]
            token_ids.append(np.array(numbers, np.int32)[read.tokens])
            counts.append(read.counts)
            languages.append(read.languages)
            fingerprints.append(read.fingerprints.ravel())
            sound_keys.append(read.sound_keys.ravel())
            sounds.append([sound or "" for sound in read.sounds])
    terms = sorted(term_numbers)
    final = np.empty(len(terms), np.int32)
    final[[term_numbers[term] for term in terms]] = np.arange(len(terms), dtype=np.int32)
    mapped = ArrayFolder(scratch)
    return KeywordTexts(
        np.concatenate(languages),
        np.load(folder / "unsafe/severity.npy"),
        mapped.array("fingerprints.npy").reshape(-1, 2),
        mapped.array("sound_keys.npy").reshape(-1, 2),
        Sounds(StringList(mapped, "sounds")),
        terms,
        np.concatenate(counts),
        _renumbered(scratch / "tokens.npy", final),
    )


def write_terms(folder: Path, texts: KeywordTexts, searches: Array) -> None:
    """Write the terms, and which keywords hold which, those that are searched most first."""
    offsets = offsets_from_counts(texts.token_counts)
    write_vocabulary(folder, "terms", texts.terms)
    write_postings(folder, len(texts.terms), offsets, texts.tokens, searches)
    write_forward(folder, offsets, texts.tokens)


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
