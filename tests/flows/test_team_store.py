"""A project moves from a laptop into a team's bucket, and goes on there."""

from __future__ import annotations

import shutil

import pytest

from commands import gleis
from trained_projects import copied


@pytest.mark.slow
def test_from_a_laptop_into_a_bucket(tmp_path, s3, monkeypatch):
    folder = copied(tmp_path / "iris")
    state = folder / ".gleis"
    assert gleis(folder, "push", "--to", s3).code == 0
    monkeypatch.setenv("GLEIS_STORE", s3)
    for kept in ("datasets", "artifacts", "packages"):
        shutil.rmtree(state / kept)
    assert gleis(folder, "verify", "champion").code == 0
    assert list((state / "packages").iterdir()), "a copy of what is used here"
    assert gleis(folder, "data", "show", "v1").code == 0
    said = gleis(folder, "run", "--refresh", "--set", "params.max_iter=150", "--json")
    assert said.code == 0, said.err
    assert gleis(folder, "verify", "v3").code == 0
    shutil.rmtree(state / "packages")
    rows = '[{"sepal_length": 5, "sepal_width": 3, "petal_length": 4, "petal_width": 1}]'
    (folder / "rows.json").write_text(rows)
    assert "versicolor" in gleis(folder, "predict", "rows.json").out
    assert not (state / "datasets").exists()
    told = gleis(folder, "doctor", "--json").json
    assert told["ok"], told
