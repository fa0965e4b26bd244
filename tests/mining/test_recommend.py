"""Training and evaluating recommendations: what may be read before the cut, what counts as bought after it."""

import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.account_recall import ORIGINS
from indexes.blend_model import FEATURES, BlendModel
from indexes.errors import CorruptError, NotFoundError, UsageError
from indexes.recommendation_blend import features
from indexes.text import normalise
from kr.pipelines.recommendations import RecommendationRequest
from kr.service import KeywordService
from kr.settings import Settings
from mining import recommend_training
from mining.build import build
from mining.log_split import split_logs, split_moment
from mining.recommend_evaluation import CUT, FIXED, LEARNED, evaluate_cut, measured
from mining.recommend_model import MODEL, read_blend, write_blend
from mining.recommend_page import recommend_section, recommend_table
from mining.recommend_questions import COLD, HISTORY, SPLIT_TABLES, EarlierLog, bought_texts
from mining.settings import mining_settings

SHARE = 0.7


@pytest.fixture(scope="module")
def log(small_market: Path, tmp_path_factory: pytest.TempPathFactory) -> EarlierLog:
    """The small market cut in two, with verdicts on both sides of the cut."""
    folder = tmp_path_factory.mktemp("recommend")
    logs = folder / "logs"
    logs.mkdir()
    for table in SPLIT_TABLES:
        if (small_market / "logs" / table).is_dir():
            (logs / table).symlink_to(small_market / "logs" / table)
    moment = split_moment(logs, SHARE)
    later = bought_texts(small_market / "logs")["a000007"]
    _write_feedback(logs, moment, sorted(later)[:6])
    split = split_logs(logs, SPLIT_TABLES, moment, folder)
    return EarlierLog(split, mining_settings(()), folder)


def _write_feedback(logs: Path, moment: datetime, keywords: list[str]) -> None:
    said = [
        (moment.replace(year=moment.year - 1), "a000007", keywords[0], "up"),
        (moment.replace(year=moment.year - 1), "a000007", keywords[1], "not_my_business"),
        (moment, "a000007", keywords[2], "up"),
    ]
    (logs / "feedback").mkdir()
    columns = {
        "ts": pa.array([row[0] for row in said], pa.timestamp("us", tz="UTC")),
        "account_id": [row[1] for row in said],
        "query": ["q"] * len(said),
        "keyword": [row[2] for row in said],
        "verdict": [row[3] for row in said],
    }
    pq.write_table(pa.table(columns), logs / "feedback" / "said.parquet")


@pytest.fixture(scope="module")
def model(log: EarlierLog) -> dict[str, object]:
    """A quick one: fewer rounds, no masked lists, a third of the others."""
    asked = recommend_training.asked_lists
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recommend_training, "ROUNDS", 20)
        patch.setattr(recommend_training, "MASKS", 0)
        patch.setattr(recommend_training, "asked_lists", lambda log: islice(asked(log), 0, None, 3))
        return recommend_training.fit(log)


def test_nothing_after_the_cut_reaches_what_is_recalled_from(log: EarlierLog) -> None:
    moment = log.split.moment
    day = (moment.date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days
    assert int(np.asarray(log.accounts.first_day).max()) < day
    assert int(np.asarray(log.accounts.last_day).max()) < day
    assert int(np.asarray(log.indexes.stats.last_day[np.arange(len(log.indexes.keywords))]).max()) < day
    assert (log.accounts.rising[:, 4] < day).all()
    bids = pq.read_table(log.split.earlier / "bids")
    assert max(bids["created_ts"].to_pylist()) < moment
    before = bought_texts(log.split.earlier)
    for account in range(0, len(log.accounts), 9):
        owned = log.indexes.keywords.take(log.accounts.owned_keywords(account))
        assert set(owned) <= before.get(log.accounts.ids[account], set())


def test_an_account_that_begins_later_is_known_by_industry_and_site_alone(log: EarlierLog) -> None:
    before = bought_texts(log.split.earlier)
    new = [place for place in range(len(log.accounts)) if log.accounts.ids[place] not in before]
    assert new
    assert all(not len(log.accounts.owned_keywords(place)) for place in new)
    assert all(log.accounts.industry[place] >= 0 for place in new)


def test_what_counts_as_bought_is_new_and_what_was_said_before_is_told_apart(log: EarlierLog) -> None:
    questions = list(log.questions(HISTORY))
    assert questions
    for question in questions:
        assert len(question.bought)
        assert not set(question.bought.tolist()) & set(question.profile.owned.tolist())
        assert question.profile.left_out == question.account
    profile = log.profile(log.accounts.ids.find("a000007"))
    words = sorted(bought_texts(log.split.earlier.parent / "logs")["a000007"])
    ids = [log.indexes.keywords.find(normalise(word)) for word in words[:3]]
    assert set(profile.liked.tolist()) == {ids[0]} - {-1}
    assert set(profile.disliked.tolist()) == {ids[1]} - {-1}


def test_cold_start_asks_for_every_buyer_and_shows_none_of_its_purchases(log: EarlierLog) -> None:
    questions = list(log.questions(COLD))
    assert len(questions) > len(list(log.questions(HISTORY)))
    assert all(question.hidden for question in questions)


def test_what_is_learned_from_holds_no_owned_keyword_and_labels_what_was_bought(log: EarlierLog) -> None:
    question = next(iter(log.questions(HISTORY)))
    matrix, label = recommend_training.learned_from(log, question)
    assert matrix.shape == (len(label), len(FEATURES))
    assert set(label.tolist()) <= {0, 1, 2}
    recalled = log.recall.find(question.profile)
    known = np.isin(question.bought, recalled.keyword_id[log.shown(question, recalled)])
    assert (label == 2).sum() == known.sum()


def test_the_same_log_gives_the_same_model_and_a_damaged_one_is_refused(
    log: EarlierLog, model: dict[str, object], tmp_path: Path
) -> None:
    write_blend(tmp_path, model)
    read = read_blend(tmp_path)
    assert read == json.loads(json.dumps(model))
    assert BlendModel.of_document(read, "x").sha256 == model["sha256"]
    file = tmp_path / MODEL
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace("leaf_value", "leaf_valve", 1), encoding="utf-8")
    with pytest.raises(CorruptError, match="trees"):
        read_blend(tmp_path)
    write_blend(tmp_path, {**model, "features": [*FEATURES[1:], "another"]})
    with pytest.raises(CorruptError, match="features"):
        read_blend(tmp_path)
    with pytest.raises(NotFoundError, match="train recommend"):
        read_blend(tmp_path / "nowhere")


