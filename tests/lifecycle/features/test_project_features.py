from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import gleis
from featured_projects import (
    START,
    append_weather,
    copied_trips,
    make_trips,
    trained_trips,
    weather,
)
from gleis.contracts.clock import SimulatedClock
from gleis.contracts.contract import Column, Contract
from gleis.contracts.dataset import DatasetSpec
from gleis.contracts.errors import ProjectError, RegistryError
from gleis.contracts.features import ServedFeatures, ViewUse
from gleis.data.features.consistency import find_differences
from gleis.data.features.joining import join_view
from gleis.data.features.view import FeatureView
from gleis.data.features.viewed import look_at
from gleis.lifecycle.features.kept import FeatureKeeper
from gleis.lifecycle.features.materialising import online_rows
from gleis.lifecycle.project import Project
from gleis.serving.lookup import Lookups
from gleis.store.online.sqlite_store import SqliteOnlineStore
from gleis.training.keys import function_code
from trained_projects import edit

LAST = START + timedelta(hours=17 * 24 - 1)


def opened(folder, at=LAST + timedelta(hours=1)):
    clock = SimulatedClock(at)
    return Project(folder, Project.open(folder).settings, clock), clock


def ask(project, **row):
    return project.predict([{"distance": 4.0, **row}])[0]


def test_a_model_answers_by_entity_id_and_the_log_has_what_it_saw(tmp_path):
    project, _ = opened(copied_trips(tmp_path / "trips"))
    answer = ask(project, trip=1, station="A")
    assert (answer["flags"], answer["fallback"]) == ([], False)
    last = weather(range(17 * 24)).filter(place="A")[-1]
    logged = next(iter(project.home.log.read())).batch
    assert logged.features["wind"] == last["wind"].to_list()
    assert logged.features["wind_km"] == (last["wind"] * 4.0).to_list()
    assert ask(project, station="C")["flags"] == ["weather_now: unknown"]
    in_full = {"wind": 3.0, "temp": 1.0, "wind_km": 12.0, "storm": False}
    assert ask(project, **in_full)["flags"] == []


def test_the_baseline_answers_only_the_rows_that_lack_a_feature(tmp_path):
    folder = copied_trips(tmp_path / "trips")
    edit(folder / "gleis.toml", "[features]", '[features]\nunknown = "fallback"')
    project, _ = opened(folder)
    rows = [{"distance": 4.0, "station": station} for station in ("A", "C", "B")]
    answers = project.predict(rows)
    assert [answer["fallback"] for answer in answers] == [False, True, False]
    assert answers[1]["flags"] == ["weather_now: unknown", "features: missing"]
    assert answers[0]["score"] == ask(project, station="A")["score"]


def test_the_package_says_what_was_joined_with_what():
    project = Project.open(trained_trips())
    champion = project.registry.get("champion")
    folder = project.registry.path(champion)
    contract = msgspec.json.decode((folder / "contract.json").read_bytes(), type=Contract)
    (use,) = contract.served.views
    assert use.code == function_code(project.folder, project.settings, "weather_now")
    lineage = json.loads((folder / "lineage.json").read_bytes())
    provenance = lineage["run"]["dataset"]["provenance"]
    assert provenance["tables"] == ["weather@v1"]
    assert provenance["features"]["views"][0]["view"] == "weather_now"


def test_offline_is_online_in_a_served_project(tmp_path):
    """Rows of the past, asked at their own moment, get what load joined them with."""
    folder = copied_trips(tmp_path / "trips")
    rows = Project.open(folder).data.read().filter(pl.col("trip").is_in(range(1, 1200, 170)))
    assert rows["wind"].null_count() not in {0, rows.height}
    for row in rows.iter_rows(named=True):
        project, _ = opened(folder, row["at"])
        project.data.features.materialise()
        project.predict([{name: row[name] for name in ("trip", "at", "station", "distance")}])
        logged = list(project.home.log.read())[-1].batch.features
        project.home.close()
        assert {name: values[0] for name, values in logged.items()} == {
            name: row[name] for name in logged
        }


hours = st.integers(0, 10)
histories = st.lists(
    st.tuples(st.sampled_from("AB"), hours, hours, st.floats(-5, 5)), min_size=1, max_size=20
)


