"""A shadow in a process of its own: it comes with a shadow release, and goes with it."""

from __future__ import annotations

import time

import pytest

from benches import ROW, open_bench
from gleis.config.load import load_settings
from gleis.contracts.clock import SystemClock
from gleis.contracts.release import Rules
from gleis.lifecycle.asking import predict
from gleis.lifecycle.shadow_process import ShadowKeeper
from gleis.lifecycle.workbench import Workbench
from gleis.serving.shadow import read_counts
from gleis.store.home import Home
from trained_projects import copied


@pytest.fixture
def bench(tmp_path):
    folder = copied(tmp_path / "p", "shifting")
    settings = load_settings(folder, environment={})
    bench = Workbench(folder, settings, Home(folder / ".gleis"), SystemClock(), tracked=False)
    yield bench
    bench.home.close()


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_it_scores_and_ends(bench):
    keeper = ShadowKeeper(bench.settings, bench.home, bench.folder)
    other = ShadowKeeper(bench.settings, bench.home, bench.folder)
    keeper(None)
    assert keeper._process is None
    release = bench.registry.releases.start(
        "shadow", bench.registry.get(1), 1.0, Rules(), "why", "test", "a", least=0.5
    )
    predict(bench, [ROW] * 20)
    keeper(release)
    other(release)
    assert other._process is None, "one shadow a state folder"
    until(lambda: (read_counts(bench.home) or None) and read_counts(bench.home).scored == 20)
    predict(bench, [ROW] * 5)
    until(lambda: read_counts(bench.home).scored == 25)
    bench.registry.releases.end(release, "ended", "enough", "test")
    until(lambda: keeper._process.poll() is not None)
    keeper(None)
    assert keeper._process is None
    other(release)
    assert other._process is not None, "the lock is free again"
    other(None)


def test_a_package_that_is_refused_ends_the_release(bench, tmp_path):
    version = bench.registry.get(1)
    (bench.registry.path(version) / "model.json").write_text("{}")
    release = bench.registry.releases.start(
        "shadow", version, 1.0, Rules(), "why", "test", "a", least=0.5
    )
    keeper = ShadowKeeper(bench.settings, bench.home, bench.folder)
    keeper(release)
    until(lambda: bench.registry.releases.running() is None)
    assert "its package is refused" in bench.registry.releases.history()[-1].reason
    keeper(None)


def test_a_bench_of_a_test_is_the_same_project(bench):
    """The copy has the heuristic as version 1 and a champion."""
    assert open_bench(bench.folder).deployments.champion().version.number == 2
