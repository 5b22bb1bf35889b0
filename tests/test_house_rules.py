"""The house rules that a linter does not know: sizes, names, and what an import may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "gleis"
FILES = sorted(SOURCE.rglob("*.py"))
BANNED = {"utils", "helpers", "common", "core", "manager", "base"}


def _functions(tree: ast.AST):
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code: the docstring is documentation, not length."""
    first = node.body[0]
    documented = ast.get_docstring(node) is not None
    doc = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - doc


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_sizes_and_names(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 600, "a file stops at 600 lines"
    assert path.stem not in BANNED
    tree = ast.parse(text)
    for node in _functions(tree):
        assert _length(node) <= 60, f"{node.name} is over 60 lines"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            methods = [n for n in node.body if isinstance(n, ast.FunctionDef)]
            assert len(methods) <= 20, f"{node.name} has over 20 methods"


def test_functions_are_short_on_average():
    lengths = [_length(n) for p in FILES for n in _functions(ast.parse(p.read_text()))]
    assert sum(lengths) / len(lengths) <= 12


def _module(path: Path) -> str:
    parts = ("gleis", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(tree: ast.AST, known: set[str]) -> set[str]:
    """Modules that a file names, also within a function or for types only."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            within = {f"{node.module}.{alias.name}" for alias in node.names} & known
            found |= within or {node.module}
    return found & known


def _circle(files: dict[str, str]) -> list[str] | None:
    trees = {name: ast.parse(text) for name, text in files.items()}
    graph = {name: _imported(tree, set(files)) - {name} for name, tree in trees.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_no_files_import_each_other_in_a_circle():
    assert _circle({_module(path): path.read_text() for path in FILES}) is None


def test_a_circle_is_seen():
    there = "def f():\n    from gleis.two import g"
    assert _circle({"gleis.one": there, "gleis.two": "import gleis.one"})
    assert _circle({"gleis.one": there, "gleis.two": ""}) is None


def test_import_loads_nothing_heavy():
    code = (
        "import sys, gleis\n"
        "heavy = {'polars','sklearn','mlflow','pandas','numpy','dbos'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
