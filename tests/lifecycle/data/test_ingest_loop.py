from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gleis.lifecycle.data.ingest_loop import Intake
from gleis.monitoring.delivery.wording import describe, headline
from weather_project import make_weather, put

NOW = datetime(2013, 6, 1, tzinfo=UTC)


def test_a_source_is_read_when_it_is_due_and_its_failure_is_told_once(tmp_path):
    project = make_weather(tmp_path, "in/", 'every = "1min"')
    intake = Intake(project.bench)
    (waits,) = intake.look(NOW)
    assert (waits.made, waits.left[0].reason) == ((), "there is no such file yet")
    put(tmp_path / "in/a.csv", "x\n1\n")
    assert intake.look(NOW + timedelta(seconds=59)) == []
    (found,) = intake.look(NOW + timedelta(seconds=60))
    assert [version.label for version in found.made] == ["weather@v1"]
    put(tmp_path / "in/b.csv", "y\n1\n")
    (failed,) = intake.look(NOW + timedelta(minutes=2))
    assert failed.failed.startswith("in/b.csv cannot be taken: Columns differ")
    assert intake.look(NOW + timedelta(minutes=3)) == []
    put(tmp_path / "in/b.csv", "x\n2\n")
    (found,) = intake.look(NOW + timedelta(minutes=4))
    assert found.latest.rows == 2


def test_a_file_written_just_now_is_not_waited_for(tmp_path):
    project = make_weather(tmp_path, "in/", 'every = "1min"')
    put(tmp_path / "in/a.csv", "x\n1\n").write_text("x\n1\n")
    assert Intake(project.bench).look(NOW) == [], "nor is it worth a word"
    assert project.bench.dataset("weather").latest() is None
    put(tmp_path / "in/b.txt", "x")
    (found,) = Intake(project.bench).look(NOW)
    assert "in/b.txt" in {one.what for one in found.left}


def test_without_every_nothing_is_read(tmp_path):
    project = make_weather(tmp_path, "in/")
    put(tmp_path / "in/a.csv", "x\n1\n")
    assert Intake(project.bench).look(NOW) == []


def test_somebody_is_told_of_a_source_that_fails_for_an_hour_and_when_it_works_again(tmp_path):
    project = make_weather(tmp_path, "in/", 'every = "1min"')
    bad = put(tmp_path / "in/a.csv", "x,y\n1\n")
    Intake(project.bench).look(NOW)
    Intake(project.bench).look(NOW + timedelta(minutes=59))
    assert project.alarms.all() == []
    for minutes in (60, 61):  # the loop was started anew meanwhile
        Intake(project.bench).look(NOW + timedelta(minutes=minutes))
    (one,) = project.alarms.all()
    assert (one.alarm.kind, one.alarm.subject, one.alarm.since) == ("source", "weather", NOW)
    assert "in/a.csv cannot be taken" in one.alarm.message
    text = " ".join(said for _, said in describe(one.alarm))
    assert "old rows" in text
    assert "version 0" not in text
    assert headline(one.alarm) == "`weather` is not filled any more"
    put(bad, "x,y\n1,2\n")
    Intake(project.bench).look(NOW + timedelta(minutes=62))
    (one,) = project.alarms.all()
    assert (one.state.status, one.state.note) == ("resolved", "it is read again")
