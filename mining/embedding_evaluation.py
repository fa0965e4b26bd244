"""The keywords that embeddings relate to others, as they are served, for the evaluation."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from indexes.arrays import Array, ArrayFolder, offsets_from_counts, sorted_distinct
from indexes.forward import write_forward
from indexes.term_vectors import TermVectors
from indexes.text import tokens
from indexes.vectors import LEAST_SIMILARITY, Vectors, embedding_strength
from indexes.vocabulary import Vocabulary, write_vocabulary
from mining.keyword_vectors import write_keyword_vectors
from mining.pair_evidence import PairEvidence, Pairs
from mining.session_sequences import places_among

NEIGHBORS = 200
"""As many as keyword search asks for."""


def embedding_neighbors(mined: Path, asked: Sequence[str]) -> tuple[Array, list[str], Array]:
    """The neighbours of each keyword asked for, one after the other, through an index like a snapshot's.

    Returns for each pair the position int64 of the keyword asked for, the neighbour's text and the similarity float32.
    """
    keywords: list[str] = sorted(pq.read_table(mined / "keyword_statistics.parquet")["keyword"].to_pylist())
    tokenised = [tokens(keyword) for keyword in keywords]
    terms = sorted({token for row in tokenised for token in row})
    term_ids = {term: term_id for term_id, term in enumerate(terms)}
    counts = np.array([len(row) for row in tokenised], np.int64)
    flat = np.array([term_ids[token] for row in tokenised for token in row], np.int32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_vocabulary(folder, "terms", terms)
        write_forward(folder, offsets_from_counts(counts), flat)
        write_keyword_vectors(mined, folder)
        reader = ArrayFolder(folder)
        term_vectors, vectors = TermVectors(reader, Vocabulary(reader, "terms")), Vectors(reader)
        position, ids, similarity = [], [np.empty(0, np.int32)], [np.empty(0, np.float32)]
        for place, keyword in enumerate(asked):
            code = term_vectors.code(tokens(keyword))
            found, cosines = vectors.nearest(code, NEIGHBORS) if code is not None else (ids[0], similarity[0])
            near = (cosines >= LEAST_SIMILARITY) & np.array([keywords[i] != keyword for i in found.tolist()], bool)
            position += [place] * int(near.sum())
            ids.append(found[near])
            similarity.append(cosines[near])
    neighbors = [keywords[keyword_id] for keyword_id in np.concatenate(ids).tolist()]
    return np.array(position, np.int64), neighbors, np.concatenate(similarity)


def pairs_with_embeddings(mined: Path, evidence: PairEvidence, asked: Array) -> tuple[Pairs, Array]:
    """The pairs of keywords asked for (places, ascending) by miners and by vectors; by vectors each one's strength."""
    texts = evidence.keywords.take(pa.array(asked)).to_pylist()
    position, neighbors, similarity = embedding_neighbors(mined, texts)
    alike = asked[position] * len(evidence) + places_among(pa.array(neighbors, pa.string()), evidence.keywords)
    order = np.argsort(alike, kind="stable")
    mined_pairs = evidence.pairs_of(asked)
    keys = sorted_distinct(np.concatenate([mined_pairs.keyword * len(evidence) + mined_pairs.neighbor, alike]))
    likeness = np.zeros(len(keys), np.float32)
    likeness[np.searchsorted(keys, alike[order])] = embedding_strength(similarity[order])
    return evidence.describe(keys), likeness
