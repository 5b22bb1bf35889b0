from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gleis import Project
from gleis.contracts.errors import ConfigError, RegistryError, UnavailableError
from trained_projects import copied, trained, untrained

ROW = {"sepal_length": 5.0, "sepal_width": 3.0, "petal_length": 4.2, "petal_width": 1.3}


def test_open_takes_text_and_path_and_flags_win(tmp_path):
    folder = untrained(tmp_path / "iris")
    assert Project.open(str(folder)).settings == Project.open(folder).settings
    assert Project.open(folder, {"params.C": 0.5}).settings.params == {"C": 0.5}
    assert Project.open(folder).settings.params == {"C": 1.0}


def test_open_makes_nothing(tmp_path):
    folder = untrained(tmp_path / "iris")
    before = sorted(folder.rglob("*"))
    project = Project.open(folder)
    assert project.runs() == []
    assert sorted(path for path in folder.iterdir()) == sorted(set(before) & set(folder.iterdir()))


def test_a_folder_without_a_project(tmp_path):
    with pytest.raises(ConfigError, match=r"gleis\.toml"):
        Project.open(tmp_path)


def test_as_of_stops_the_clock(tmp_path):
    moment = datetime(2024, 2, 21, tzinfo=UTC)
    assert Project.open(trained(), as_of=moment).clock.now() == moment


def test_a_run_and_what_it_leaves(tmp_path):
    told = []
    result = Project.open(untrained(tmp_path / "iris")).run(tell=lambda *step: told.append(step))
    assert result.promoted
    assert not result.unchanged
    assert result.verdict.passed
    steps = [step for step, _ in told]
    assert steps[:2] == ["keys", "data"]
    assert steps.index("fit") < steps.index("judge") < steps.index("promote")
    run = result.run
    assert run.package == result.outcome.version.digest
    assert run.tracking
    project = Project.open(tmp_path / "iris")
    assert project.find_run(run.id) == run
    assert [r.kind for r in project.runs()] == ["baseline", "model"]


def test_the_second_run_is_the_first(tmp_path):
    folder = copied(tmp_path / "iris")
    first = Project.open(folder).find_run("v2")
    again = Project.open(folder).run()
    assert again.unchanged
    assert again.run == first
    assert len(Project.open(folder).runs()) == 2


def test_a_time_before_what_the_dataset_holds_adds_nothing(tmp_path):
    folder = copied(tmp_path / "shifting", "shifting")
    project = Project.open(folder, as_of=datetime(2024, 2, 10, tzinfo=UTC))
    assert project.data.add().version == 1
    assert len(project.data.versions()) == 1


def test_only_rows_whose_truth_is_known_train(tmp_path):
    folder = copied(tmp_path / "shifting", "shifting")
    now = datetime(2024, 2, 25, 6, tzinfo=UTC)
    added = Project.open(folder, as_of=now).data.add()
    assert added.version == 2
    # label_delay is 6h: what happened before midnight, and nothing after.
    assert added.last == datetime(2024, 2, 24, 23, 48, tzinfo=UTC)
    read = Project.open(folder).data.read(2)
    assert read.height == added.rows
    assert read["at"].is_sorted()


def test_find_run_by_version_id_or_beginning():
    project = Project.open(trained())
    run = project.find_run("v2")
    assert project.find_run(run.id) == project.find_run(run.id[:-2]) == run
    assert project.find_run("b").kind == "baseline"
    for unknown in ("x", "v7", ""):
        with pytest.raises(RegistryError):
            project.find_run(unknown)


def test_predict_label_monitor_status(tmp_path):
    project = Project.open(copied(tmp_path / "iris"))
    answers = project.predict([ROW | {"plant": 3}, ROW])
    assert [answer["prediction"] for answer in answers] == ["versicolor", "versicolor"]
    receipt = project.label([{"id": 3, "label": "setosa"}])
    assert receipt == {"accepted": 1, "unknown": (), "changed": ()}
    tick, summary = project.monitor()
    assert (tick.predictions, tick.labels) == (2, 1)
    assert summary["version"] == 2
    status = project.status()
    assert status["log"] == {
        "predictions": 2,
        "labels": 1,
        "matched": 1,
        "pending labels": 0,
        "fallbacks": 0,
    }


def test_without_a_champion_nobody_answers(tmp_path):
    project = Project.open(untrained(tmp_path / "iris"))
    with pytest.raises(UnavailableError, match="gleis run"):
        project.predict([ROW])
    assert project.status()["champion"] == "none yet: gleis run"


def test_two_projects_in_one_process_do_not_meet(tmp_path):
    one = Project.open(copied(tmp_path / "iris"))
    other = Project.open(trained("diabetes"))
    assert one.find_run("v2").project == "iris"
    assert other.find_run("v2").project == "diabetes"
    assert one.bench.module.path.name == "iris.py"
    assert other.bench.module.path.name == "diabetes.py"
