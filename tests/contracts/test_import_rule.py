"""webui → kr → indexes ← mining: who may import whom (DESIGN §1)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGES = ("indexes", "kr", "mining", "webui")
MAY_IMPORT = {"indexes": set(), "mining": {"indexes"}, "kr": {"indexes"}, "webui": {"kr", "indexes"}}


def imports_of(file: Path) -> set[str]:
    """The top-level packages that a file imports anywhere, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import; write whole names"
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    files = list((PROJECT / package).rglob("*.py"))
    assert files
    allowed = MAY_IMPORT[package] | {package}
    broken = {
        str(file.relative_to(PROJECT)): sorted(wrong)
        for file in files
        if (wrong := (imports_of(file) & set(PACKAGES)) - allowed)
    }
    assert not broken


def test_the_rule_is_seen_to_be_broken(tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text("def f():\n    from mining.build import build\n", encoding="utf-8")
    assert imports_of(file) == {"mining"}


def test_the_engine_knows_no_business_word() -> None:
    source = (PROJECT / "kr" / "pipeline.py").read_text(encoding="utf-8") + (PROJECT / "kr" / "types.py").read_text(
        encoding="utf-8"
    )
    imported = imports_of(PROJECT / "kr" / "pipeline.py")
    assert imported <= {"time", "collections", "dataclasses", "numpy", "kr", "indexes"}
    for word in ("cooccurrence", "bm25", "audit", "unsafe", "marketing", "cluster"):
        assert word not in source.lower()


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys; sys.argv = ['manage.py', '--help']\n"
        "import manage\n"
        "try:\n    manage.run()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'pyarrow', 'duckdb', 'ibis', 'networkx', 'scipy', 'flask', 'jieba', 'rjieba', 'pydantic'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=300)
    assert "Commands:" in result.stdout
    assert "LOADED []" in result.stdout
