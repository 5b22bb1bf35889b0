"""The monitors between ticks and processes."""

from __future__ import annotations

import pytest

from benches import ROW, open_bench, with_champion
from gleis.lifecycle.asking import predict
from gleis.lifecycle.durable import Workflows
from gleis.lifecycle.watching import Watching, look
from small_projects import make_shifting


@pytest.fixture
def bench(tmp_path):
    bench = with_champion(make_shifting(tmp_path / "p"))
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
    monkeypatch.setattr("gleis.lifecycle.watching.VERSION", "9.9.9")
    again = Watching(bench)
    assert again.summary() == {}
    assert again.observe(bench.clock.now()).predictions == 0
    assert again.summary()["drift"]["rows"] == 0


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
