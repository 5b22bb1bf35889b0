"""The loop where things go wrong: a source that is away, and a champion changed by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gleis.config.load import load_settings
from gleis.config.settings import TriggerSettings
from gleis.contracts.clock import SimulatedClock
from gleis.contracts.errors import ProjectError, StoreError
from gleis.lifecycle.asking import predict
from gleis.lifecycle.durable import Workflows
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.loop import Loop
from gleis.lifecycle.triggers import on_demand
from gleis.lifecycle.watching import Watching
from gleis.lifecycle.workbench import Workbench
from gleis.store.home import Home
from small_projects import make_shifting
from trained_projects import edit

START = datetime(2024, 2, 21, tzinfo=UTC)
HOURLY = TriggerSettings(schedule="every 6h")
ROW = {"price": 10.0, "pages": 3, "channel": "web"}


def open_bench(folder):
    home = Home(folder / ".gleis")
    home.create()
    settings = load_settings(folder, environment={})
    return Workbench(folder, settings, home, SimulatedClock(START), tracked=False)


@pytest.fixture
def bench(tmp_path):
    bench = open_bench(make_shifting(tmp_path / "p"))
    yield bench
    bench.home.close()


def first(bench, workflows):
    decision = on_demand(START, "test")
    outcome = workflows.retrain(bench, decision)
    Journal(bench.home.facts).write_trained(decision, 0, outcome)
    return outcome


def test_a_source_that_is_away_is_recorded_and_tried_again(bench):
    with Workflows(bench.home.folder, bench) as workflows:
        first(bench, workflows)
        loop = Loop(bench, workflows.retrain, HOURLY)
        module = bench.folder / "shifting.py"
        edit(module, "    rows = visits()", "    raise OSError('away')")
        fresh = open_bench(bench.folder)
        fresh.clock.move_to(START + timedelta(hours=6))
        loop = Loop(fresh, workflows.retrain, HOURLY)
        tick = loop.tick()
        assert tick.decision.retrain
        assert tick.outcome is None
        failed = loop.journal.last_trained()
        assert "away" in failed.error
        assert failed.kind == "schedule"
        assert fresh.deployments.champion().version.number == 2

        edit(module, "    raise OSError('away')", "    rows = visits()")
        mended = open_bench(bench.folder)
        mended.clock.move_to(START + timedelta(hours=6, minutes=30))
        loop = Loop(mended, workflows.retrain, HOURLY)
        assert loop.tick().decision is None
        mended.clock.move_to(START + timedelta(hours=7, minutes=1))
        tick = loop.tick()
        assert tick.outcome.version.number == 3
        assert "again, after a failure" in tick.decision.reason
        for one in (fresh, mended):
            one.home.close()


def test_errors_of_a_workflow_keep_their_kind(bench):
    edit(bench.folder / "shifting.py", "    rows = visits()", "    raise OSError('away')")
    decision = on_demand(START, "test")
    with Workflows(bench.home.folder, bench) as workflows:
        for _ in range(2):  # the second time it is answered from the checkpoint
            with pytest.raises(ProjectError, match="away") as caught:
                workflows.retrain(bench, decision)
            assert caught.value.remedy


def test_one_loop_a_project(bench):
    with (
        Workflows(bench.home.folder, bench),
        pytest.raises(StoreError, match="another process"),
    ):
        Workflows(bench.home.folder, bench).__enter__()


def test_monitors_follow_a_champion_changed_by_hand(bench):
    with Workflows(bench.home.folder, bench) as workflows:
        first(bench, workflows)
    watching = Watching(bench)
    predict(bench, [ROW] * 5)
    assert watching.observe(bench.clock.now()).predictions == 5
    watching.keep()
    assert watching.summary()["version"] == 2
    bench.deployments.rollback("by hand", "test", "test")
    again = Watching(bench)
    predict(bench, [ROW] * 3)
    assert again.observe(bench.clock.now()).predictions == 3
    assert again.summary()["version"] == 1


def test_the_state_of_another_version_of_gleis_starts_anew(bench, monkeypatch):
    with Workflows(bench.home.folder, bench) as workflows:
        first(bench, workflows)
    watching = Watching(bench)
    predict(bench, [ROW] * 5)
    watching.observe(bench.clock.now())
    watching.keep()
    monkeypatch.setattr("gleis.lifecycle.watching.VERSION", "9.9.9")
    again = Watching(bench)
    assert again.summary() == {}
    assert again.observe(bench.clock.now()).predictions == 0
    assert again.summary()["drift"]["rows"] == 0
