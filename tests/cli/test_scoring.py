from __future__ import annotations

import msgspec
import polars as pl

from commands import gleis
from gleis.store.home import Home
from trained_projects import copied, trained


def flowers(folder, rows=300):
    """Write rows of the iris project, one after another."""
    project = trained("iris")
    frame = pl.DataFrame(
        {
            "sepal_length": [5.1] * rows,
            "sepal_width": [3.5] * rows,
            "petal_length": [1.0 + at / 60 for at in range(rows)],
            "petal_width": [0.2 + at / 150 for at in range(rows)],
            "number": list(range(rows)),
        }
    )
    frame.write_parquet(folder / "in.parquet")
    return project


def test_score_with_the_champion_is_a_fact(tmp_path):
    project = copied(tmp_path / "iris")
    flowers(tmp_path)
    paths = [str(tmp_path / "in.parquet"), str(tmp_path / "out.parquet")]
    said = gleis(project, "score", *paths, "--json")
    assert said.code == 0, said.out + said.err
    assert (said.json["rows"], said.json["version"]) == (300, 2)
    assert pl.read_parquet(paths[1]).height == 300
    home = Home(project / ".gleis")
    facts = [msgspec.json.decode(body) for body in home.facts.all("scoring")]
    home.close()
    assert [(fact["rows"], fact["sha256"]) for fact in facts] == [(300, said.json["sha256"])]


def test_score_with_a_package_needs_no_project(tmp_path):
    project = flowers(tmp_path)
    package = next((project / ".gleis" / "packages").iterdir())
    said = gleis(
        tmp_path,
        "score",
        "in.parquet",
        "out.parquet",
        "--package",
        str(package),
        "--keep",
        "number",
    )
    assert said.code == 0, said.err
    assert "300 rows scored into out.parquet" in said.out
    out = pl.read_parquet(tmp_path / "out.parquet")
    assert out.columns[:2] == ["number", "prediction"]
    again = gleis(tmp_path, "score", "in.parquet", "out.parquet", "--package", str(package))
    assert again.code == 1
    assert "there already" in again.err


def test_a_policy_that_is_none_is_refused(tmp_path):
    said = gleis(tmp_path, "score", "in.parquet", "out.parquet", "--on-bad", "skip")
    assert said.code == 2
    assert "--on-bad is stop or quarantine: 'skip'" in said.err