@settings(max_examples=60, deadline=None)
@given(histories, hours, st.one_of(st.none(), st.integers(1, 5)))
def test_offline_is_online_for_any_history(tmp_path_factory, rows, hour, ttl):
    place, event, received, value = zip(*rows, strict=True)
    frame = pl.DataFrame({"place": place, "value": value}).with_columns(
        observed=pl.Series([START + timedelta(hours=h) for h in event]).dt.cast_time_unit("us"),
        received=pl.Series([START + timedelta(hours=h) for h in received]).dt.cast_time_unit("us"),
    )
    view = FeatureView(
        lambda rows: rows, source="w", entity=("place",),
        ttl=None if ttl is None else timedelta(hours=ttl),
    )  # fmt: skip
    spec = DatasetSpec(name="w", time="observed", known="received")
    now = START + timedelta(hours=hour)
    asked = pl.DataFrame({"place": ["A", "B", "C"], "at": [now] * 3}).cast(
        {"at": frame.schema["observed"]}
    )
    joined = join_view(asked, look_at(view, frame, spec), time="at", entity={"place": "place"})

    use = ViewUse(
        view="v", source="w", entity=(("place", "place"),), features=("value",), time="at",
        module="m", ttl=None if ttl is None else ttl * 3600.0,
    )  # fmt: skip
    contract = Contract(
        task="regression",
        features=(Column(name="value", kind="number", nullable=True),),
        target="t",
        served=ServedFeatures(views=(use,)),
    )
    store = SqliteOnlineStore(tmp_path_factory.mktemp("online") / "features.db")
    known = frame.filter(pl.col("received") <= now)
    store.replace(use.stored, online_rows(look_at(view, known, spec), now))
    found = Lookups(contract, store, SimulatedClock(now)).complete(
        [{"place": place} for place in "ABC"]
    )
    store.close()
    assert [row["value"] for row in found.rows] == joined["value"].to_list()


def test_materialising_again_writes_what_differs(tmp_path):
    project, clock = opened(copied_trips(tmp_path / "trips"))
    features = project.data.features
    (first,) = features.materialise()
    assert (first.entities, first.current, first.version) == (2, False, "weather@v1")
    (again,) = features.materialise()
    assert (again.entities, again.changed, again.current) == (2, 0, True)
    append_weather(project, weather(range(17 * 24, 17 * 24 + 2)))
    (second,) = features.materialise()
    # Of the new rows one is an hour old at most, and not known yet.
    assert (second.changed, second.version) == (0, "weather@v2")
    clock.move_to(LAST + timedelta(hours=1.5))
    (third,) = features.materialise()
    assert (third.changed, third.current) == (2, False)
    assert features.show("weather_now", ["A"]).at == LAST + timedelta(hours=1)
    assert features.due() == LAST + timedelta(hours=2.5)
    (fourth,) = features.materialise(["weather_now"], anew=True)
    assert (fourth.changed, fourth.current) == (0, False)


def test_an_entity_is_forgotten_in_every_table(tmp_path):
    folder = copied_trips(tmp_path / "trips")
    edit(folder / "trips.py", 'pl.col("wind") * 1.0', 'pl.col("wind") * 2.0')
    features = opened(folder)[0].data.features
    features.materialise()
    assert features.forget(["A"]) == 2
    assert features.show("weather_now", ["A"]) is None
    assert features.show("weather_now", ["B"]) is not None


def test_the_loop_materialises_what_is_new_and_looks_at_nothing_else(tmp_path):
    project, clock = opened(copied_trips(tmp_path / "trips"))
    told = []
    project.bench.tell = lambda step, detail: told.append(detail)
    keeper = FeatureKeeper(project.bench)
    keeper.look()
    assert keeper.look() == 0
    append_weather(project, weather(range(17 * 24, 17 * 24 + 2)))
    assert keeper.look() == 0  # nothing of it is known yet
    clock.move_to(LAST + timedelta(hours=1.5))
    assert keeper.look() == 2
    assert told[-1] == "weather_now: 2 rows changed, weather@v2"
    for file in project.home.folder.glob("features.db*"):
        file.unlink()
    assert keeper.look() == 2
    assert ask(project, station="A")["flags"] == []


def test_a_view_whose_code_changed_finds_no_old_rows(tmp_path):
    folder = copied_trips(tmp_path / "trips")
    edit(folder / "trips.py", 'pl.col("wind") * 1.0', 'pl.col("wind") * 2.0')
    project, _ = opened(folder)
    assert project.data.features.states()[0].version is None
    assert project.data.features.show("weather_now", ["A"]) is None
    assert project.data.features.materialise()[0].changed == 2
    # The champion was trained on the other code: it goes on with the rows of that.
    assert ask(project, station="A")["flags"] == []
    assert project.data.features.states()[0].version == "weather@v1"


def test_views_may_be_in_a_file_of_their_own(tmp_path):
    folder = make_trips(tmp_path / "trips")
    text = (folder / "trips.py").read_text()
    start, end = text.index("@gleis.feature_view"), text.index("@gleis.on_demand")
    view, rest = text[start:end], text[:start] + text[end:]
    (folder / "features.py").write_text(f"import gleis\nimport polars as pl\n\n{view}")
    (folder / "trips.py").write_text(f"from features import weather_now\n{rest}")
    project, _ = opened(folder)
    before = function_code(folder, project.settings, "load")
    assert project.data.features.views().keys() == {"weather_now"}
    assert project.data.features.materialise()[0].entities == 2
    edit(folder / "features.py", 'ttl="3h"', 'ttl="4h"')
    assert function_code(folder, project.settings, "load") != before
    (folder / "features.py").write_text("nonsense nonsense")
    with pytest.raises(ProjectError, match=r"features\.py is not Python"):
        opened(folder)[0].data.features.views()


