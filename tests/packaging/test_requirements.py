from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from gleis.contracts.errors import PackageError
from gleis.packaging.build import build_package
from gleis.packaging.requirements import require
from gleis.training.environment import lock
from signing_keys import SIGNER

HEAVY = {
    "pandas",
    "scikit-learn",
    "mlflow",
    "mlflow-skinny",
    "scipy",
    "polars",
    "skops",
    "sigstore",
}


def names(pins):
    return {pin.partition("==")[0] for pin in pins}


def test_pins_are_names_and_versions_only(parts):
    found = parts("boosting").requirements.pins
    assert [pin.partition("==")[0] for pin in found] == sorted(names(found))
    assert all(re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.+!]+", pin) for pin in found)
    assert names(found) >= {"gleis", "numpy", "polars", "scikit-learn", "scipy", "skops", "mlflow"}


def test_versions_are_those_of_the_run_and_not_of_today(parts):
    now = importlib.metadata.version("numpy")
    then = lock().replace(f"numpy=={now}\n", "numpy==2.0.0\n")
    for pins in (require(None, then).pins, require(None, then).serving_pins):
        assert "numpy==2.0.0" in pins
        assert f"numpy=={now}" not in pins


def test_nothing_is_left_out_and_nothing_is_made_up(parts):
    """Whatever a listed distribution asks for under its markers is listed, if it was there."""
    found = parts("linear").requirements
    listed, locked = names(found.pins), {line.partition("==")[0] for line in lock().split()}
    for library in found.libraries:
        asked = set()
        for text in importlib.metadata.requires(library.name) or ():
            one = Requirement(text)
            if one.marker is None or one.marker.evaluate({"extra": ""}):
                asked.add(re.sub(r"[-_.]+", "-", one.name).lower())
        assert asked & locked <= listed, library.name
        assert set(library.requires) >= asked & locked - {library.name}
    assert "pytest" not in listed, "what is only installed for development is not needed"


def test_a_serving_process_of_a_rule_needs_nothing_heavy(parts):
    found = parts("rule").requirements
    serving = names(found.serving_pins)
    assert serving >= {"gleis", "cryptography", "httptools", "msgspec", "numpy", "uvicorn"}
    assert not serving & HEAVY
    assert not serving & {"model-signing", "typer", "rich", "sqlalchemy", "dbos"}
    assert serving <= names(found.pins)


def test_an_estimator_is_served_with_its_libraries_unless_another_form_answers(parts):
    content = parts("boosting").estimator
    assert names(require(content, lock()).serving_pins) >= {"polars", "scikit-learn", "skops"}
    onnx = names(require(content, lock(), onnx=True).serving_pins)
    assert "onnxruntime" in onnx
    assert not onnx & HEAVY
    compiled = require(content, lock(), compiled=True)
    assert not names(compiled.serving_pins) & HEAVY
    assert names(compiled.pins) >= {"scikit-learn", "skops"}


def test_a_package_carries_both_lists(parts, tmp_path):
    made = parts("rule")
    folder = build_package(made, tmp_path, SIGNER).path
    everything = (folder / "requirements.txt").read_text().split()
    assert tuple(everything) == made.requirements.pins
    serving = (folder / "requirements-serving.txt").read_text().split()
    assert tuple(serving) == made.requirements.serving_pins


def test_a_module_without_a_distribution_in_the_lock_is_named(parts):
    without = "".join(line for line in lock().splitlines(True) if not line.startswith("skops="))
    with pytest.raises(PackageError, match="skops"):
        require(parts("linear").estimator, without)
    assert require(None, without).roots


def test_what_serving_imports_is_what_serving_lists(parts, tmp_path):
    """Walk the modules of a process that answers for a rule, back to their distributions."""
    folder = build_package(parts("rule"), tmp_path, SIGNER).path
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "before = set(sys.modules)\n"
        "import httptools, uvloop\n"  # as uvicorn does when it runs
        "import gleis.lifecycle.service_process, gleis.serving.run\n"
        "from gleis.packaging.load import load_package\n"
        "from gleis.packaging.verify import self_test\n"
        "from signing_keys import TRUST\n"
        f"assert self_test(load_package(Path({str(folder)!r}), None, TRUST)).ok\n"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*(tops - set(sys.stdlib_module_names)))\n"
    )
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tests, check=True
    )
    provided = importlib.metadata.packages_distributions()
    loaded = {top: provided[top] for top in done.stdout.split() if top in provided}
    needed = {re.sub(r"[-_.]+", "-", d).lower() for found in loaded.values() for d in found}
    assert needed >= {"numpy", "msgspec", "uvicorn", "cryptography"}
    assert needed - names(parts("rule").requirements.serving_pins) <= {"typing-extensions"}
    assert not needed & (HEAVY | {"model-signing", "starlette", "pydantic"})
