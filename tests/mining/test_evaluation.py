"""Evaluation against the planted truth, checked with plain Python on the small market."""

import json
import math
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mining.evaluation
from indexes.errors import NotFoundError
from mining.burst_evaluation import burst_rows
from mining.evaluation import BEST_ORDER, CUT, MIN_SEARCHES, evaluate_miners
from mining.mined_pairs import PAIR_MINERS
from mining.mined_tables import MINED_TABLES
from mining.pair_strength import rule_strength
from mining.simulator.truth import Truth

Rows = dict[str, dict[str, Any]]
ASKED = 60


@pytest.fixture(scope="module")
def evaluated(small_market: Path) -> Rows:
    """The rows of the small market by system, asked for few keywords."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mining.evaluation, "QUERIES", ASKED)
        rows = evaluate_miners(small_market / "mined", small_market / "truth")
    return {row["system"]: row for row in rows}


def test_metrics_of_the_rules_equal_a_naive_count(small_market: Path, evaluated: Rows) -> None:
    truth = Truth.load(small_market / "truth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mining.evaluation, "QUERIES", ASKED)
        asked = [truth.keywords[row] for row in mining.evaluation.asked_keywords(truth)]
    rules = pq.read_table(small_market / "mined" / "association_rules.parquet")
    strength = rule_strength(*(rules[name].to_numpy() for name in ("lift", "support", "users"))).tolist()
    ranked: dict[str, list[tuple[float, int, str]]] = {keyword: [] for keyword in asked}
    for row, score in zip(rules.to_pylist(), strength, strict=True):
        if row["keyword"] in ranked:
            ranked[row["keyword"]].append((-score, truth.row_of[row["neighbor"]], row["neighbor"]))
    totals: dict[str, list[float]] = {
        "coverage": [],
        "precision": [],
        "precision_at_10": [],
        "recall": [],
        "ndcg_at_10": [],
    }
    for keyword, scored in ranked.items():
        found = [neighbor for _, _, neighbor in sorted(scored)]
        grades = truth.grades([keyword] * len(found), found).tolist()
        right = [grade >= 2 for grade in grades]
        wanted = [other for other, grade in truth.neighbors(keyword, MIN_SEARCHES) if grade >= 2]
        every = truth.grades([keyword] * len(truth.keywords), truth.keywords).tolist()
        totals["coverage"].append(bool(found))
        if found:
            totals["precision"].append(sum(right) / len(found))
        totals["precision_at_10"].append(sum(right[:CUT]) / CUT)
        if wanted:
            totals["recall"].append(len(set(wanted) & set(found)) / len(wanted))
        if any(every):
            totals["ndcg_at_10"].append(gain(grades) / gain(sorted(every, reverse=True)))
    for name, values in totals.items():
        assert evaluated["association_rules"][name] == pytest.approx(sum(values) / len(values), abs=6e-5), name


def test_no_order_of_the_same_pairs_is_above_the_best_one(evaluated: Rows) -> None:
    best = evaluated[BEST_ORDER]
    for name in (*PAIR_MINERS, "embeddings", "all together"):
        for metric in ("coverage", "precision_at_10", "recall", "ndcg_at_10"):
            assert evaluated[name][metric] <= best[metric], (name, metric)


def gain(grades: list[int]) -> float:
    return sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades[:CUT]))


def test_every_system_has_metrics_inside_their_intervals(evaluated: Rows) -> None:
    served = ["cooccurrence", "association_rules", "click_clusters", "embeddings"]
    expected = {
        *PAIR_MINERS,
        "embeddings",
        "all together",
        *(f"all but {miner}" for miner in served),
        "sessions",
        "robots",
        "bursts",
    }
    assert expected <= evaluated.keys()
    json.dumps(list(evaluated.values()), allow_nan=False)
    for row in evaluated.values():
        for name in ("coverage", "precision", "precision_at_10", "recall", "ndcg_at_10"):
            if row.get(name) is not None:
                low, high = row[f"{name}_interval"]
                assert 0 <= low <= row[name] <= high <= 1, (row["system"], name)


def test_all_miners_together_find_more_than_each_alone(evaluated: Rows) -> None:
    together = evaluated["all together"]
    for miner in ("cooccurrence", "association_rules", "click_clusters"):
        assert together["recall"] > evaluated[miner]["recall"]
        assert together["coverage"] >= evaluated[miner]["coverage"]


def test_embeddings_add_right_keywords_and_cost_no_precision(evaluated: Rows) -> None:
    together, without = evaluated["all together"], evaluated["all but embeddings"]
    for name in ("precision", "precision_at_10", "recall", "ndcg_at_10"):
        assert together[name] > without[name], name
    assert evaluated["embeddings"]["precision"] > 0.9


def test_sessions_and_robots_of_the_small_market_are_found(evaluated: Rows) -> None:
    assert evaluated["robots"]["precision"] == evaluated["robots"]["recall"] == 1.0
    assert evaluated["sessions"]["precision"] > 0.98
    assert evaluated["sessions"]["recall"] > 0.98


def test_a_robot_that_is_missed_and_a_person_taken_for_one_cost_recall_and_precision(
    small_market: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_market / "mined", tmp_path / "mined")
    path = tmp_path / "mined" / "robot_users.parquet"
    robots = pq.read_table(path).to_pylist()
    person = pq.read_table(small_market / "mined" / "sessions.parquet")["user_id"][0].as_py()
    changed = [robots[0] | {"user_id": person}, *robots[1:]]
    pq.write_table(MINED_TABLES["robot_users"].schema.empty_table().from_pylist(changed), path)
    row = mining.evaluation.session_rows(tmp_path / "mined", small_market / "truth")[1]
    expected = pytest.approx((len(robots) - 1) / len(robots), abs=1e-4)
    assert row["system"] == "robots"
    assert row["precision"] == expected
    assert row["recall"] == expected


def test_bursts_are_right_on_planted_days_of_the_keyword_or_of_its_product(tmp_path: Path) -> None:
    day = [date(2024, 1, number) for number in range(1, 31)]

    def write(folder: str, name: str, **columns: Any) -> None:
        (tmp_path / folder).mkdir(exist_ok=True)
        pq.write_table(pa.table(columns), tmp_path / folder / f"{name}.parquet")

    write("truth", "keywords", keyword=["a", "b", "c"], product_id=["p", "p", "q"])
    write(
        "truth", "bursts", product_id=["p", "q", "q"], keyword=[None, "c", "gone"],
        first_date=[day[5], day[20], day[3]], last_date=[day[8], day[22], day[4]],
    )  # fmt: skip
    # Right by its product; right by its keyword; a day too late; a keyword that has no burst of its own.
    write(
        "mined", "bursts", keyword=["a", "c", "b", "c"],
        first_date=[day[8], day[18], day[9], day[4]], last_date=[day[10], day[20], day[11], day[4]],
    )  # fmt: skip
    [row] = burst_rows(tmp_path / "mined", tmp_path / "truth")
    assert (row["precision"], row["recall"]) == (0.5, pytest.approx(2 / 3, abs=1e-4))


@pytest.mark.parametrize("missing", ["mined", "truth"])
def test_a_missing_folder_is_named(small_market: Path, tmp_path: Path, missing: str) -> None:
    folders = {name: tmp_path / "nowhere" if name == missing else small_market / name for name in ("mined", "truth")}
    with pytest.raises(NotFoundError, match="nowhere"):
        evaluate_miners(folders["mined"], folders["truth"])
