"""From mined tables to a published snapshot: the only writer of the formats that `indexes` reads.

Nothing is held whole but arrays of a few bytes a keyword; tables are read, and parts written, a batch at a time:

| part | written by |
|---|---|
| vocabulary, unsafe terms; tokens, words and variant keys (in a scratch folder) | `build_keywords.write_keywords` |
| terms, postings, forward index | `build_keywords.write_terms` |
| vectors | `keyword_vectors.py` |
| close variants | `close_variants.py` |
| statistics | `build_statistics.py` |
| neighbours, paths | `build_neighbors.py` |
| crawled pages | `build_pages.py` |
| popular keywords | here |
| seed queries, seed URLs | `seed_queries.py`, `build_seed_urls.py` |
| industry tree | `build_industries.py` |
| auctions and demand, for forecasts | `forecast_part.py` |
| accounts | `build_accounts.py` |
| recommendation model | here |
| prefixes | `build_keywords.write_suggestions` |
| spelling, facts | here |
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from indexes.arrays import Array, write_array, write_json
from indexes.blend_model import MODEL_FILE
from indexes.compile_kernels import compiling_beside
from indexes.snapshot import publish, stage
from indexes.spelling import write_spelling
from indexes.terminal import Advance, progress
from indexes.unsafe_terms import UnsafeTerms
from mining.build_accounts import write_accounts
from mining.build_industries import write_industry_tree
from mining.build_keywords import PROCESSES_FROM, KeywordTexts, write_keywords, write_suggestions, write_terms
from mining.build_neighbors import Market, write_all_neighbors
from mining.build_pages import write_crawled_pages
from mining.build_seed_urls import write_all_seed_urls
from mining.build_statistics import write_statistics
from mining.build_tables import MinedTables
from mining.close_variants import close_variants
from mining.computations import Computations
from mining.forecast_part import write_auction_landscape
from mining.keyword_vectors import write_keyword_vectors
from mining.recommend_model import read_blend
from mining.seed_queries import SeedCandidates, write_seeds
from mining.text_ids import TextIds

COMPILE_FROM = 1000
"""Keywords from which a build sees to it that the kernels are compiled."""
POPULAR_KEYWORDS = 1000
"""Keywords listed as the most searched, for examples and cold starts."""
PARTS = ("keywords", "terms", "vectors", "variants", "statistics", "neighbors", "seeds", "prefixes", "spelling")


def build(
    mined: Path, store: Path, lexicons: Sequence[Path] = (), recommend_model: Path | None = None
) -> dict[str, Any]:
    """Build a snapshot of the mined tables and publish it as the store's current one.

    `lexicons` are lists of unsafe terms beside those that KR ships, `recommend_model` a folder made by train recommend,
    which becomes part of the snapshot. Returns the snapshot's id, its facts and its size.
    The same tables and lexicons give the same bytes. Raises NotFoundError if the tables are missing or incomplete,
    CorruptError if they contradict each other, UsageError if they hold no keyword, or more than ids can name, or a
    lexicon has a mistake, TryAgainError if another publisher is at work.
    """
    tables = MinedTables(mined)
    unsafe_terms = UnsafeTerms.load(lexicons)
    model = read_blend(recommend_model) if recommend_model else None
    # The kernels are compiled once in an environment: better now than when a server opens the snapshot.
    compiling = compiling_beside() if tables.count_keywords() >= COMPILE_FROM else nullcontext()
    with stage(store) as folder, compiling:
        with progress("build", len(PARTS)) as advance:
            facts = write_parts(tables, unsafe_terms, folder, advance, model=model)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        built_from = {
            key: facts[key]
            for key in (
                "window",
                "inputs",
                "mining_settings",
                "lexicons_sha256",
                "fusion_model_sha256",
                "recommendation_model_sha256",
            )
        }
        snapshot_id = publish(store, folder, built_from=built_from)
    return {"snapshot": snapshot_id, "bytes": size, **facts}


def write_parts(
    mined: MinedTables,
    unsafe_terms: UnsafeTerms,
    folder: Path,
    advance: Advance,
    processes: int | None = None,
    model: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write every part of a snapshot into a folder, `advance` after each of PARTS, and return its facts.

    `processes` read the keywords' texts, and so many threads write parts; by default one for few keywords and up to two
    for many. The bytes do not depend on it. `model` is the document of a learned blend of recommendations.
    """
    if processes is None:
        processes = min(2, os.cpu_count() or 1) if mined.count_keywords() >= PROCESSES_FROM else 1
    with Computations(processes) as computations:
        return _write_parts(mined, unsafe_terms, folder, advance, processes, computations, model)


