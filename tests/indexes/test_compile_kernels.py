"""After the kernels were compiled, nothing that asks a snapshot compiles anything."""

import os
import subprocess
import sys
from pathlib import Path

import indexes.compiled
from indexes.compile_kernels import compile_kernels

ROOT = Path(__file__).parents[2]
ASK = """
import sys
from pathlib import Path
from indexes.opened import Indexes
from indexes.prefixes_query import Query
indexes = Indexes.open(Path(sys.argv[1]))
for text in ("xh", "xianhua", "xian花", "鲜", "flowesr"):
    indexes.prefixes.top(Query.of(text), 10)
"""


def kernel_files() -> dict[str, int]:
    """Compiled files by name, with the time of their last change."""
    found: dict[str, int] = {}
    for folder in indexes.compiled.folders(ROOT / "indexes" / "prefixes_exact.py"):
        if folder.is_dir():
            found |= {str(path): path.stat().st_mtime_ns for path in folder.glob("*.nb*")}
    return found


def test_a_published_snapshot_is_asked_without_compiling(small_store: Path) -> None:
    compile_kernels()
    before = kernel_files()
    assert any("offer_exact" in name for name in before)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", ASK, str(small_store)], check=True, env=environment, timeout=500)
    assert kernel_files() == before


def test_a_changed_module_below_a_kernel_makes_its_code_stale(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text("from somewhere.middle import inner\n")
    (tmp_path / "middle.py").write_text("from somewhere.bottom import CONSTANT\n")
    (tmp_path / "bottom.py").write_text("CONSTANT = 1\n")
    (tmp_path / "unrelated.py").write_text("OTHER = 1\n")
    stamp = indexes.compiled._stamp.__wrapped__
    before = stamp(tmp_path / "kernel.py")
    (tmp_path / "unrelated.py").write_text("OTHER = 2\n")
    assert stamp(tmp_path / "kernel.py") == before
    (tmp_path / "bottom.py").write_text("CONSTANT = 2\n")
    assert stamp(tmp_path / "kernel.py") != before