def test_a_window_that_knows_too_much_is_found_out():
    rows = pl.DataFrame(
        {
            "place": ["A"] * 3,
            "observed": [START + timedelta(hours=h) for h in (0, 1, 0)],
            "received": [START + timedelta(hours=h) for h in (0, 1, 5)],  # the last one corrects
            "value": [1.0, 2.0, 100.0],
        }
    )  # fmt: skip
    spec = DatasetSpec(name="w", time="observed", known="received")
    own = FeatureView(lambda rows: rows, source="w", entity=("place",))
    mean = FeatureView(
        lambda rows: rows.with_columns(pl.col("value").mean()), source="w", entity=("place",)
    )
    assert find_differences(own, rows, spec) == []
    found = find_differences(mean, rows, spec)
    assert [one.at for one in found] == [START, START + timedelta(hours=1)]
    assert found[0].looked_up == {"value": 1.0}
    assert found[0].joined["value"] == pytest.approx(np.mean([1, 2, 100]))


def test_commands(tmp_path):
    folder = copied_trips(tmp_path / "trips")
    said = gleis(folder, "features", "list")
    assert "weather_now  the next run, v1, v2  place   3h   weather@v1" in said.out
    said = gleis(folder, "features", "materialise")
    assert said.out == "weather_now: 2 entities of weather@v1, nothing new\n"
    said = gleis(folder, "features", "show", "weather_now", "B")
    assert "weather_now of B, too old to be used" in said.out
    assert gleis(folder, "features", "show", "weather_now", "Z").out.startswith("weather_now knows")
    said = gleis(folder, "features", "check", "weather_now", "--json")
    assert (said.code, said.out) == (0, "[]\n")
    said = gleis(folder, "features", "show", "weather_nwo", "B")
    assert "Did you mean weather_now?" in said.err
    said = gleis(folder, "features", "show", "weather_now", "B", "C")
    assert "is looked up by place" in said.err


def test_names_of_views_are_looked_at(tmp_path):
    folder = make_trips(tmp_path / "trips")
    with pytest.raises(RegistryError, match="no feature view of this name"):
        opened(folder)[0].data.features.materialise(["weather"])
    with (folder / "trips.py").open("a") as file:
        file.write(
            "\nother = gleis.feature_view(source='weather', entity='place')(weather_now.function)\n"
        )
    with pytest.raises(ProjectError, match="Two feature views have one name: 'weather_now'"):
        opened(folder)[0].data.features.views()


def test_a_replay_joins_with_the_project_s_own_tables(tmp_path):
    folder = copied_trips(tmp_path / "trips")
    stretch = ("--since", "2024-01-10", "--until", "2024-01-12")
    said = gleis(folder, "backtest", *stretch, "--policy", "never", "--json")
    assert said.code == 0, said.err
    (policy,) = json.loads(said.out)["policies"]
    assert (policy["rows"], policy["refused"]) == (144, 0)


def test_a_model_that_looks_up_otherwise_is_not_tried_beside_the_champion(tmp_path):
    folder = copied_trips(tmp_path / "trips")
    edit(folder / "trips.py", 'ttl="3h"', 'ttl="4h"')
    said = gleis(folder, "run", "--set", "release.strategy=canary")
    assert said.code == 0, said.err
    assert "it looks its features up otherwise" in said.out + said.err
    assert Project.open(folder).registry.get("champion").number == 2


def test_what_a_kill_left_half_done_is_done_again(tmp_path):
    folder = copied_trips(tmp_path / "trips")
    append_weather(Project.open(folder), many_places(60_000))
    command = [sys.executable, "-m", "gleis", "features", "materialise"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    store = SqliteOnlineStore(folder / ".gleis" / "features.db")
    (table,) = store.tables()
    while store.count(table) < 10_000 and process.poll() is None:
        pass
    process.kill()
    assert process.wait() == -9
    assert 10_000 <= store.count(table) < 60_000
    said = gleis(folder, "features", "materialise", "--json")
    (done,) = json.loads(said.out)
    assert (done["entities"], done["current"]) == (60_002, False)
    assert store.count(table) == 60_002
    assert json.loads(gleis(folder, "features", "materialise", "--json").out)[0]["current"]
    store.close()


def many_places(count):
    at = pl.lit(LAST).cast(pl.Datetime("us", "UTC"))
    return pl.DataFrame({"place": [f"p{n}" for n in range(count)]}).with_columns(
        observed=at, received=at, wind=pl.lit(1.0), temp=pl.lit(2.0)
    )
