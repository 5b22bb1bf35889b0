"""A view is edited while models are served that know it as it was."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from commands import gleis
from featured_projects import START, append_weather, copied_trips, make_trips, weather
from gleis.contracts.clock import SimulatedClock
from gleis.contracts.errors import ProjectError
from gleis.contracts.features import ViewUse
from gleis.lifecycle.features.generations import view_of_text
from gleis.lifecycle.features.kept import FeatureKeeper
from gleis.lifecycle.features.materialising import KEPT
from gleis.lifecycle.project import Project
from gleis.store.online.sqlite_store import SqliteOnlineStore
from trained_projects import edit

END = START + timedelta(hours=17 * 24)


def opened(folder, at=END):
    return Project(folder, Project.open(folder).settings, SimulatedClock(at))


def seen(project, station="A"):
    """Return the wind that the champion saw, and the flags of its answer."""
    (answer,) = project.predict([{"distance": 4.0, "station": station}])
    return list(project.home.log.read())[-1].batch.features["wind"][0], answer["flags"]


def tables(project):
    store = SqliteOnlineStore(project.home.folder / "features.db")
    found = store.tables()
    store.close()
    return found


def wind_at(hour):
    return weather(range(hour, hour + 1)).filter(place="A")["wind"][0]


def test_a_retraining_a_promotion_and_a_rollback_each_find_their_own_rows(tmp_path):
    folder = copied_trips(tmp_path / "trips")
    edit(folder / "trips.py", 'pl.col("wind") * 1.0', 'pl.col("wind") * 100.0')
    project = opened(folder)
    append_weather(project, weather(range(17 * 24, 17 * 24 + 9)))
    # Edited, not trained yet: the champion finds rows that are new, made as it knows them.
    keeper = FeatureKeeper(project.bench)
    keeper.look()
    assert seen(project) == (wind_at(17 * 24 - 1), [])
    project.clock.move_to(END + timedelta(hours=1))
    keeper.look()
    assert seen(project) == (wind_at(17 * 24), [])
    assert project.data.features.show("weather_now", ["A"]).features["wind"] == 100 * wind_at(408)
    # Trained: a shadow would see the champion's rows, so it is none. Promoted, it finds its own.
    said = gleis(folder, "run", "--set", "release.strategy=shadow")
    assert "it looks `wind` up otherwise" in said.out + said.err
    assert gleis(folder, "promote", "3", "--reason", "it blows").code == 0
    project = opened(folder, END + timedelta(hours=2))
    assert project.registry.get("champion").number == 3
    FeatureKeeper(project.bench).look()
    assert seen(project) == (100 * wind_at(409), [])
    # Taken back, with the edited view still there.
    assert gleis(folder, "rollback", "--reason", "too windy").code == 0
    project = opened(folder, END + timedelta(hours=3))
    FeatureKeeper(project.bench).look()
    assert seen(project) == (wind_at(410), [])
    said = gleis(folder, "features", "list")
    assert "weather_now  the next run, v3" in said.out
    assert "weather_now  v1, v2" in said.out


def test_rows_that_nothing_needs_go_after_a_day(tmp_path):
    folder = copied_trips(tmp_path / "trips")
    first = tables(Project.open(folder))
    edit(folder / "trips.py", 'pl.col("wind") * 1.0', 'pl.col("wind") * 2.0')
    edit_once = opened(folder)
    FeatureKeeper(edit_once.bench).look()
    (second,) = {*tables(edit_once)} - {*first}
    edit(folder / "trips.py", 'pl.col("wind") * 2.0', 'pl.col("wind") * 3.0')
    project = opened(folder)
    keeper = FeatureKeeper(project.bench)
    keeper.look()
    assert second in tables(project)
    assert [s.until for s in project.data.features.states()].count(END + KEPT) == 1
    project.clock.move_to(END + KEPT - timedelta(seconds=1))
    keeper.look()
    assert second in tables(project)
    project.clock.move_to(END + KEPT)
    keeper.look()
    assert second not in tables(project)
    assert {*first} < {*tables(project)}


def test_columns_that_come_and_go_move_no_value_into_another(tmp_path):
    folder = make_trips(tmp_path / "trips")
    edit(
        folder / "trips.py",
        'rows.select("place", "observed", "received", wind=pl.col("wind") * 1.0, temp="temp")',
        'rows.select(pl.exclude("nothing"))',
    )
    assert gleis(folder, "run").code == 0
    project = opened(folder)
    project.data.features.materialise()
    assert seen(project) == (wind_at(17 * 24 - 1), [])
    # A snapshot with a column in front of the wind, of the same kind.
    stamp = project.bench.dataset("weather").latest().provenance
    wider = weather(range(17 * 24 + 1)).select(
        "place", "observed", "received", pl.lit(-1.0).alias("gust"), "wind", "temp"
    )
    project.bench.dataset("weather").replace(wider, stamp)
    project = opened(folder, END + timedelta(hours=1))
    project.data.features.materialise()
    assert seen(project) == (wind_at(17 * 24), [])
    (own, former) = project.data.features.states()
    assert (own.features, own.models) == (("gust", "wind", "temp"), ())
    assert (former.features, former.models) == (("wind", "temp"), (1, 2))


def test_a_view_that_makes_something_else_now_is_told_and_stops_nothing(tmp_path):
    folder = copied_trips(tmp_path / "trips")
    edit(folder / "trips.py", 'pl.col("wind") * 1.0', "pl.lit(1.0)")
    project = opened(folder)
    stamp = project.bench.dataset("weather").latest().provenance
    calm = weather(range(17 * 24)).drop("wind")
    project.bench.dataset("weather").replace(calm, stamp)
    told = []
    project = opened(folder)
    project.bench.tell = lambda step, detail: told.append(detail)
    FeatureKeeper(project.bench).look()
    assert told[1] == "weather_now: 2 rows changed, weather@v2"
    assert told[0].startswith(
        "not kept current for version 1, 2: weather_now failed: ColumnNotFound"
    )


def test_a_view_in_a_folder_of_its_own_is_followed(tmp_path):
    folder = make_trips(tmp_path / "trips")
    text = (folder / "trips.py").read_text()
    start, end = text.index("@gleis.feature_view"), text.index("@gleis.on_demand")
    (folder / "lib").mkdir()
    (folder / "lib" / "winds.py").write_text(
        f"import gleis\nimport polars as pl\n\n{text[start:end]}"
    )
    (folder / "trips.py").write_text(
        f"from lib.winds import weather_now\n{text[:start]}{text[end:]}"
    )
    features = opened(folder).data.features
    features.materialise()
    edit(folder / "lib" / "winds.py", 'pl.col("wind") * 1.0', 'pl.col("wind") * 2.0')
    assert opened(folder).data.features.states()[0].version is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ((), "v is another than the model was trained with"),
        ((("trips.py", "import no_such_package"),), "does not run any more: ModuleNotFoundError"),
        ((("trips.py", "def v(rows): return rows"),), "is no feature view"),
    ],
)
def test_a_text_that_makes_no_view_is_one_clear_error(text, said):
    use = ViewUse(
        view="v", source="w", entity=(("p", "p"),), features=("x",), time="at", module="trips",
        text=text,
    )  # fmt: skip
    with pytest.raises(ProjectError, match=said):
        view_of_text(use)