def test_a_snapshot_serves_the_model_that_it_was_built_with_bit_for_bit(
    small_market: Path, model: dict[str, object], tmp_path: Path
) -> None:
    import lightgbm

    folder = tmp_path / "model"
    folder.mkdir()
    write_blend(folder, model)
    facts = build(small_market / "mined", tmp_path / "store", recommend_model=folder)
    assert facts["recommendation_model_sha256"] == model["sha256"]
    service = KeywordService.open(Settings(store=tmp_path / "store"))
    reply = service.recommendations(RecommendationRequest((), limit=30, account="a000007"))
    assert reply.model == model["sha256"]
    blend = service.indexes.blend
    assert blend is not None
    offer = service.opened().recommendations
    assert offer.finder is not None
    found = offer.finder.find(RecommendationRequest((), account="a000007")).recalled
    raw = lightgbm.Booster(model_str=blend.trees).predict(features(found, service.indexes.stats), raw_score=True)
    expected = dict(zip(found.keyword_id.tolist(), blend.scaled(raw).tolist(), strict=True))
    for row in reply.rows:
        assert row["relevance"] == round(min(expected[service.indexes.keywords.find(row["text"])], 1.0), 4)


def test_the_evaluation_has_a_row_for_every_origin_blend_and_peer(
    log: EarlierLog, model: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {variant: list(log.questions(variant))[:40] for variant in (HISTORY, COLD)}
    monkeypatch.setattr(log, "questions", lambda variant: iter(few[variant]))
    result = {"share": SHARE, "no_model": None, **evaluate_cut(log, model)}
    for variant in (HISTORY, COLD):
        rows = {row["system"]: row for row in result["rows"] if row["variant"] == variant}
        assert set(ORIGINS) | {FIXED, LEARNED, "popularity", "popularity within the industry"} <= set(rows)
        assert sum("implicit" in name for name in rows) >= 4
        for row in rows.values():
            assert 0 <= row["ndcg_at_20"] <= 1 and 0 <= row["recall_at_20"] <= 1
            low, high = row["ndcg_at_20_interval"]
            assert low <= row["ndcg_at_20"] <= high
            assert (row["p"] is None) == (row["system"] == LEARNED)
    cold = {row["system"]: row for row in result["rows"] if row["variant"] == COLD}
    assert cold["item-kNN, BM25 (implicit)"]["coverage"] == 0
    assert cold[LEARNED]["coverage"] > 0.9
    assert "learned blend" in recommend_table(result)
    assert "### Cold start" in recommend_section(result, "a command")


@given(st.lists(st.integers(0, 40), max_size=CUT, unique=True), st.lists(st.integers(-1, 40), min_size=1, max_size=60))
def test_the_measures_are_what_plain_python_says(named: list[int], bought: list[int]) -> None:
    known = sorted({keyword for keyword in bought if keyword >= 0})
    bought = known + [-1] * (len(bought) - len(known))
    recall, ndcg, coverage = measured(np.array(named, np.int64), np.array(bought, np.int64))
    hits = [place for place, keyword in enumerate(named, 1) if keyword in known]
    most = min(CUT, len(bought))
    ideal = sum(1 / np.log2(place + 1) for place in range(1, most + 1))
    assert recall == pytest.approx(len(hits) / most)
    assert ndcg == pytest.approx(sum(1 / np.log2(place + 1) for place in hits) / ideal)
    assert coverage == bool(named)


def test_a_log_in_which_nobody_buys_anything_new_is_refused_with_a_remedy(
    log: EarlierLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "questions", lambda variant: iter(()))
    monkeypatch.setattr(recommend_training, "MASKS", 0)
    with pytest.raises(UsageError, match="longer log"):
        recommend_training.fit(log)
    with pytest.raises(UsageError, match="anything new"):
        evaluate_cut(log, None)
