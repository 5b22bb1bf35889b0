import math
from datetime import timedelta

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from gleis.contracts.errors import DataError, StoreError
from gleis.data.profile import sketch_number
from gleis.evidence.losses import row_loss
from gleis.monitoring.labelled import Labelled
from gleis.monitoring.performance import WINDOW, PerformanceMonitor
from monitoring.matches import START, gone_on

ALARM = math.log10(1 / 0.05)


def rows(rng, n, trust=1.0, first=0):
    """Binary rows; the scores are calibrated at trust 1, overconfident above, worthless at 0."""
    scores = rng.beta(1.0, 3.0, n)
    truth = rng.random(n) < (trust * scores + (1 - trust) * 0.25 if trust <= 1 else scores)
    times = [START + timedelta(minutes=first + i) for i in range(n)]
    names = [f"r{first + i}" for i in range(n)]
    return Labelled(names, truth.astype(float).tolist(), scores.tolist(), times)


def make(rng, seed=0):
    loss = row_loss(*rows(rng, 8000).arrays("binary"), "binary")  # type: ignore[call-arg]
    return PerformanceMonitor(sketch_number(loss), "binary", seed)


def test_quiet_streams_keep_the_rate():
    alarmed = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        monitor, highest = make(rng, seed), -math.inf
        for i in range(8):
            monitor.update(rows(rng, 250, first=250 * i))
            highest = max(highest, monitor.evidence)
        alarmed += highest >= ALARM
    assert alarmed / 150 <= 0.10


def test_a_worse_model_is_found_dated_and_measured():
    rng = np.random.default_rng(0)
    monitor = make(rng)
    monitor.update(rows(rng, 2000))
    assert monitor.evidence < ALARM
    worse = rows(rng, 2000, trust=0.0, first=2000)
    monitor.update(worse)
    assert monitor.evidence >= ALARM
    loss = row_loss(*worse.arrays("binary"), "binary").mean()  # type: ignore[call-arg]
    expected = float(monitor.words().split()[1])
    assert monitor.rise() == pytest.approx((loss - expected) * 2000 / 2200, abs=0.05)
    assert abs(monitor.since() - START - timedelta(minutes=2000)) < timedelta(minutes=250)


def test_a_better_model_raises_no_alarm():
    rng = np.random.default_rng(1)
    monitor = make(rng)
    easy = rows(rng, 3000)
    monitor.update(Labelled(easy.ids, [0.0] * 3000, [0.01] * 3000, easy.times))
    assert monitor.evidence < 0
    assert monitor.rise() < 0


def test_figures_are_the_gates_on_the_latest_rows():
    rng = np.random.default_rng(2)
    monitor = make(rng)
    assert monitor.figures() == {}
    first, second = rows(rng, 1500), rows(rng, 1500, first=1500)
    monitor.update(first)
    monitor.update(second)
    y, scores = first.join(second).latest(WINDOW).arrays("binary")
    assert monitor.figures()["roc_auc"] == pytest.approx(roc_auc_score(y, scores))
    assert monitor.figures()["log_loss"] == pytest.approx(log_loss(y, scores))


def test_a_second_label_mends_figures_and_is_not_bet_on():
    rng = np.random.default_rng(3)
    monitor = make(rng)
    monitor.update(rows(rng, 300))
    evidence, figures = monitor.evidence, monitor.figures()
    monitor.mend({"r5": 1.0, "r6": 1.0, "r7": 1.0})
    assert monitor.evidence == evidence
    assert monitor.rows == 300
    assert monitor.figures()["log_loss"] > figures["log_loss"]


@pytest.mark.parametrize("task", ["regression", "multiclass"])
def test_other_tasks(task):
    rng = np.random.default_rng(4)
    n = 600
    if task == "regression":
        targets, scores = rng.normal(size=n), np.zeros(n)
    else:
        scores = rng.dirichlet([1, 2, 3], n)
        targets = np.array([rng.choice(3, p=p) for p in scores], dtype=float)
    whole = Labelled([str(i) for i in range(n)], targets.tolist(), scores.tolist(), [START] * n)
    loss = row_loss(*whole.arrays(task), task)
    monitor = PerformanceMonitor(sketch_number(loss), task)
    monitor.update(whole)
    assert monitor.rows == n
    assert abs(monitor.rise()) < 0.5
    assert all(math.isfinite(value) for value in monitor.figures().values())


def test_state_goes_on_exactly():
    rng = np.random.default_rng(5)
    reference = sketch_number(row_loss(*rows(rng, 1000).arrays("binary"), "binary"))  # type: ignore[call-arg]
    monitor = PerformanceMonitor(reference, "binary", 7)
    monitor.update(rows(rng, 400))
    restored = gone_on(PerformanceMonitor(reference, "binary", 7), monitor.to_bytes())
    more = rows(rng, 400, trust=0.0, first=400)
    for one in (monitor, restored):
        one.update(more)
    assert restored.to_bytes() == monitor.to_bytes()
    with pytest.raises(StoreError, match="damaged"):
        gone_on(PerformanceMonitor(reference, "binary"), b"no")


def test_rows_that_cannot_be_measured_change_nothing():
    monitor = make(np.random.default_rng(6))
    state = monitor.to_bytes()
    with pytest.raises(DataError):
        monitor.update(Labelled(["a"], [7.0], [0.5], [START]))
    assert monitor.to_bytes() == state