def _write_parts(
    mined: MinedTables,
    unsafe_terms: UnsafeTerms,
    folder: Path,
    advance: Advance,
    processes: int,
    computations: Computations,
    model: dict[str, Any] | None,
) -> dict[str, Any]:
    report = mined.report
    keyword_count = mined.count_keywords()
    scratch = folder / "scratch"
    scratch.mkdir()
    texts = write_keywords(mined, unsafe_terms, folder, scratch, processes)
    advance(1)

    searches = mined.column("keyword_statistics", "searches", np.int64)
    ids = TextIds(folder)
    market = Market(searches, int(report["counts"]["sessions"]))
    # The seeds are the first to read the neighbours, which take about as long as what is written until then.
    neighbors = computations.announce("neighbors", partial(write_all_neighbors, mined, ids, market, folder))
    write_terms(folder, texts, searches)
    advance(1)

    vectors = write_keyword_vectors(mined.folder, folder)
    advance(1)

    canonical, group_offsets, group_members = close_variants(texts.fingerprints, texts.sound_keys, searches)
    write_array(folder, "variants/offsets.npy", group_offsets)
    write_array(folder, "variants/members.npy", group_members)
    advance(1)

    columns = write_statistics(
        mined, ids, texts.languages, searches, canonical, group_offsets, group_members, folder, scratch
    )
    advance(1)

    miners = neighbors.result()
    advance(1)

    write_array(folder, "popular.npy", _popular(searches, texts))
    candidates = SeedCandidates(mined, ids, canonical, texts.severity, folder)
    seeds = write_seeds(candidates, folder)
    seed_urls = write_all_seed_urls(mined, ids, candidates, canonical, texts.severity, unsafe_terms, folder)
    industries, cut_industries = write_industry_tree(mined, ids, texts.severity, folder)
    landscape = write_auction_landscape(mined, ids, canonical, folder)
    accounts = write_accounts(mined, ids, folder)
    if model is not None:
        write_json(folder, MODEL_FILE, model)
    del ids, candidates
    advance(1)

    write_suggestions(folder, texts, searches, canonical)
    advance(1)

    write_spelling(folder, texts.terms, texts.weigh_terms(searches))
    pages = write_crawled_pages(mined, folder)
    facts = {
        "keywords": keyword_count,
        "terms": len(texts.terms),
        "window": [report["window"]["first_ts"][:10], report["window"]["last_ts"][:10]],
        **columns,
        "miners": miners,
        "seeds": seeds,
        "auction_landscape": landscape,
        "seed_urls": seed_urls,
        "industries": industries,
        "cut_industries": cut_industries,
        "vectors": vectors,
        "crawled_pages": pages,
        "accounts": accounts,
        "recommendation_model_sha256": model["sha256"] if model else None,
        "lexicons_sha256": unsafe_terms.sha256,
        "unsafe_categories": list(unsafe_terms.categories),
        "inputs": report["inputs"],
        "mining_settings": report["settings"],
        "fusion_model_sha256": report.get("fusion_model_sha256"),
        "counts": report["counts"],
        "set_aside": report["set_aside"],
    }
    write_json(folder, "facts.json", facts)
    shutil.rmtree(scratch)
    advance(1)
    return facts


def _popular(searches: Array, texts: KeywordTexts) -> Array:
    """Ids of the most searched safe keywords, int32."""
    most_searched = np.argsort(-searches, kind="stable")[: 2 * POPULAR_KEYWORDS]
    return most_searched[texts.severity[most_searched] == 0][:POPULAR_KEYWORDS].astype(np.int32)
