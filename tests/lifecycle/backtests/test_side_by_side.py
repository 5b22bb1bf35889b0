"""Processes that replay a policy, where they fail. That they agree is in test_replay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gleis.config.load import load_settings
from gleis.config.settings import TriggerSettings
from gleis.contracts.errors import GleisError, ProjectError
from gleis.lifecycle.backtests import side_by_side
from gleis.lifecycle.backtests.policies import read_policy
from gleis.lifecycle.backtests.replay_job import Job
from gleis.lifecycle.backtests.replayed import Span
from gleis.lifecycle.backtests.side_by_side import SideBySide
from small_projects import make_shifting

SINCE = datetime(2024, 2, 21, tzinfo=UTC)


def job(folder, name="never"):
    return Job(
        folder=str(folder),
        settings=load_settings(folder, environment={}),
        policy=read_policy(name, TriggerSettings()),
        span=Span(since=SINCE, until=SINCE + timedelta(days=1), step=timedelta(days=1)),
        start=str(folder / "start"),
        home=str(folder / name),
    )


def test_an_error_is_that_of_the_replay(tmp_path):
    folder = make_shifting(tmp_path / "p")
    (folder / "shifting.py").unlink()
    with pytest.raises(ProjectError, match=r"no module shifting\.py"):
        SideBySide(2).run([job(folder), job(folder, "monthly")])


def test_a_process_that_breaks_off_says_what_it_said_last(tmp_path):
    folder = make_shifting(tmp_path / "p")
    dies = "import os, sys\nsys.stderr.write('no memory left')\nsys.stderr.flush()\nos._exit(9)\n"
    (folder / "shifting.py").write_text(dies)
    what = "the replay of never broke off, exit code 9: 'no memory left'"
    with pytest.raises(GleisError, match=what) as caught:
        SideBySide(1).run([job(folder)])
    assert "without --workers" in caught.value.remedy


def test_a_process_that_ends_before_it_was_told_what_to_do_says_why(tmp_path, monkeypatch):
    folder = make_shifting(tmp_path / "p")
    long = msgspec.structs.replace(job(folder), start="x" * 200_000)  # more than a pipe takes
    monkeypatch.setattr(side_by_side, "_MODULE", "gleis.not_there")
    with pytest.raises(GleisError, match=r"exit code 1: .*No module named gleis\.not_there"):
        SideBySide(1).run([long])


def test_what_runs_beside_ends_when_the_body_fails(tmp_path):
    folder = make_shifting(tmp_path / "p")
    (folder / "shifting.py").write_text("import time\ntime.sleep(600)\n")
    with pytest.raises(KeyError, match="body"), SideBySide(2).beside([job(folder)]) as future:
        raise KeyError("body")
    assert isinstance(future.exception(), GleisError)


def test_what_runs_beside_is_told_in_the_future(tmp_path):
    folder = make_shifting(tmp_path / "p")
    (folder / "shifting.py").unlink()
    with SideBySide(2).beside([job(folder)]) as future:
        assert isinstance(future.exception(), ProjectError)
