from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gleis.lifecycle.data.ingest_loop import Intake
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
