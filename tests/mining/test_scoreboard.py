"""The scoreboard's page: a section an evaluation, others left alone."""

from pathlib import Path
from typing import Any

from mining.evaluation import BEST_ORDER
from mining.next_query import MEASURES, VARIANTS
from mining.scoreboard import headroom, miners_section, sessions_section, text_table, write_section


def result() -> dict[str, Any]:
    rows = []
    for variant in VARIANTS:
        for name, mrr, p in (("fusion", 0.2, None), ("popularity", 0.1, 0.003)):
            row = {"system": name, "variant": variant, "p": p, "difference": None if p is None else -0.1}
            for measure in MEASURES:
                row |= {measure: mrr, f"{measure}_interval": [mrr - 0.01, mrr + 0.01]}
            rows.append(row | {"mrr_at_10_head": None, "mrr_at_10_head_interval": None})
    return {
        "split": "2024-04-07T00:00:00+00:00",
        "searches": {"earlier": 1000, "later": 200},
        "keywords": 300,
        "questions": 120,
        "users": 40,
        "current_known": 0.8,
        "answerable": 0.7,
        "no_fusion": None,
        "compared_with": "fusion",
        "rows": rows,
    }


def test_a_section_names_command_sizes_and_every_row() -> None:
    text = sessions_section(result(), "python manage.py evaluate sessions --logs var/logs")
    assert "`python manage.py evaluate sessions --logs var/logs`" in text
    assert "1,000 searches of 300 keywords before 2024-04-07 00:00" in text
    assert text.count("| **fusion** | 0.200 [0.190, 0.210] |") == 2
    assert text.count("| popularity | 0.100 [0.090, 0.110] |") == 2
    assert "| – |" in text and "0.003 (-0.100)" in text
    assert all(len(line) <= 120 or line.startswith("|") for line in text.splitlines()[4:])
    assert "popularity" in text_table(result())


def test_why_there_is_no_fusion_is_said() -> None:
    assert "too short a log" in sessions_section(result() | {"no_fusion": "too short a log"}, "command")


def test_a_section_takes_the_place_of_its_former_self_only(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "scoreboard.md"
    write_section(page, "One", "first\n\n### Part\n\nof one")
    write_section(page, "Two", "second")
    write_section(page, "One", "third")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Scoreboard\n") and text.endswith("\n") and not text.endswith("\n\n")
    assert text.count("## One\n") == text.count("## Two\n") == 1
    assert "first" not in text and "### Part" not in text
    assert text.index("third") < text.index("## Two") < text.index("second")
    before = page.read_bytes()
    write_section(page, "Two", "second")
    assert page.read_bytes() == before


def test_what_a_row_does_not_measure_is_left_open() -> None:
    row = {"system": "robots", "queries": None, "precision": 1.0, "precision_interval": [0.9, 1.0]}
    full = {"system": "fusion", "queries": 2000, "recall": 0.5, "recall_interval": [0.4, 0.6]}
    text = miners_section([full, row], "command")
    assert "2,000 keywords" in text
    assert "| robots | – | 1.000 [0.900, 1.000] | – | – | – |" in text


def test_the_room_above_the_best_single_miner_is_told_beside_the_aim() -> None:
    def row(system: str, precision: float, recall: float, ndcg: float) -> dict[str, Any]:
        found = {"system": system, "queries": 10, "precision_at_10": precision, "recall": recall, "ndcg_at_10": ndcg}
        return found | {f"{name}_interval": [0.0, 1.0] for name in ("precision_at_10", "recall", "ndcg_at_10")}

    rows = [row("page_terms", 0.95, 0.4, 0.8), row("cooccurrence", 0.5, 0.1, 0.5), row("fusion", 0.99, 0.5, 0.85)]
    assert headroom(rows) == "", "a page of a run that did not ask for the best order"
    text = miners_section([*rows, row(BEST_ORDER, 1.0, 0.5, 0.9)], "command")
    assert "| precision@10 | page_terms 0.950 | 0.990 | +4.2% | 1.045, more than there is | 1.000 | 80% |" in text
    assert "| recall | page_terms 0.400 | 0.500 | +25.0% | 0.440 | 0.500 | 100% |" in text
    assert "| NDCG@10 | page_terms 0.800 | 0.850 | +6.2% | 0.880 | 0.900 | 50% |" in text
