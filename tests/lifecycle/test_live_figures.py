"""What the loop writes down for ``/metrics``."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from benches import ROW, open_bench, with_champion
from gleis.contracts.alarm import Alarm
from gleis.contracts.live_figures import LiveFigure
from gleis.lifecycle.asking import predict
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.live_figures import FEATURES, FIGURES, FigureKeeper, gather
from gleis.lifecycle.watching import Watching, look
from gleis.store.live_figures import read_figures
from small_projects import make_shifting


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = make_shifting(tmp_path_factory.mktemp("figures") / "p")
    with_champion(folder).home.close()
    return folder


@pytest.fixture
def bench(folder):
    bench = open_bench(folder)
    yield bench
    bench.home.close()


def written(bench):
    found = read_figures(bench.home.states)
    assert found is not None
    return {
        (one.name, *(v for k, v in one.labels.items() if k not in ("model", "version"))): one
        for one in found.figures
    }


def test_a_look_writes_what_is_known(bench):
    predict(bench, [ROW] * 5)
    before = bench.clock.now().timestamp()
    look(bench)
    found = written(bench)
    observed = {figure.name for figure in Watching(bench).figures()}
    assert {one.name for one in found.values()} <= FIGURES.keys() | observed
    assert found["gleis_drift_evidence", "price"].labels == {
        "model": "shifting",
        "version": "2",
        "feature": "price",
    }
    assert found["gleis_drift_rows",].value == 5
    assert found["gleis_alarms", "drift"].value == 0
    assert found["gleis_retrainings", "promoted"].labels == {
        "model": "shifting",
        "outcome": "promoted",
    }
    promised = found["gleis_performance_promised", "roc_auc"].value
    assert promised == Watching(bench).evidence.figures["roc_auc"].value
    assert found["gleis_loop_last_look_timestamp_seconds",].value >= before
    assert found["gleis_log_predictions",].value == bench.home.log.counts().predictions
    assert found["gleis_log_bytes",].value >= 4096
    assert ("gleis_loop_every_seconds",) not in found, "nobody knows when the next look comes"


class Wide:
    """A watcher of many features, beside an observer that knows coverage better."""

    evidence = None

    def summary(self):
        undefined = {"roc_auc": float("nan"), "brier": 0.25}
        return {
            "drift": {
                "evidence": {f"x{i}": float(i) for i in range(200)},
                "combined": 1.0,
                "threshold": 2.0,
                "rows": 7,
            },
            "performance": {
                "figures": undefined,
                "evidence": 0.0,
                "threshold": 2.0,
                "rise": 0.0,
                "rows": 3,
            },
            "labels": {"coverage": 0.9},
        }

    def figures(self):
        return [LiveFigure(name="gleis_label_coverage", value=0.5, help="Matured only.")]


def test_features_are_bounded_and_an_observer_goes_before_the_watch(bench):
    found = list(gather(bench, Wide(), Journal(bench.home.facts)))
    shown = [one.labels["feature"] for one in found if one.name == "gleis_drift_evidence"]
    assert shown == [f"x{i}" for i in range(199, 199 - FEATURES, -1)]
    [coverage] = [one for one in found if one.name == "gleis_label_coverage"]
    assert (coverage.value, coverage.help) == (0.5, "Matured only.")
    assert coverage.labels == {"model": "shifting", "version": "2"}


def test_a_figure_that_is_not_defined_is_left_out(bench):
    FigureKeeper(bench, 10.0).looked(Wide(), 0.5)
    found = written(bench)
    assert ("gleis_performance", "roc_auc") not in found
    assert found["gleis_performance", "brier"].value == 0.25
    assert found["gleis_loop_every_seconds",].value == 10.0


def test_a_long_training_gives_signs_of_life(bench):
    keeper = FigureKeeper(bench, 1.0)
    keeper.looked(Wide(), 0.5)
    looked = written(bench)["gleis_loop_last_look_timestamp_seconds",]
    signs = []

    def train(what):
        deadline = time.monotonic() + 20
        while len(set(signs)) < 3:
            assert time.monotonic() < deadline
            bench.clock.move_to(bench.clock.now() + timedelta(seconds=1))
            now = written(bench)
            if now["gleis_retraining_running",].value:
                signs.append(now["gleis_loop_alive_timestamp_seconds",].value)
            time.sleep(0.1)
        assert now["gleis_loop_last_look_timestamp_seconds",] == looked
        assert now["gleis_drift_evidence", "x199"].value == 199, "what was known stays"
        return what

    assert keeper.during(train)("done") == "done"
    keeper.looked(Wide(), 0.5)
    assert written(bench)["gleis_retraining_running",].value == 0


def test_a_look_that_fails_shows(bench):
    keeper = FigureKeeper(bench, 1.0)
    keeper.looked(Wide(), 0.5)
    keeper.failed()
    found = written(bench)
    assert found["gleis_loop_failed_looks",].value == 1
    assert found["gleis_drift_rows",].value == 7


def test_an_alarm_is_counted_and_open_and_checked(bench):
    journal = Journal(bench.home.facts)
    trained = journal.last_trained()
    journal.write_alarm(
        Alarm(
            id="drift-1",
            kind="drift",
            at=trained.at + timedelta(seconds=1),
            subject="price",
            also=(),
            evidence=3.0,
            threshold=2.0,
            promise="at most 1",
            effect=0.3,
            since=None,
            rows=100,
            version=2,
            message="`price` drifted",
            confirmed=True,
        )
    )
    counted = {
        (one.name, *one.labels.values()): one.value for one in gather(bench, Wide(), journal)
    }
    assert counted["gleis_alarms", "shifting", "drift"] == 1
    assert counted["gleis_alarms_open", "shifting", "drift"] == 1
    assert counted["gleis_alarms_open", "shifting", "performance"] == 0
    assert counted["gleis_alarms_checked", "shifting", "true"] == 1
