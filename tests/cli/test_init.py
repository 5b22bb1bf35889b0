from __future__ import annotations

import pytest

from commands import gleis
from gleis.lifecycle.new_project import TEMPLATES


@pytest.mark.parametrize("template", TEMPLATES)
def test_it_names_the_files_it_made_and_the_next_command(tmp_path, template):
    said = gleis(tmp_path, "init", "pilot", "--template", template)
    assert said.code == 0
    made = sorted(path.name for path in (tmp_path / "pilot").iterdir())
    assert "gleis.toml" in made
    for name in made:
        assert f"pilot/{name}" in said.out
    assert "cd pilot && gleis run" in said.out
    assert ("put your rows into pilot/data.csv" in said.out) == (template == "blank")


def test_the_next_command_can_be_pasted(tmp_path):
    said = gleis(tmp_path, "init", "my pilot", "--template", "iris")
    assert "Next: cd 'my pilot' && gleis run" in said.out


def test_json(tmp_path):
    found = gleis(tmp_path, "init", "pilot", "--template", "iris", "--json").json
    assert found["folder"] == "pilot"
    assert sorted(found["files"]) == ["pilot/gleis.toml", "pilot/pilot.py"]


def test_an_unknown_template(tmp_path):
    said = gleis(tmp_path, "init", "pilot", "--template", "titanic")
    assert said.code == 2
    assert "'titanic'" in said.err
    assert "iris" in said.err
    assert not (tmp_path / "pilot").exists()


def test_a_folder_with_a_project_is_left_as_it_is(tmp_path):
    gleis(tmp_path, "init", "pilot", "--template", "iris")
    before = (tmp_path / "pilot" / "gleis.toml").read_text()
    said = gleis(tmp_path, "init", "pilot", "--template", "diabetes")
    assert said.code == 2
    assert "pilot/gleis.toml" in said.err
    assert (tmp_path / "pilot" / "gleis.toml").read_text() == before


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    said = gleis(tmp_path, "init", "file/pilot")
    assert said.code == 7
    assert "file/pilot" in said.err
