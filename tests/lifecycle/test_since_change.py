"""Retraining on what came after a change."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from benches import START, open_bench
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.line import carry
from gleis.lifecycle.reproduce import reproduce
from gleis.lifecycle.since_change import bench_of
from gleis.lifecycle.triggers import on_demand
from small_projects import make_shifting


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = open_bench(make_shifting(tmp_path_factory.mktemp("since") / "p"))
    yield bench
    bench.home.close()


def decided(since):
    return msgspec.structs.replace(on_demand(START, "test"), since=since)


def test_without_a_change_the_bench_is_its_own(bench):
    assert bench_of(bench, decided(None)) is bench


@pytest.mark.parametrize(("days", "test"), [(20, "3d"), (6, 0.3)])
def test_the_test_rows_leave_enough_to_train_on(bench, days, test):
    split = bench_of(bench, decided(START - timedelta(days=days))).settings.split
    assert split.test == test
    assert split.since == (START - timedelta(days=days)).isoformat()


def test_a_run_on_the_rows_since_is_recorded_and_can_be_repeated(bench):
    since = START - timedelta(days=6)
    outcome = carry(bench, decided(since), bench.known_until())
    run = outcome.run
    assert run.since == since.isoformat()
    assert run.train_rows + run.test_rows < 6 * 120
    again = reproduce(bench, run)
    assert again.same_model
    assert again.largest_difference == 0.0
    assert Journal(bench.home.facts).trainings() == []
