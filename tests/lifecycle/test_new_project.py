from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gleis.config.load import load_settings
from gleis.contracts.errors import ConfigError, StoreError
from gleis.data.module import open_module
from gleis.governance.gate_checks import check_gates
from gleis.lifecycle.journey import run_on_demand
from gleis.lifecycle.new_project import TEMPLATES, make_project
from gleis.lifecycle.workbench import Workbench
from gleis.store.home import Home
from trained_projects import edit

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_a_project(tmp_path, template):
    folder = tmp_path / "pilot"
    made = make_project(folder, template)
    assert sorted(made) == sorted(folder.iterdir())
    settings = load_settings(folder, environment={})
    assert settings.project.name == "pilot"
    check_gates(settings)
    module = open_module(folder, settings.project.module)
    assert callable(module.load)
    assert hasattr(module.build_model(dict(settings.params)), "fit")


@pytest.mark.parametrize(
    ("folder", "name", "module"),
    [
        ("my model", "my-model", "my_model"),
        ("2024", "2024", "_2024"),
        ("a.b-c", "a-b-c", "a_b_c"),
        ("_late", "late", "late"),
        ("\N{LATIN SMALL LETTER U WITH DIAERESIS}ber", "ber", "ber"),
        ("---", "project", "project"),
    ],
)
def test_any_folder_name_makes_a_name_and_a_module(tmp_path, folder, name, module):
    make_project(tmp_path / folder, "iris")
    project = load_settings(tmp_path / folder, environment={}).project
    assert (project.name, project.module) == (name, module)
    assert open_module(tmp_path / folder, module).baseline is not None


def test_an_empty_folder_will_do_and_other_files_stay(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    make_project(tmp_path, "iris")
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("there", ["gleis.toml", "pilot.py"])
def test_nothing_is_overwritten_nor_half_made(tmp_path, there):
    folder = tmp_path / "pilot"
    folder.mkdir()
    (folder / there).write_text("mine")
    with pytest.raises(ConfigError, match=there.replace(".", r"\.")):
        make_project(folder, "iris")
    assert [path.name for path in folder.iterdir()] == [there]
    assert (folder / there).read_text() == "mine"


def test_an_unknown_template_is_named_with_the_known_ones(tmp_path):
    with pytest.raises(ConfigError, match="'titanic'") as caught:
        make_project(tmp_path / "pilot", "titanic")
    for known in TEMPLATES:
        assert known in caught.value.remedy


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file/pilot"):
        make_project(tmp_path / "file" / "pilot", "iris")


@pytest.mark.parametrize("text", [[], ["colour"]])
def test_the_blank_template_trains(tmp_path, text):
    folder = tmp_path / "pilot"
    make_project(folder, "blank")
    rng = np.random.default_rng(0)
    size = rng.normal(size=600)
    columns = {"size": size, "weight": rng.normal(size=600), "target": (size > 0).astype(int)}
    if text:
        columns["colour"] = rng.choice(["red", "blue"], 600)
        edit(folder / "pilot.py", "TEXT: list[str] = []", f"TEXT: list[str] = {text}")
    pl.DataFrame(columns).write_csv(folder / "data.csv")
    settings = load_settings(folder, environment={})
    bench = Workbench(folder, settings, Home(folder / ".gleis"), tracked=False)
    outcome = run_on_demand(bench)
    assert outcome.promoted
    assert outcome.run.evidence.figures["roc_auc"].value > 0.95
    bench.home.close()


@pytest.mark.parametrize("template", [path.name for path in sorted(EXAMPLES.iterdir())])
def test_an_example_is_what_its_template_makes(tmp_path, template):
    example, names = EXAMPLES / template, {"flights": "punctuality"}
    made = make_project(tmp_path / names.get(template, template), template.replace("_", "-"))
    for path in made:
        assert (example / path.name).read_text() == path.read_text(), path.name
    assert "gleis report" in (example / "README.md").read_text()
