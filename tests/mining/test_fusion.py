"""The fusion: evidence put together, labels, what it may know, its model's files, and the whole way on a small log."""

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.errors import CorruptError, NotFoundError, UsageError
from indexes.text import tokens
from mining.fusion_features import DEMAND, FEATURES, MINED_FEATURES, NAMES, STRENGTH
from mining.fusion_labels import read_confirmations
from mining.fusion_model import MODEL, NEXT_TREES, TREES, FusionModel, at_demand
from mining.fusion_training import LabelledPairs, area_under_curve, fit, isotonic_curve, train_fusion
from mining.log_split import SplitLog, split_logs, split_moment
from mining.mine import READ_TABLES, mine
from mining.mined_pairs import PAIR_MINERS
from mining.next_query_evaluation import evaluate_sessions
from mining.pair_evidence import PairEvidence
from mining.settings import MiningSettings

Rows = list[dict[str, Any]]
Logs = dict[str, Rows]
Writer = Callable[[Path, Logs], Path]

START = datetime(2025, 3, 1, tzinfo=UTC)
LENIENT = MiningSettings.model_validate(
    {"robot_daily_searches": 10**6, "robot_gap_variation": 0, "robot_click_rate": 0, "embedding_words": 20_000}
)
NEEDS = [
    [f"{thing} {what}" for what in ("price", "shop", "review", "used")] for thing in ("rose", "bike", "tent", "sofa")
]


def market(days: int = 10, users_a_day: int = 60) -> Logs:
    """Sessions that stay with one need, pages clicked for a need, advertisers of two needs; the last day buys more."""
    generator = random.Random(3)
    logs: Logs = {"searches": [], "clicks": [], "bids": [], "pages": []}
    for day in range(days):
        for user in range(users_a_day):
            need = generator.choice(NEEDS)
            when = START + timedelta(days=day, minutes=generator.randrange(1000))
            for step in range(generator.choice([1, 2, 3, 4])):
                query = generator.choice(need if generator.random() < 0.9 else generator.choice(NEEDS))
                ts = when + timedelta(seconds=60 * step)
                row = {"ts": ts, "user_id": f"u{day}-{user}", "query": query}
                logs["searches"].append({**row, "search_id": f"s{len(logs['searches']):05d}"})
                page = f"http://{query.split()[0]}.example/{generator.randrange(3)}"
                logs["clicks"].append({**row, "ts": ts + timedelta(seconds=5), "url": page})
    for number, need in enumerate(NEEDS):
        logs["pages"] += [
            {"url": f"http://{need[0].split()[0]}.example/{page}", "title": f"{need[page]} today", "text": ""}
            for page in range(3)
        ]
        for place, keyword in enumerate(need):
            created = START + timedelta(days=days - 1 if place == 3 else 0, hours=1)
            logs["bids"] += [
                {
                    "advertiser_id": f"a{other}", "campaign": "c", "ad_group": "g", "keyword": keyword,
                    "match_type": "exact", "bid_micros": 10, "status": "enabled", "created_ts": created,
                }
                for other in (number, (number + 1) % len(NEEDS))
            ]  # fmt: skip
    return logs


