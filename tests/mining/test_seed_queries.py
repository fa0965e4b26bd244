"""Seed queries made at build: whose they are, that they lead to enough, and that they belong."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from indexes.neighbors import joint_strength
from indexes.opened import Indexes
from indexes.seed_queries import EVERYONE, Origin, account_context, industry_context
from mining.build_tables import MinedTables
from mining.seed_bases import RECENT_DAYS
from mining.seed_queries import KEPT, MIN_RESULTS
from mining.seed_worth import GOOD_STRENGTH, RETRIEVED
from mining.simulator.truth import Truth


@pytest.fixture(scope="module")
def indexes(small_store: Path) -> Indexes:
    return Indexes.open(small_store)


def plain_worth(indexes: Indexes, keyword_id: int) -> tuple[float, int]:
    """Relevance and good results of one keyword, pair by pair."""
    canonical = indexes.stats.canonical
    best: dict[int, dict[str, float]] = {}
    for miner, found in indexes.neighbors.of(np.array([keyword_id]), 200).items():
        for neighbor, strength in zip(found.neighbor.tolist(), found.strength.tolist(), strict=True):
            head = int(canonical[neighbor])
            if indexes.unsafe_severity[neighbor] == 0 and head != canonical[keyword_id]:
                of_head = best.setdefault(head, dict.fromkeys(indexes.neighbors.miners, 0.0))
                of_head[miner] = max(of_head[miner], strength)
    joint = sorted(
        (float(joint_strength({m: np.array(s) for m, s in each.items()})) for each in best.values()), reverse=True
    )
    return sum(s**0.5 for s in joint[:RETRIEVED]) / RETRIEVED, sum(s >= GOOD_STRENGTH for s in joint)


def test_quality_and_results_of_everyones_seeds_are_those_of_a_count_pair_by_pair(indexes: Indexes) -> None:
    assert indexes.seeds
    rows = indexes.seeds.of(EVERYONE)
    assert rows and 10 <= len(rows) <= KEPT
    for row in range(0, len(rows), 5):
        relevance, results = plain_worth(indexes, int(rows["keyword"][row]))
        assert rows["quality"][row] == pytest.approx(relevance**0.5, rel=1e-5)
        assert rows["results"][row] == results >= MIN_RESULTS


def test_industries_get_seeds_of_their_own_products_with_the_counts_of_the_recall_table(
    indexes: Indexes, small_market: Path
) -> None:
    assert indexes.seeds
    table = pq.read_table(small_market / "mined" / "industry_keywords.parquet").to_pylist()
    counts = {(row["industry_id"], row["keyword"]): (row["advertisers"], row["industry_advertisers"]) for row in table}
    industries = sorted({industry for industry, _ in counts})
    assert len(industries) > 10
    for industry in industries:
        rows = indexes.seeds.of(industry_context(industry))
        assert rows is not None
        texts = indexes.keywords.take(rows["keyword"])
        for place, text in enumerate(texts):
            if rows["origin"][place] == Origin.INDUSTRY:
                assert (rows["count"][place], rows["of"][place]) == counts[industry, text]
        assert (np.diff(np.round(rows["quality"] * rows["utility"], 5)) <= 1e-5).all()
        assert len(set(indexes.stats.canonical[rows["keyword"]].tolist())) == len(rows), "one of close variants"


def test_an_accounts_seeds_say_what_it_buys_already(indexes: Indexes, small_market: Path) -> None:
    assert indexes.seeds
    table = pq.read_table(small_market / "mined" / "account_keywords.parquet").to_pylist()
    owned = {(row["advertiser_id"], row["keyword"]) for row in table if row["owned"]}
    accounts = sorted({row["advertiser_id"] for row in table})
    met = set()
    for account in accounts:
        rows = indexes.seeds.of(account_context(account))
        assert rows is not None
        for text, origin in zip(indexes.keywords.take(rows["keyword"]), rows["origin"].tolist(), strict=True):
            met.add(Origin(origin))
            if origin != Origin.BURST:
                assert ((account, text) in owned) == (origin == Origin.OWNED)
    assert {Origin.ACCOUNT, Origin.OWNED} <= met


def test_what_is_offered_belongs_to_the_industry_by_the_planted_truth(indexes: Indexes, small_market: Path) -> None:
    truth = Truth.load(small_market / "truth")
    assert indexes.seeds
    mined = pq.read_table(small_market / "mined" / "industry_keywords.parquet").to_pylist()
    products: dict[str, set[int]] = {}
    for row in mined:
        place = truth.row_of[row["keyword"]]
        products.setdefault(row["industry_id"], set()).add(int(truth.product[place]))
    for industry, own in products.items():
        rows = indexes.seeds.of(industry_context(industry))
        assert rows is not None
        for text in indexes.keywords.take(rows["keyword"]):
            assert int(truth.product[truth.row_of[text]]) in own, f"{industry}: {text}"
            assert not truth.unsafe[truth.row_of[text]]


def test_only_recent_bursts_are_seeds_and_they_carry_their_counts(indexes: Indexes, small_market: Path) -> None:
    assert indexes.seeds
    rows = indexes.seeds.of(EVERYONE)
    assert rows
    bursts = {
        (r["keyword"], r["observed"]): r for r in pq.read_table(small_market / "mined" / "bursts.parquet").to_pylist()
    }
    for place in np.flatnonzero(rows["origin"] == Origin.BURST).tolist():
        text, observed = indexes.keywords[int(rows["keyword"][place])], int(rows["count"][place])
        assert (indexes.window.last_day - bursts[text, observed]["last_date"]).days <= RECENT_DAYS


def test_an_unknown_context_is_none_and_old_snapshots_have_no_seeds(indexes: Indexes, tiny_store: Path) -> None:
    assert indexes.seeds and indexes.seeds.of(industry_context("nowhere")) is None

    class Older:
        def __init__(self, reader: object) -> None:
            self._reader = reader

        def array(self, name: str) -> object:
            assert not name.startswith("seeds/")
            return self._reader.array(name)  # type: ignore[attr-defined]

        def json(self, name: str) -> object:
            document = self._reader.json(name)  # type: ignore[attr-defined]
            return {key: value for key, value in document.items() if key != "seeds"}

    from indexes.snapshot import open_snapshot

    older = Indexes.read(Older(open_snapshot(tiny_store)), "0" * 16)  # type: ignore[arg-type]
    assert older.seeds is None


def test_a_market_without_advertisers_has_seeds_of_everyone_alone(tiny_store: Path, tmp_path: Path) -> None:
    tiny = Indexes.open(tiny_store)
    assert tiny.facts["seeds"] == 1 and tiny.seeds and tiny.seeds.of(EVERYONE) is not None
    (tmp_path / "mining_report.json").write_text("{}", encoding="utf-8")
    assert not MinedTables(tmp_path).has("industry_keywords")
