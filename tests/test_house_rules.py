"""The house rules that a linter does not know: sizes, names, and what an import may load."""

from __future__ import annotations

import ast
import subprocess
import sys
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


def test_import_loads_nothing_heavy():
    code = (
        "import sys, gleis\n"
        "heavy = {'polars','sklearn','mlflow','pandas','numpy','dbos'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