@pytest.fixture(scope="module")
def logs(written_logs: Writer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_logs(tmp_path_factory.mktemp("market") / "logs", market())


@pytest.fixture(scope="module")
def split(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> SplitLog:
    return split_logs(logs, READ_TABLES, split_moment(logs, 0.8), tmp_path_factory.mktemp("split"))


@pytest.fixture(scope="module")
def earlier(split: SplitLog) -> Path:
    mine(split.earlier, split.earlier.parent / "mined", LENIENT)
    return split.earlier.parent / "mined"


@pytest.fixture(scope="module")
def evidence(earlier: Path) -> PairEvidence:
    return PairEvidence(earlier)


@pytest.fixture(scope="module")
def model(logs: Path) -> FusionModel:
    return train_fusion(logs, LENIENT)


def test_every_pair_stands_once_with_what_each_miner_says(evidence: PairEvidence, earlier: Path) -> None:
    keywords = evidence.keywords.to_pylist()
    tables = {
        name: pq.read_table(earlier / f"{miner.table}.parquet").to_pylist() for name, miner in PAIR_MINERS.items()
    }
    rows = {name: {(row["keyword"], row["neighbor"]): row for row in table} for name, table in tables.items()}
    [pairs] = list(evidence.pairs())
    names = [(keywords[a], keywords[b]) for a, b in zip(pairs.keyword, pairs.neighbor, strict=True)]
    assert names == sorted(set().union(*rows.values()))
    searches = {
        row["keyword"]: row["searches"] for row in pq.read_table(earlier / "keyword_statistics.parquet").to_pylist()
    }
    for place, (keyword, neighbor) in enumerate(names):
        for miner, found in rows.items():
            assert pairs.found[miner][place] == ((keyword, neighbor) in found)
        for feature in MINED_FEATURES:
            row = rows[feature.miner].get((keyword, neighbor))
            value = pairs.column(feature.name)[place]
            if row is None:
                assert value == 0
            elif feature.column != STRENGTH:
                exact = np.log1p(row[feature.column]) if feature.logarithm else row[feature.column]
                assert value == pytest.approx(exact, rel=1e-6), feature.name
            else:
                assert 0 <= value <= 1
        left, right = set(tokens(keyword)), set(tokens(neighbor))
        assert pairs.column("words.shared")[place] == pytest.approx(len(left & right) / max(len(left), len(right)))
        assert pairs.column("neighbor.searches")[place] == pytest.approx(np.log1p(searches[neighbor]), rel=1e-6)
    some = np.array([1, 5])
    chosen = np.flatnonzero(np.isin(pairs.keyword, some))
    assert np.array_equal(evidence.pairs_of(some).features, pairs.features[chosen])


def test_pairs_in_many_parts_are_the_same_pairs(evidence: PairEvidence, monkeypatch: pytest.MonkeyPatch) -> None:
    [whole] = list(evidence.pairs())
    monkeypatch.setattr("mining.pair_evidence.PAIRS_AT_A_TIME", 7)
    parts = list(evidence.pairs())
    assert len(parts) > 5
    assert np.array_equal(np.concatenate([part.features for part in parts]), whole.features)


def test_pairs_that_no_miner_has_are_described_too(evidence: PairEvidence) -> None:
    [whole] = list(evidence.pairs())
    every = np.arange(len(evidence) ** 2)
    described = evidence.describe(every)
    found = np.isin(every, whole.keyword * len(evidence) + whole.neighbor)
    assert np.array_equal(described.features[found], whole.features)
    mined = [NAMES.index(feature.name) for feature in MINED_FEATURES]
    assert not described.features[~found][:, mined].any()
    assert len(evidence.describe(np.empty(0, np.int64))) == 0


def test_labels_equal_a_naive_reading_of_the_later_log(split: SplitLog, evidence: PairEvidence) -> None:
    found = read_confirmations(split, evidence.keywords, LENIENT)
    keywords = evidence.keywords.to_pylist()
    later = {name: pq.read_table(split.later / name).to_pylist() for name in ("searches", "clicks", "bids")}
    before = {(row["advertiser_id"], row["keyword"]) for row in pq.read_table(split.earlier / "bids").to_pylist()}
    by_user: dict[str, list[str]] = {}
    for row in sorted(later["searches"], key=lambda row: row["ts"]):
        by_user.setdefault(row["user_id"], []).append(row["query"])
    following = {pair for typed in by_user.values() for pair in pairwise(typed)}
    pages: dict[str, set[str]] = {}
    for row in later["clicks"]:
        pages.setdefault(row["query"], set()).add(row["url"])
    new = {(row["advertiser_id"], row["keyword"]) for row in later["bids"]} - before
    ever = new | before
    told = (pair for typed in by_user.values() for pair in pairwise(typed))
    steps = Counter((a, b) for a, b in told if a != b and {a, b} <= set(keywords))
    assert found.followed.tolist() == [sum(n for pair, n in steps.items() if pair[0] == one) for one in keywords]
    [pairs] = list(evidence.pairs())
    assert found.next_counts(pairs.keyword, pairs.neighbor).tolist() == [
        steps[keywords[a], keywords[b]] for a, b in zip(pairs.keyword, pairs.neighbor, strict=True)
    ]
    kinds = found.by_kind(pairs.keyword, pairs.neighbor)
    for place, (own, other) in enumerate(zip(pairs.keyword.tolist(), pairs.neighbor.tolist(), strict=True)):
        a, b = keywords[own], keywords[other]
        bought = {one for one, keyword in new if keyword == a} & {one for one, keyword in ever if keyword == b}
        bought |= {one for one, keyword in ever if keyword == a} & {one for one, keyword in new if keyword == b}
        assert kinds["searched_next"][place] == ((a, b) in following)
        assert kinds["clicked_in_common"][place] == bool(pages.get(a, set()) & pages.get(b, set()))
        assert kinds["bought_together"][place] == bool(bought)
    assert all(kind.any() and not kind.all() for kind in kinds.values())
    searched = {query for typed in by_user.values() for query in typed}
    assert found.judged(pairs.keyword, pairs.neighbor).tolist() == [
        keywords[a] in searched and keywords[b] in searched for a, b in zip(pairs.keyword, pairs.neighbor, strict=True)
    ]


def test_nothing_after_the_cut_changes_a_feature(
    logs: Path, split: SplitLog, earlier: Path, written_logs: Writer, tmp_path: Path
) -> None:
    """The later part is told anew, with other sessions, clicks and bids: the same is mined from the earlier part."""
    whole = market()
    cut = split.moment
    told = {
        name: [row for row in rows if name == "pages" or row.get("ts", row.get("created_ts")) < cut]
        for name, rows in whole.items()
    }
    later = cut + timedelta(hours=5)
    for number in range(40):
        who = {"user_id": f"late{number}", "ts": later + timedelta(minutes=number)}
        told["searches"].append({**who, "query": "rose price", "search_id": f"z{number}a"})
        told["searches"].append({**who, "query": "bike shop", "search_id": f"z{number}b"})
        told["clicks"].append({**who, "query": "bike shop", "url": "http://rose.example/0"})
    told["bids"] += [{**row, "advertiser_id": "late", "created_ts": later} for row in whole["bids"]]
    folder = written_logs(tmp_path / "logs", told)
    again = split_logs(folder, READ_TABLES, cut, tmp_path)
    mine(again.earlier, tmp_path / "mined", LENIENT)
    for miner in PAIR_MINERS.values():
        name = f"{miner.table}.parquet"
        assert (tmp_path / "mined" / name).read_bytes() == (earlier / name).read_bytes(), name
    one, other = (next(PairEvidence(folder).pairs()) for folder in (earlier, tmp_path / "mined"))
    assert np.array_equal(one.features, other.features)


@given(data=st.data())
@settings(max_examples=10)
def test_the_cut_gives_every_row_to_one_part(
    data: st.DataObject, written_logs: Writer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    minutes = data.draw(st.lists(st.integers(0, 20_000), min_size=2, max_size=20, unique=True))
    share = data.draw(st.floats(0.05, 0.95))
    rows = [
        {"ts": START + timedelta(minutes=minute), "user_id": "u", "query": "q", "search_id": f"s{minute}"}
        for minute in minutes
    ]
    folder = tmp_path_factory.mktemp("cut")
    written_logs(folder / "logs", {"searches": rows})
    cut = split_moment(folder / "logs", share)
    assert min(row["ts"] for row in rows) < cut <= max(row["ts"] for row in rows)
    parts = split_logs(folder / "logs", READ_TABLES, cut, folder)
    before, after = (
        [row["search_id"] for row in pq.read_table(part / "searches").to_pylist()]
        for part in (parts.earlier, parts.later)
    )
    assert sorted(before + after) == sorted(row["search_id"] for row in rows)
    assert set(before) == {row["search_id"] for row in rows if row["ts"] < cut}


def test_a_trained_model_prefers_what_came_true_and_never_punishes_more_evidence(
    model: FusionModel, evidence: PairEvidence
) -> None:
    [pairs] = list(evidence.pairs())
    keywords = evidence.keywords.to_pylist()
    strength = model.strength(pairs.features)
    same = np.array(
        [keywords[a].split()[0] == keywords[b].split()[0] for a, b in zip(pairs.keyword, pairs.neighbor, strict=True)]
    )
    assert area_under_curve(strength, same) > 0.9  # type: ignore[operator]
    assert strength.dtype == np.float32 and strength.min() >= 0 and strength.max() <= 1
    for place, feature in enumerate(FEATURES):
        if feature.direction:
            more = pairs.features.copy()
            more[:, place] += 1.0
            assert (model.next_share(more) >= model.next_share(pairs.features)).all(), feature.name
    rare = at_demand(pairs.features, (0.0, 0.0))
    assert np.array_equal(model.strength(rare), strength), "demand is no part of a strength"
    assert rare[:, DEMAND].max() == 0


def test_the_same_pairs_give_the_same_model_and_its_files_the_same_strengths(
    model: FusionModel, evidence: PairEvidence, tmp_path: Path
) -> None:
    generator = np.random.default_rng(1)
    features = generator.random((400, len(FEATURES))).astype(np.float32)
    confirmed = generator.random(400) < features[:, 0]
    pairs = LabelledPairs(np.arange(400) // 4, features, {"searched_next": confirmed})
    assert fit(pairs).sha256 == fit(pairs).sha256 != model.sha256
    model.write(tmp_path)
    again = FusionModel.read(tmp_path)
    assert again.sha256 == model.sha256 and again.card == model.card
    described = evidence.describe(np.arange(50))
    assert np.array_equal(again.strength(described.features), model.strength(described.features))
    assert np.array_equal(again.next_share(described.features), model.next_share(described.features))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: document["features"].append("moon.phase"), "moon.phase"),
        (lambda document: document["features"].remove("words.shared"), r"without words\.shared"),
        (lambda document: document["features"].reverse(), "order"),
        (lambda document: document.update(format_version=99), "version 99"),
        (lambda document: document.update(knots=[2.0, 1.0], levels=[0.0, 1.0]), "curve"),
        (lambda document: document.pop("card"), "card"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_by_name(
    model: FusionModel, tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    model.write(tmp_path)
    document = json.loads((tmp_path / MODEL).read_text(encoding="utf-8"))
    change(document)
    (tmp_path / MODEL).write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(CorruptError, match=message):
        FusionModel.read(tmp_path)


def test_broken_trees_and_no_model_are_refused_before_anything_is_mined(
    model: FusionModel, logs: Path, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    model.write(tmp_path / "model")
    (tmp_path / "model" / TREES).write_text("no trees", encoding="utf-8")
    (tmp_path / "half").mkdir()
    model.write(tmp_path / "half")
    (tmp_path / "half" / NEXT_TREES).unlink()
    for folder, error in (("model", CorruptError), ("half", CorruptError), ("nowhere", NotFoundError)):
        chosen = LENIENT.model_copy(update={"fusion_model": str(tmp_path / folder)})
        with pytest.raises(error, match=folder):
            mine(logs, tmp_path / "mined", chosen)
    assert not (tmp_path / "mined").exists()


def test_mining_with_a_model_writes_all_evidence_and_the_strength(
    model: FusionModel, logs: Path, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    model.write(tmp_path / "model")
    report = mine(logs, tmp_path / "mined", LENIENT.model_copy(update={"fusion_model": str(tmp_path / "model")}))
    assert report["fusion_model_sha256"] == model.sha256
    assert str(tmp_path) not in json.dumps(report)
    rows = pq.read_table(tmp_path / "mined" / "fused_pairs.parquet").to_pylist()
    found = {(row["keyword"], row["neighbor"]): row for row in rows}
    assert len(found) == len(rows) == report["counts"]["fused_pairs"]
    [pairs] = list(PairEvidence(tmp_path / "mined").pairs())
    assert [row["strength"] for row in rows] == model.strength(pairs.features).tolist()
    for name, miner in PAIR_MINERS.items():
        table = pq.read_table(tmp_path / "mined" / f"{miner.table}.parquet").to_pylist()
        held = {(row["keyword"], row["neighbor"]) for row in table}
        assert held == {pair for pair, row in found.items() if row[name] is not None}, name


@given(st.lists(st.tuples(st.floats(-5, 5), st.booleans()), min_size=1, max_size=40))
def test_the_curve_ascends_and_keeps_the_share_that_was_confirmed(cases: list[tuple[float, bool]]) -> None:
    log_odds, confirmed = np.array([case[0] for case in cases]), np.array([case[1] for case in cases])
    knots, levels = isotonic_curve(log_odds, confirmed)
    assert (np.diff(knots) >= 0).all() and (np.diff(levels) >= 0).all()
    assert levels.min() >= 0 and levels.max() <= 1
    assert levels.mean() == pytest.approx(confirmed.mean())  # up to KNOTS rows a knot is a row


def one_query_sessions() -> Logs:
    searches = [
        {"ts": START + timedelta(days=day, minutes=40 * user), "user_id": f"u{user}", "query": NEEDS[0][user % 4],
         "search_id": f"s{day}-{user}"}
        for day in range(6) for user in range(5)
    ]  # fmt: skip
    return {"searches": searches}


def test_sessions_of_one_query_cannot_be_learned_from_or_asked_about(written_logs: Writer, tmp_path: Path) -> None:
    folder = written_logs(tmp_path / "logs", one_query_sessions())
    with pytest.raises(UsageError, match="confirms 0 of the pairs"):
        train_fusion(folder, LENIENT)
    with pytest.raises(UsageError, match="two different queries"):
        evaluate_sessions(folder, LENIENT)


def test_a_log_of_one_moment_has_no_later_part(written_logs: Writer, tmp_path: Path) -> None:
    folder = written_logs(
        tmp_path / "logs", {"searches": [{"ts": START, "user_id": "u", "query": "q", "search_id": "s"}]}
    )
    with pytest.raises(UsageError, match="later part"):
        evaluate_sessions(folder, LENIENT)


def test_searches_alone_are_enough(written_logs: Writer, tmp_path: Path) -> None:
    """No clicks, no pages, no bids: the fusion learns from sessions."""
    folder = written_logs(tmp_path / "logs", {"searches": market(users_a_day=200)["searches"]})
    result = evaluate_sessions(folder, LENIENT)
    rows = {(row["variant"], row["system"]): row for row in result["rows"]}
    assert result["compared_with"] == "fusion" and result["questions"] > 100
    for variant in ("current", "session"):
        assert rows[variant, "fusion"]["mrr_at_10"] > rows[variant, "popularity"]["mrr_at_10"]
        assert rows[variant, "popularity"]["p"] < 0.05
        assert rows[variant, "click_clusters"]["coverage"] == 0
        assert rows[variant, "fusion"]["p"] is None
    json.dumps(result, allow_nan=False)
