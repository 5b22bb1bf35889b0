from __future__ import annotations

import msgspec
import pytest

from gleis import Project
from gleis.contracts.errors import RegistryError
from gleis.lifecycle.reproduction import Reproduction
from trained_projects import copied, edit, trained


@pytest.mark.parametrize("name", ["iris", "shifting"])
def test_the_record_is_enough_to_make_the_same_bytes(name):
    project = Project.open(trained(name))
    found = project.reproduce("v2")
    assert found.same_model
    assert found.largest_difference == 0.0
    assert found.differences == ()
    assert found.rows == project.find_run("v2").test_rows
    assert found.same


def test_the_records_parameters_count_not_todays(tmp_path):
    folder = copied(tmp_path / "iris")
    edit(folder / "gleis.toml", "C = 1.0", "C = 0.01")
    found = Project.open(folder, {"seed": 5}).reproduce("v2")
    assert found.same_model


def test_other_code_is_named_and_shows(tmp_path):
    folder = copied(tmp_path / "iris")
    edit(folder / "iris.py", "StandardScaler()", "StandardScaler(with_std=False)")
    found = Project.open(folder).reproduce("v2")
    assert not found.same_model
    assert found.largest_difference > 0.01
    assert not found.same
    assert found.differences == ("the source reached from build_model or baseline",)


def test_other_code_may_make_the_same_model(tmp_path):
    folder = copied(tmp_path / "iris")
    edit(folder / "iris.py", "StandardScaler()", "StandardScaler(copy=True)")
    found = Project.open(folder).reproduce("v2")
    assert found.same
    assert found.largest_difference == 0.0
    assert len(found.differences) == 1


def test_another_environment_is_named(tmp_path):
    project = Project.open(copied(tmp_path / "iris"))
    run = project.find_run("v2")
    lock = project.home.artifacts.get(run.environment.lock).decode().splitlines()
    older = [line for line in lock if not line.startswith("scikit-learn==")]
    stored = project.home.artifacts.put("\n".join(older).encode())
    environment = msgspec.structs.replace(run.environment, lock=stored)
    old = msgspec.structs.replace(run, id="r-old", environment=environment)
    project.home.facts.append("run", old.id, msgspec.json.encode(old), project.clock.now())
    found = project.reproduce("r-old")
    assert found.same_model
    (difference,) = found.differences
    assert "1 installed distributions" in difference
    assert "scikit-learn==" in difference


def test_a_repetition_leaves_no_trace(tmp_path):
    project = Project.open(copied(tmp_path / "iris"))
    before = len(project.runs()), len(project.registry.versions())
    project.reproduce("v2")
    assert (len(project.runs()), len(project.registry.versions())) == before


def test_a_baseline_has_nothing_to_fit():
    with pytest.raises(RegistryError, match="baseline") as caught:
        Project.open(trained()).reproduce("v1")
    assert Project.open(trained()).find_run("v1").id in str(caught.value)


@pytest.mark.parametrize(
    ("same_model", "difference", "same"),
    [(True, 0.5, True), (False, 1e-9, True), (False, 1.1e-9, False)],
)
def test_same_means_bytes_or_scores_to_1e_9(same_model, difference, same):
    found = Reproduction(
        run="r", same_model=same_model, largest_difference=difference, differences=(), rows=9
    )
    assert found.same is same
    assert found.lines()[-1] == ("  Reproduced." if same else "  NOT reproduced.")
