"""How long a fresh process takes to its first answer, beside one that only imports numpy."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from indexes.bench_corpus import make_corpus
from indexes.bench_table import bench_row
from indexes.postings import write_postings
from indexes.terminal import step

STARTS = 10
NUMPY_ALONE = "import numpy; print(0)"
FIRST_ANSWER = """
import sys
from pathlib import Path
from indexes.arrays import ArrayFolder
from indexes.postings import Postings
print(len(Postings(ArrayFolder(Path(sys.argv[1]))).top([0, 1, 2], 1000)[0]))
"""


def run_start_bench(keywords: int, folder: Path) -> list[dict[str, Any]]:
    """Rows of both, which take turns; `ratio` is how many times the import of numpy a row takes."""
    with step(f"draw and write {keywords:,} keywords"):
        corpus = make_corpus(keywords)
        started = time.monotonic()
        write_postings(folder, len(corpus.words.texts), corpus.offsets, corpus.tokens)
        build_s = time.monotonic() - started
    programs = {"KR, first answer": FIRST_ANSWER, "numpy, imported": NUMPY_ALONE}
    times: dict[str, list[float]] = {name: [] for name in programs}
    for program in programs.values():  # the first time numba may compile, and pages are read
        _seconds(program, folder)
    with step(f"start {STARTS} processes of each"):
        for _ in range(STARTS):
            for name, program in programs.items():
                times[name].append(_seconds(program, folder))
    rows = [bench_row(name, np.array(seconds) * 1000) for name, seconds in times.items()]
    rows[0] |= {
        "build_s": build_s,
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        "agrees": True,
    }
    for row in rows:
        row["ratio"] = row["mean_ms"] / rows[1]["mean_ms"]
    return rows


def _seconds(program: str, folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
