from __future__ import annotations

import polars as pl
import pytest

from commands import gleis
from featured_projects import copied_trips
from gleis.lifecycle.project import Project
from trained_projects import edit

MADE = ["wind", "temp", "wind_km", "storm"]
KEEP = ["--keep", "all"]


@pytest.fixture
def folder(tmp_path):
    return copied_trips(tmp_path / "trips")


def scored(folder, rows, *flags, name="in.parquet"):
    rows.write_csv(folder / name) if name.endswith("csv") else rows.write_parquet(folder / name)
    said = gleis(folder, "score", name, "out.parquet", "--fresh", *flags)
    assert said.code == 0, said.out + said.err
    return pl.read_parquet(folder / "out.parquet")


@pytest.mark.parametrize("name", ["in.parquet", "in.csv"])
def test_a_table_with_times_is_joined_as_load_joined_it(folder, name):
    rows = Project.open(folder).data.read()
    bare = rows.select("trip", "at", "station", "distance")
    found = scored(folder, bare, *KEEP, "--on-bad", "quarantine", name=name)
    in_full = scored(folder, rows.drop("late"), *KEEP, "--on-bad", "quarantine")
    assert found["trip"].cast(pl.Int64).to_list() == in_full["trip"].to_list()
    assert found["score"].to_list() == in_full["score"].to_list()
    joined = found.select(MADE)
    if name == "in.parquet":
        assert joined.equals(in_full.select(MADE))


def test_columns_that_are_there_stay(folder):
    rows = Project.open(folder).data.read().drop_nulls("wind").head(20)
    bare = rows.select("trip", "at", "station", "distance", wind=pl.lit(3.0))
    found = scored(folder, bare, *KEEP)
    assert found["wind"].unique().to_list() == [3.0]
    assert found["wind_km"].to_list() == (rows["distance"] * 3.0).to_list()


def test_a_table_without_times_is_looked_up_as_of_now(folder):
    rows = pl.DataFrame({"trip": [1, 2], "station": ["A", "B"], "distance": [2.0, 3.0]})
    found = scored(folder, rows, *KEEP)
    # The newest weather is years old, and the ttl three hours.
    assert found["wind"].to_list() == [None, None]
    edit(folder / "trips.py", ', ttl="3h"', "")
    said = gleis(folder, "run")
    assert said.code == 0, said.out + said.err
    found = scored(folder, rows, *KEEP, "--package", "v3")
    assert found["wind"].null_count() == 0
    assert found["wind_km"].to_list() == [w * d for w, d in zip(found["wind"], [2, 3], strict=True)]


def test_a_view_that_is_edited_changes_no_score_of_a_model_before(folder):
    bare = Project.open(folder).data.read().select("trip", "at", "station", "distance").head(200)
    before = scored(folder, bare, *KEEP)
    edit(folder / "trips.py", "* 1.0", "* 2.0")
    assert scored(folder, bare, *KEEP).equals(before)


def test_what_cannot_be_completed_is_said(folder):
    bare = Project.open(folder).data.read().select("trip", "at", "distance").head(3)
    bare.write_parquet(folder / "in.parquet")
    said = gleis(folder, "score", "in.parquet", "out.parquet")
    assert "The table has no column station" in said.err
