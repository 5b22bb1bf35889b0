"""The monitors between ticks and processes."""

from __future__ import annotations

import shutil
from datetime import timedelta

import msgspec
import pytest

from benches import ROW, START, first, open_bench, with_champion
from gleis.contracts.alarm import Expected
from gleis.lifecycle.asking import predict
from gleis.lifecycle.durable import Workflows
from gleis.lifecycle.loop import Loop
from gleis.lifecycle.watching import Watching, look
from small_projects import make_shifting


@pytest.fixture(scope="module")
def trained_folder(tmp_path_factory):
    folder = make_shifting(tmp_path_factory.mktemp("watched") / "p")
    with_champion(folder).home.close()
    return folder


@pytest.fixture
def bench(trained_folder, tmp_path):
    bench = open_bench(shutil.copytree(trained_folder, tmp_path / "p"))
    yield bench
    bench.home.close()


def observed(bench, rows):
    watching = Watching(bench)
    predict(bench, [ROW] * rows)
    watching.observe(bench.clock.now())
    watching.keep()
    return watching


def test_monitors_follow_a_champion_changed_by_hand(bench):
    watching = Watching(bench)
    predict(bench, [ROW] * 5)
    assert watching.observe(bench.clock.now()).predictions == 5
    watching.keep()
    assert watching.summary()["version"] == 2
    assert watching.summary()["estimate"]["rows"] == 5
    bench.deployments.rollback("by hand", "test", "test")
    again = Watching(bench)
    predict(bench, [ROW] * 3)
    assert again.observe(bench.clock.now()).predictions == 3
    assert again.summary()["version"] == 1


def test_the_state_of_another_version_of_gleis_starts_anew(bench, monkeypatch):
    watching = Watching(bench)
    predict(bench, [ROW] * 5)
    watching.observe(bench.clock.now())
    watching.keep()
    kept = msgspec.msgpack.decode(bench.home.states.get("watching"))
    kept["observers"] = dict.fromkeys(kept["observers"], b"of another form")
    bench.home.states.put("watching", msgspec.msgpack.encode(kept))
    monkeypatch.setattr("gleis.lifecycle.watching.VERSION", "9.9.9")
    again = Watching(bench)
    assert again.summary() == {}
    assert again.observe(bench.clock.now()).predictions == 0
    assert again.summary()["drift"]["rows"] == 0


def test_a_season_counts_from_the_next_model_on(bench):
    observed(bench, 50)
    weekly = open_bench(bench.folder, {"monitor.season": "week"})
    watching = Watching(weekly)
    assert watching.summary() == {}  # rows are grouped anew
    watching.observe(weekly.clock.now())
    assert "trained without it" in watching.summary()["season"]
    with Workflows(weekly.home.folder, weekly) as workflows:
        assert first(weekly, workflows).promoted
    predict(weekly, [ROW] * 5)
    watching.observe(weekly.clock.now())
    watching.keep()
    assert watching.summary()["season"].startswith("week, in ")
    assert Watching(weekly).summary() == watching.summary()
    weekly.home.close()


class Estimate:
    """Expects the log loss to rise by so much."""

    high = 0.001

    def __init__(self, watched):
        self._version = watched.version.number

    def expected(self, since):
        change = {"change": self.high / 2, "low": 0.0, "high": self.high}
        return Expected(figure="log_loss", before=0.5, rows=500, **change)

    def see(self, batches, matched, now):
        pass

    def alarms(self, now):
        return []

    def summary(self):
        return {}

    def figures(self):
        return []

    def to_bytes(self):
        return b""


def test_harmless_drift_is_a_fact_nobody_acts_on_until_it_does_harm(bench, monkeypatch):
    monkeypatch.setattr("gleis.lifecycle.observers.gathered.OBSERVERS", {"estimate": Estimate})
    dear = ROW | {"price": 16.0}
    with Workflows(bench.home.folder, bench) as workflows:
        loop = Loop(bench, workflows.retrain)
        predict(bench, [dear] * 300)
        tick = loop.tick()
        assert (tick.alarms, tick.decision) == ((), None)
        assert [record.subject for record in tick.recorded]
        assert loop.journal.alarms() == []
        assert loop.journal.recorded() == loop.journal.alarms(recorded=True) == [*tick.recorded]
        assert "too little to matter" in tick.recorded[0].message
        harmless = loop.watching.summary()["drift"]["sure_but_harmless"]
        assert "price" in harmless
        predict(bench, [dear] * 300)
        assert loop.tick().recorded == ()

        monkeypatch.setattr(Estimate, "high", 0.5)
        predict(bench, [dear] * 10)
        bench.clock.move_to(START + timedelta(days=6))  # after the cooldown
        tick = loop.tick()
        (alarm,) = tick.alarms
        assert alarm.harmless is False
        assert tick.decision.alarms == (alarm.id,)
        assert tick.outcome is not None


@pytest.mark.parametrize("key", ["triggers.drift.block", "triggers.performance.block"])
def test_rows_grouped_anew_are_watched_anew(bench, key):
    observed(bench, 50)
    assert Watching(bench).summary()["drift"]["rows"] == 50
    again = open_bench(bench.folder, {key: "1d"})
    watching = Watching(again)
    assert watching.summary() == {}
    assert watching.observe(again.clock.now()).predictions == 0
    assert watching.summary()["drift"]["rows"] == 0
    again.home.close()


def test_a_look_beside_a_running_loop_leaves_it_alone(bench):
    observed(bench, 50)
    before = bench.home.states.get("watching")
    predict(bench, [ROW] * 5)
    with Workflows(bench.home.folder, bench):
        tick, state = look(bench)
    assert tick.predictions == 0
    assert "another process" in state["note"]
    assert state["drift"]["rows"] == 50
    assert bench.home.states.get("watching") == before
    tick, state = look(bench)
    assert tick.predictions == 5
    assert state["drift"]["rows"] == 55


def test_a_quiet_service_writes_nothing(bench, monkeypatch):
    watching = observed(bench, 5)
    written = []
    monkeypatch.setattr(bench.home.states, "put", lambda *args: written.append(args))
    watching.observe(bench.clock.now())
    watching.keep()
    assert written == []
    predict(bench, [ROW])
    watching.observe(bench.clock.now())
    watching.keep()
    assert len(written) == 1


def test_a_look_ends_though_the_log_grows_on(bench, monkeypatch):
    monkeypatch.setattr("gleis.lifecycle.watching._ROWS", 1)
    monkeypatch.setattr("gleis.lifecycle.watching._ROUNDS", 3)
    for _ in range(5):
        predict(bench, [ROW])
    watching = Watching(bench)
    assert [watching.observe(bench.clock.now()).predictions for _ in range(3)] == [3, 2, 0]
