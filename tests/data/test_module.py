from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from sklearn.base import clone

from gleis.contracts.errors import DataError, ProjectError
from gleis.data.module import open_module

MINIMAL = """
def load(since, until):
    return 1

def build_model(params):
    return params
"""


@pytest.fixture
def project(tmp_path):
    def write(text=MINIMAL, folder="a", **others):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        for name, content in {"p": text, **others}.items():
            (place / f"{name}.py").write_text(textwrap.dedent(content))
        return place

    return write


def test_opens(project):
    module = open_module(project(), "p")
    assert module.load(None, None) == 1
    assert module.build_model({"a": 1}) == {"a": 1}
    assert module.baseline is None
    assert (module.name, module.path.name) == ("p", "p.py")


def test_two_projects_with_the_same_names_do_not_meet(project):
    text = "from cleaning import WHO\n" + MINIMAL.replace("return 1", "return WHO")
    first = project(text, "a", cleaning="WHO = 'a'\n")
    second = project(text, "b", cleaning="WHO = 'b'\n")
    path, loaded = list(sys.path), set(sys.modules)
    modules = [open_module(folder, "p") for folder in (first, second)]
    assert [module.load(None, None) for module in modules] == ["a", "b"]
    assert sys.path == path
    left = {name for name in set(sys.modules) - loaded if not name.startswith("_gleis_project_")}
    assert left == set()


def test_imports_inside_functions_work_and_do_not_meet(project):
    text = MINIMAL.replace("return 1", "from cleaning import WHO; return WHO")
    modules = [
        open_module(project(text, name, cleaning=f"WHO = '{name}'\n"), "p") for name in ("a", "b")
    ]
    assert [module.load(None, None) for module in modules] == ["a", "b"]
    assert modules[0].load(None, None) == "a"
    assert "cleaning" not in sys.modules


def test_a_name_taken_by_another_module_is_given_back(project, monkeypatch):
    marker = type(sys)("cleaning")
    monkeypatch.setitem(sys.modules, "cleaning", marker)
    text = "from cleaning import WHO\n" + MINIMAL.replace("return 1", "return WHO")
    assert open_module(project(text, cleaning="WHO = 'a'\n"), "p").load(None, None) == "a"
    assert sys.modules["cleaning"] is marker


def test_packages_beside_it_and_circular_imports(project):
    folder = project(
        "X = 1\nfrom steps.clean import f\n" + MINIMAL.replace("return 1", "return f()")
    )
    (folder / "steps").mkdir()
    (folder / "steps" / "clean.py").write_text("import p\ndef f(): return p.X\n")
    assert open_module(folder, "p").load(None, None) == 1


def test_opened_again_it_is_read_again(project):
    folder = project("from cleaning import WHO\n" + MINIMAL.replace("1", "WHO"), cleaning="WHO = 1")
    assert open_module(folder, "p").load(None, None) == 1
    project("from cleaning import WHO\n" + MINIMAL.replace("1", "WHO"), cleaning="WHO = 'two'")
    assert open_module(folder, "p").load(None, None) == "two"


def test_an_estimator_defined_in_the_module(project):
    text = """
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Mine(ClassifierMixin, BaseEstimator):
        def __init__(self, depth=1):
            self.depth = depth

    def load(since, until):
        return None

    def build_model(params):
        return Mine(**params)
    """
    estimator = open_module(project(text), "p").build_model({"depth": 3})
    copy = clone(estimator)
    assert copy.get_params() == {"depth": 3}
    assert sys.modules[type(copy).__module__].Mine is type(copy)


