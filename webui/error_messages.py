"""Which messages of errors can reach a page or a caller of the API, read out of the code.

Errors are raised with templates written out, or with a `Message`; both are found here by their syntax, for the catalog
of translations and for the test that nothing is missing from it.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from kr.mistakes import FIELD_MISTAKES

ROOT = Path(__file__).parents[1]
SOURCES = ("indexes/snapshot*.py", "indexes/unsafe_*.py", "kr/**/*.py", "webui/**/*.py")
COMMAND_LINE_ONLY = (
    "*/command_files.py",
    "*/commands.py",
    "*_commands.py",
    "*_bench.py",
    "*_evaluation.py",
    "kr/client/*",
    "kr/mistakes.py",  # passes on what was found
    "kr/pages/evaluation.py",
    "kr/relevance/*",  # training, and models that are opened at the start
    "kr/search_options.py",
    "kr/settings.py",
    "kr/store/backup.py",
    "kr/store/database.py",
    "kr/store/migrating.py",
    "kr/store/verdict_export.py",
    "webui/demo_*.py",
    "webui/serving.py",
    "webui/settings.py",
    "webui/widgets/event_log.py",
)
"""Their errors are seen by the operator at a terminal, and are English as the terminal is."""
_ERRORS = frozenset({"UsageError", "NotFoundError"})
_TRANSLATED = frozenset({"gettext", "_", "ngettext", "said"})


@dataclass(frozen=True)
class Found:
    """A text of an error: where it stands, and its template; None if it isn't written out there."""

    file: str
    line: int
    template: str | None
    code: str


def error_texts() -> Iterator[Found]:
    """Every text of an error that can be shown to who asked, in the order of files and lines."""
    for mistake in FIELD_MISTAKES:
        yield Found("kr/mistakes.py", 0, mistake, "")
    trees = {file: ast.parse(path.read_text(encoding="utf-8")) for file, path in _files()}
    family = _family(trees.values())
    for file, tree in trees.items():
        constants = _constants(tree, trees)
        own = {
            id(call)
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and node.name in family
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__"
        }
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
            for text in _texts(call, family, own):
                for template in _templates(text, constants):
                    yield Found(file, text.lineno, template, ast.unparse(text))


def _files() -> list[tuple[str, Path]]:
    found = {path.relative_to(ROOT).as_posix(): path for pattern in SOURCES for path in ROOT.glob(pattern)}
    return sorted(
        (file, path) for file, path in found.items() if not any(fnmatch(file, only) for only in COMMAND_LINE_ONLY)
    )


def _family(trees: Iterable[ast.Module]) -> frozenset[str]:
    """The names of all errors that are said to who asked; those for the operator's log aren't among them."""
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    names = _ERRORS
    while True:
        grown = names | {
            each.name for each in classes if any(ast.unparse(base).split(".")[-1] in names for base in each.bases)
        }
        if grown == names:
            return names
        names = grown


def _texts(call: ast.Call, family: frozenset[str], own: set[int]) -> list[ast.expr]:
    """The arguments of a call that are texts."""
    name = ast.unparse(call.func).split(".")[-1]
    arguments = [argument for argument in call.args if not isinstance(argument, ast.Starred)]
    if name == "Message":
        return arguments[:1]
    if name == "ProblemType":
        return arguments[2:4]
    if name in ("ApiProblem", "parameter_problem"):
        # What has a name is an error or a message, which is found where it is made.
        return [each for each in arguments[1:2] if isinstance(each, ast.Constant | ast.JoinedStr)]
    is_worded = name in _ERRORS or any(isinstance(each, ast.Constant) for each in arguments)
    # An error that words itself takes what it is about; its own class is looked at instead.
    return arguments[:2] if (name in family and is_worded) or id(call) in own else []


def _templates(text: ast.expr, constants: dict[str, str]) -> list[str | None]:
    """The templates that an argument can be; [] if it is found or translated elsewhere."""
    if isinstance(text, ast.Constant):
        return [text.value] if isinstance(text.value, str) and text.value else []
    if isinstance(text, ast.IfExp):
        return _templates(text.body, constants) + _templates(text.orelse, constants)
    if isinstance(text, ast.Name) and text.id in constants:
        return [constants[text.id]]
    if isinstance(text, ast.Call) and ast.unparse(text.func).split(".")[-1] in _TRANSLATED | {"Message"} | _ERRORS:
        return []
    return [None]


def _constants(tree: ast.Module, trees: dict[str, ast.Module]) -> dict[str, str]:
    """Texts that have a name in a module, its own and those that it imports."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            module = trees.get(node.module.replace(".", "/") + ".py")
            own = _own_constants(module) if module else {}
            found.update({name.asname or name.name: own[name.name] for name in node.names if name.name in own})
    return found | _own_constants(tree)


def _own_constants(tree: ast.Module) -> dict[str, str]:
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
