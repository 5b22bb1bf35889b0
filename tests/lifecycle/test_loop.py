"""The loop where things go wrong: a source that is away, and a champion changed by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benches import START, first, open_bench
from gleis.config.settings import TriggerSettings
from gleis.contracts.errors import ProjectError, StoreError
from gleis.lifecycle.durable import Workflows
from gleis.lifecycle.loop import Loop
from gleis.lifecycle.status import status
from gleis.lifecycle.triggers import on_demand
from gleis.lifecycle.up import _guarded
from gleis.packaging.load import load_fitted, load_package
from gleis.registry.retrainings import Retrainings
from small_projects import make_shifting
from trained_projects import edit

HOURLY = TriggerSettings(schedule="every 6h")


@pytest.fixture
def bench(tmp_path):
    bench = open_bench(make_shifting(tmp_path / "p"))
    yield bench
    bench.home.close()


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


def test_what_is_held_back_is_told_once_and_then_done(bench):
    """Due at 06:00, in quiet hours until 07:30; `gleis status` says so in a sentence."""
    quiet = TriggerSettings(schedule="every 6h", quiet=("05:00-07:30",))
    told = []
    bench.tell = lambda step, detail: told.append((step, detail))
    with Workflows(bench.home.folder, bench) as workflows:
        first(bench, workflows)
        loop = Loop(bench, workflows.retrain, quiet)
        held = []
        for minutes in (360, 370, 449):
            bench.clock.move_to(START + timedelta(minutes=minutes))
            tick = loop.tick()
            held.append((tick.held, tick.outcome))
        assert held == [(True, None), (False, None), (False, None)]
        said = (
            "waits until 2024-02-21 07:30 (quiet hours): scheduled (every 6h), due 2024-02-21 06:00"
        )
        assert [detail for step, detail in told if step == "held back"] == [said]
        assert (
            status(bench.settings, bench.home, bench.clock)["last decision"]
            == f"2024-02-21 06:00 {said}"
        )
        bench.clock.move_to(START + timedelta(minutes=450))
        assert loop.tick().outcome.version.number == 3


class Died(BaseException):
    """Stands for SIGKILL: nothing after it runs."""


def test_a_retraining_whose_process_died_is_not_done_twice(bench):
    with Workflows(bench.home.folder, bench) as workflows:
        first(bench, workflows)
        bench.clock.move_to(START + timedelta(hours=6))

        def dying(bench, decision):
            workflows.retrain(bench, decision)
            raise Died

        with pytest.raises(Died):
            Loop(bench, dying, HOURLY).tick()
    assert len(bench.registry.versions()) == 3

    after = open_bench(bench.folder)
    after.clock.move_to(START + timedelta(hours=6, seconds=10))
    with Workflows(after.home.folder, after) as workflows:
        loop = Loop(after, workflows.retrain, HOURLY)
        assert loop.resume().version.number == 3
        assert loop.resume() is None
        assert loop.tick().decision is None
    assert len(after.registry.versions()) == 3
    assert loop.journal.last_trained().kind == "schedule"
    after.home.close()


def test_a_decision_that_never_began_is_carried_out(bench):
    with Workflows(bench.home.folder, bench) as workflows:
        first(bench, workflows)
        bench.clock.move_to(START + timedelta(hours=6))

        def dying(bench, decision):
            raise Died

        with pytest.raises(Died):
            Loop(bench, dying, HOURLY).tick()
        assert Loop(bench, workflows.retrain, HOURLY).resume().version.number == 3


def test_a_module_edited_meanwhile_is_the_one_that_trains(bench):
    """In a process that runs for weeks, the code a result is named after must be what made it."""
    with Workflows(bench.home.folder, bench) as workflows:
        first(bench, workflows)
        edit(bench.folder / "shifting.py", "Regression(**params)", "Regression(C=0.001, **params)")
        bench.clock.move_to(START + timedelta(hours=6))
        outcome = Loop(bench, workflows.retrain, HOURLY).tick().outcome
    package = load_package(
        bench.registry.path(outcome.version), outcome.version.digest, bench.trust
    )
    assert load_fitted(package).estimator[-1].C == 0.001


def test_what_somebody_asked_for_is_done_once(bench):
    with Workflows(bench.home.folder, bench) as workflows:
        first(bench, workflows)
        requests = Retrainings(bench.home, bench.clock)
        bench.clock.move_to(START + timedelta(minutes=10))  # a cooldown does not hold a person back
        request = requests.ask("new prices", "ops")
        loop = Loop(bench, workflows.retrain)
        tick = loop.tick()
        assert (tick.decision.id, tick.decision.kind) == (request.id, "demand")
        assert "new prices" in tick.decision.reason
        assert requests.trained(request).version == tick.outcome.version.number
        assert requests.waiting() is None
        assert loop.tick().decision is None
        assert [t.decision for t in loop.journal.trainings()].count(request.id) == 1


@pytest.mark.parametrize("when", ["before it began", "after it ended"])
def test_a_loop_that_died_over_what_somebody_asked_for_goes_on(bench, when):
    with Workflows(bench.home.folder, bench) as workflows:
        first(bench, workflows)
        request = Retrainings(bench.home, bench.clock).ask("new prices", "ops")

        def dying(bench, decision):
            if when == "after it ended":
                workflows.retrain(bench, decision)
            raise Died

        with pytest.raises(Died):
            Loop(bench, dying).tick()
    versions = len(bench.registry.versions())

    after = open_bench(bench.folder)
    with Workflows(after.home.folder, after) as workflows:
        requests = Retrainings(after.home, after.clock)
        assert requests.taken(request)
        assert requests.trained(request) is None
        loop = Loop(after, workflows.retrain)
        assert loop.resume() is not None
        assert requests.trained(request).version is not None
        assert loop.resume() is None
        assert loop.tick().decision is None
    assert len(after.registry.versions()) - versions == (when == "before it began")
    after.home.close()


def test_what_cannot_be_done_says_why(bench):
    with Workflows(bench.home.folder, bench) as workflows:
        first(bench, workflows)
        edit(bench.folder / "shifting.py", "    rows = visits()", "    raise OSError('away')")
        fresh = open_bench(bench.folder)
        requests = Retrainings(fresh.home, fresh.clock)
        request = requests.ask("new prices", "ops")
        assert Loop(fresh, workflows.retrain).tick().outcome is None
        assert "away" in requests.trained(request).error
        fresh.home.close()


def test_a_look_that_fails_with_our_own_error_is_one_line_of_the_log(caplog):
    def look():
        raise StoreError("the store is away", remedy="Start it.")

    assert _guarded(look) is None
    assert caplog.messages == ["the loop's look failed: the store is away. Start it."]
    assert caplog.records[0].exc_info is None
