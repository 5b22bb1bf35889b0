from __future__ import annotations

import subprocess
import sys

import pytest

from gleis.contracts.errors import ProjectError
from gleis.training.reach import reach, reached_text

PROJECT = """
\"\"\"A project.\"\"\"
import polars as pl
from helper import clean
import constants

LIMIT = 3


def load(since, until):
    return clean(pl.read_csv("x.csv"))


def build_model(params):
    # a remark
    return Estimator(LIMIT, constants.DEPTH)


class Estimator:
    def __init__(self, *args):
        self.args = args


def unrelated():
    return 1
"""
HELPER = """
def clean(rows):
    return strip(rows)


def strip(rows):
    return rows


def elsewhere(rows):
    return None
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "p.py").write_text(PROJECT)
    (tmp_path / "helper.py").write_text(HELPER)
    (tmp_path / "constants.py").write_text("DEPTH = 4\n")
    return tmp_path


def digests(folder):
    return {root: reach(folder, "p", [root]).digest for root in ("load", "build_model")}


def change(folder, file, old, new):
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("p.py", "# a remark", "# another remark\n", set()),
        ("p.py", '"""A project."""', '"""Another text."""', set()),
        ("p.py", "def unrelated():\n    return 1", "def unrelated():\n    return 2", set()),
        ("p.py", "LIMIT = 3", "LIMIT = 4", {"build_model"}),
        ("p.py", "self.args = args", "self.args = args[:1]", {"build_model"}),
        ("p.py", '"x.csv"', '"y.csv"', {"load"}),
        ("helper.py", "    return rows\n", "    return rows.head()\n", {"load"}),
        ("helper.py", "return None", "return 7", set()),
        ("constants.py", "4", "5", {"build_model"}),
        ("p.py", "def load(since, until):", "def load(since=None, until=None):", {"load"}),
    ],
)
def test_only_what_is_reached_counts(folder, file, old, new, changed):
    before = digests(folder)
    change(folder, file, old, new)
    after = digests(folder)
    assert {root for root in before if before[root] != after[root]} == changed


def test_names_show_what_was_followed(folder):
    names = reach(folder, "p", ["load"]).names
    assert {"p:load", "helper:clean", "helper:strip"} <= set(names)
    assert "helper:elsewhere" not in names
    assert "p:Estimator" not in names


def test_statements_without_a_name_count(folder):
    before = digests(folder)
    change(folder, "p.py", "LIMIT = 3", "LIMIT = 3\nprint('side effect')")
    assert digests(folder)["load"] != before["load"]


def test_packages_and_relative_imports(tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("from .inner import f\n")
    (tmp_path / "pack" / "inner.py").write_text("def f():\n    return 1\n")
    (tmp_path / "p.py").write_text("from pack import f\n\ndef load(a, b):\n    return f()\n")
    before = reach(tmp_path, "p", ["load"]).digest
    (tmp_path / "pack" / "inner.py").write_text("def f():\n    return 2\n")
    assert reach(tmp_path, "p", ["load"]).digest != before


def test_imports_inside_functions_are_followed(tmp_path):
    (tmp_path / "helper.py").write_text("def f():\n    return 1\n")
    (tmp_path / "p.py").write_text("def load(a, b):\n    from helper import f\n    return f()\n")
    before = reach(tmp_path, "p", ["load"]).digest
    (tmp_path / "helper.py").write_text("def f():\n    return 2\n")
    assert reach(tmp_path, "p", ["load"]).digest != before


def test_recursion_ends(tmp_path):
    (tmp_path / "p.py").write_text("def load(a, b):\n    return g()\n\ndef g():\n    return load\n")
    assert set(reach(tmp_path, "p", ["load"]).names) == {"p:load", "p:g"}


def test_a_missing_root_is_skipped(folder):
    both = reach(folder, "p", ["build_model", "baseline"])
    assert both.digest == reach(folder, "p", ["build_model"]).digest


def test_not_python(folder):
    (folder / "p.py").write_text("def load(:\n")
    with pytest.raises(ProjectError, match=r"p\.py"):
        reach(folder, "p", ["load"])


@pytest.mark.parametrize(
    "text",
    [
        "from helper import *\n",
        "try:\n    from helper import *\nexcept ImportError:\n    pass\n",
    ],
)
def test_a_helper_behind_a_star_counts(tmp_path, text):
    (tmp_path / "p.py").write_text(text + "def load(a, b):\n    return f() + g\n")
    (tmp_path / "helper.py").write_text("from p import *\ndef f():\n    return 1\n")
    before = reach(tmp_path, "p", ["load"]).digest
    (tmp_path / "helper.py").write_text("from p import *\ndef f():\n    return 2\n")
    assert reach(tmp_path, "p", ["load"]).digest != before


VIEWED = """
from __future__ import annotations

import os  # not reached
from lib.cleaning import clean as tidy
from lib import units
from shared import *

FACTOR, OTHER = 2, 3
UNUSED = os.sep


def view(rows: Sequence[int]) -> list[int]:
    \"\"\"Of rows.\"\"\"
    return [tidy(row) * FACTOR + units.shift() for row in rows] + nothing() + starred()


def nothing():
    \"\"\"Says it all.\"\"\"


nothing = lambda inner=nothing: inner() or []


def build_model(params):
    raise AssertionError
"""


def test_what_was_reached_runs_by_itself(tmp_path):
    project, kept = tmp_path / "project", tmp_path / "kept"
    (project / "lib").mkdir(parents=True)
    (project / "trips.py").write_text(VIEWED)
    (project / "lib" / "__init__.py").write_text("")
    (project / "lib" / "cleaning.py").write_text("import math\ndef clean(x): return math.ceil(x)\n")
    (project / "lib" / "units.py").write_text("def shift(): return 1\ndef far(): pass\n")
    (project / "shared.py").write_text("def starred(): return [0]\n")
    text = reached_text(project, "trips", ["view"])
    assert {path for path, _ in text} >= {
        "trips.py", "lib/cleaning.py", "lib/units.py", "shared.py"
    }  # fmt: skip
    assert not any(word in dict(text)["trips.py"] for word in ("build_model", "os", "Of rows"))
    for path, lines in text:
        (kept / path).parent.mkdir(parents=True, exist_ok=True)
        (kept / path).write_text(lines)
    code = "import trips; print(trips.view([1.5, 2]))"
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, cwd=kept, capture_output=True, text=True, check=False)
    assert said.stdout == "[5, 5, 0]\n", said.stderr
    edited = VIEWED.replace("raise AssertionError", "return None  # a remark")
    (project / "trips.py").write_text(edited)
    assert reached_text(project, "trips", ["view"]) == text
