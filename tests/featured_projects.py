"""A small project whose model needs what is looked up: trips, and the weather at their stations."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import polars as pl

from commands import gleis
from gleis.contracts.dataset import Provenance
from gleis.lifecycle.project import Project
from trained_projects import empty_database

TOML = """
[project]
name = "trips"
module = "trips"
task = "binary"
target = "late"
id = "trip"
time = "at"

[split]
by = "time"
test = 0.3

[evidence]
bootstrap = 20

[gates]
roc_auc = ">= 0.5"

[datasets.weather]
time = "observed"
known = "received"

[features]
exclude = ["station"]
"""

MODULE = '''
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

import gleis

STRONG = 8.0


@gleis.feature_view(source="weather", entity="place", ttl="3h")
def weather_now(rows):
    """The last weather that was known."""
    return rows.select("place", "observed", "received", wind=pl.col("wind") * 1.0, temp="temp")


@gleis.on_demand
def crosswind(wind, distance):
    return {"wind_km": wind * distance, "storm": wind > STRONG}


def load(since, until):
    at = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=20 * n) for n in range(1200)]
    rng = np.random.default_rng(0)
    rows = pl.DataFrame({
        "trip": range(1200),
        "at": at,
        "station": rng.choice(["A", "B", "C"], 1200),
        "distance": rng.uniform(1, 9, 1200),
    })
    rows = gleis.join_features(
        rows, [weather_now, crosswind], time="at", entity={"place": "station"}
    )
    late = (rows["wind"].fill_null(5) * rows["distance"]).to_numpy() > rng.uniform(5, 60, 1200)
    rows = rows.with_columns(late=pl.Series(late).cast(int))
    if since is not None:
        rows = rows.filter(pl.col("at") >= since)
    if until is not None:
        rows = rows.filter(pl.col("at") < until)
    return rows


def build_model(params):
    return HistGradientBoostingClassifier(max_iter=10)
'''

START = datetime(2024, 1, 1, tzinfo=UTC)


def weather(hours: range, shift: float = 0.0) -> pl.DataFrame:
    """Return an hour's weather at two stations, known half an hour later; C has none."""
    rows = [
        {
            "place": place,
            "observed": START + timedelta(hours=hour),
            "received": START + timedelta(hours=hour + 0.5),
            "wind": float((hour * 7 + 3 * number) % 12) + shift,
            "temp": None if hour % 5 == 0 else float(hour % 24),
        }
        for hour in hours
        for number, place in enumerate("AB")
    ]
    return pl.DataFrame(rows, schema_overrides={"temp": pl.Float64})


def append_weather(project: Project, rows: pl.DataFrame) -> None:
    """Make a version of the weather."""
    now = project.clock.now()
    stamp = Provenance(
        source="hand", since=None, until=None, loaded_at=now, loaded_by="me", code="c"
    )
    project.bench.dataset("weather").append(rows, stamp)


def make_trips(folder: Path) -> Path:
    """Write the project and its weather of 17 days."""
    folder.mkdir(parents=True)
    (folder / "gleis.toml").write_text(TOML)
    (folder / "trips.py").write_text(MODULE)
    (folder / ".gleis").mkdir()
    shutil.copy(empty_database(), folder / ".gleis" / "mlflow.db")
    append_weather(Project.open(folder), weather(range(17 * 24)))
    return folder


@cache
def trained_trips() -> Path:
    """Return the project with a champion. It is everybody's: read only."""
    folder = make_trips(Path(tempfile.mkdtemp(prefix="gleis-trips-")) / "trips")
    said = gleis(folder, "run")
    assert said.code == 0, said.out + said.err
    return folder


def copied_trips(target: Path) -> Path:
    """Copy the trained project; the copy is yours."""
    shutil.copytree(trained_trips(), target)
    return target