@pytest.mark.parametrize(
    ("signature", "takes", "expected"),
    [
        ("rows", False, None),
        ("rows, history", True, "h"),
        ("rows, history=None", True, "h"),
        ("rows, share=0.2", False, 0.2),
        ("rows, *, share=0.3", False, 0.3),
    ],
)
def test_baseline_gets_history_if_it_takes_it(project, signature, takes, expected):
    second = signature.replace("*, ", "").partition(", ")[2].partition("=")[0] or None
    module = open_module(
        project(f"{MINIMAL}\ndef baseline({signature}):\n    return rows, {second}\n"), "p"
    )
    assert module.baseline_takes_history is takes
    assert module.baseline("r", "h") == ("r", expected)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("x = (\n", r"p\.py:1: this is not Python"),
        ("import no_such_package_here\n" + MINIMAL, r"p\.py:1.*'no_such_package_here'.*Install"),
        ("x = 1\ny = x / 0\n" + MINIMAL, r"p\.py:2.*ZeroDivisionError"),
        ("from math import no_such\n" + MINIMAL, r"p\.py:1.*no_such"),
        ("import sys\nsys.exit(3)\n", r"p\.py:2.*SystemExit: 3"),
        (MINIMAL.replace("def load", "def lod"), "no function load.*def load"),
        (MINIMAL.replace("def build_model", "def build"), "no function build_model"),
        ("load = 3\n", "load is not a function: 3"),
        (MINIMAL.replace("since, until", "since"), r"p\.py:2: load takes.*load\(since\)"),
        (MINIMAL.replace("(params)", "()"), r"p\.py:5: build_model takes"),
        (MINIMAL + "def baseline():\n    pass\n", r"p\.py:7: baseline takes"),
        (MINIMAL + "def baseline(a, b, c):\n    pass\n", r"p\.py:7: baseline takes"),
        (MINIMAL + "baseline = 3\n", "baseline is not a function: 3"),
    ],
)
def test_bad_modules_name_the_line(project, text, named):
    before = set(sys.modules)
    with pytest.raises(ProjectError, match=named):
        open_module(project(text), "p")
    assert {n for n in set(sys.modules) - before if n.startswith("p")} == set()


def test_an_error_in_a_module_beside_it_names_that_file(project):
    folder = project("import cleaning\n" + MINIMAL, cleaning="\n\nboom\n")
    with pytest.raises(ProjectError, match=r"cleaning\.py:3.*boom"):
        open_module(folder, "p")


def test_our_own_error_on_import_is_said_once(project):
    view = "@gleis.feature_view(source='w', entity='a', ttl='soon')\ndef v(rows): ...\n"
    text = f"import gleis\n\n{view}{MINIMAL}"
    with pytest.raises(ProjectError) as refused:
        open_module(project(text), "p")
    assert str(refused.value) == (
        "p.py:3: v: ttl is not a duration: 'soon'. Write a number and s, min, h, d or w, "
        "such as 6h or 14d."
    )


def test_no_file(tmp_path):
    with pytest.raises(ProjectError, match=r"no module p\.py"):
        open_module(tmp_path, "p")
    with pytest.raises(ProjectError, match=r"no module p\.py"):
        open_module(tmp_path / "nowhere", "p")


def test_what_the_functions_raise_names_the_last_line_of_the_project(project):
    text = """
    import polars as pl

    def load(since, until):
        return pl.DataFrame({"a": [1]}).select("b")

    def build_model(params):
        return params["depth"]
    """
    module = open_module(project(text), "p")
    with pytest.raises(ProjectError, match=r"p\.py:5: load failed: ColumnNotFoundError"):
        module.load(None, None)
    with pytest.raises(ProjectError, match=r"p\.py:8: build_model failed: KeyError: 'depth'") as e:
        module.build_model({})
    assert isinstance(e.value.__cause__, KeyError)


def test_our_own_errors_pass_through(project):
    text = MINIMAL.replace("return 1", "raise DataError('no file', seen='x')")
    module = open_module(project("from gleis.contracts.errors import DataError\n" + text), "p")
    with pytest.raises(DataError, match="no file: 'x'"):
        module.load(None, None)


def test_the_module_is_opened_without_polars(project):
    code = (
        "import sys; from pathlib import Path\n"
        "from gleis.data.module import open_module\n"
        "import gleis.data.versions, gleis.data.columns\n"
        f"open_module(Path({str(project())!r}), 'p')\n"
        "loaded = {'polars', 'numpy', 'sklearn'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
