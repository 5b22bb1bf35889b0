from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import scipy.stats
from sklearn import metrics

from gleis.evidence import bootstrap
from gleis.evidence.bootstrap import bootstrap_figures, resamples
from gleis.evidence.metrics import METRICS, metrics_of


def data(seed=0, n=500):
    rng = np.random.default_rng(seed)
    p = rng.beta(2, 3, n)
    y = (rng.random(n) < p).astype(int)
    return y, np.clip(p + rng.normal(0, 0.1, n), 0, 1), np.round(rng.random(n), 1)


def test_a_resample_draws_as_many_rows():
    blocks = list(resamples(300, 50, seed=1))
    drawn = np.concatenate(blocks)
    assert drawn.shape == (50, 300)
    assert (drawn.sum(axis=1) == 300).all()
    # A row is drawn Binomial(n, 1/n) times: mean 1, variance 1 - 1/n.
    assert drawn.var() == pytest.approx(1 - 1 / 300, abs=0.05)


def test_blocks_do_not_change_the_figures(monkeypatch):
    y, scores, rival = data()
    arguments = {"n_replicates": 30, "seed": 3, "baseline_scores": rival}
    whole = bootstrap_figures(y, scores, metrics_of("binary"), **arguments)
    monkeypatch.setattr(bootstrap, "_CELLS", 7 * len(y))
    assert bootstrap_figures(y, scores, metrics_of("binary"), **arguments) == whole


def test_the_seed_decides():
    y, scores, _ = data()
    auc = [METRICS["roc_auc"]]

    def low(seed):
        return bootstrap_figures(y, scores, auc, n_replicates=50, seed=seed).figures["roc_auc"].low

    assert low(1) == low(1) != low(2)


@pytest.mark.parametrize("metric", metrics_of("binary"), ids=lambda m: m.name)
def test_equals_resampling_row_by_row(metric):
    y, scores, _ = data(n=200)
    drawn = np.concatenate(list(resamples(200, 40, seed=5))).astype(int)
    values = [metric(np.repeat(y, k), np.repeat(scores, k)) for k in drawn]
    figure = bootstrap_figures(y, scores, [metric], n_replicates=40, seed=5).figures[metric.name]
    assert figure.value == metric(y, scores)
    low, high = np.quantile(values, [0.025, 0.975])
    assert figure.low == pytest.approx(min(low, figure.value), abs=1e-12)
    assert figure.high == pytest.approx(max(high, figure.value), abs=1e-12)


@pytest.mark.parametrize("name", ["roc_auc", "log_loss"])
def test_agrees_with_scipy(name):
    y, scores, _ = data(2, 250)
    metric = METRICS[name]
    theirs = scipy.stats.bootstrap(
        (y, scores),
        metric.__call__,
        paired=True,
        vectorized=False,
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    ours = bootstrap_figures(y, scores, [metric], n_replicates=4000, seed=0).figures[name]
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.06 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.06 * width)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Two normal classes one apart: the true AUC is Phi(1 / sqrt(2)), the true mean loss known."""
    rng = np.random.default_rng(11)
    truth = {"roc_auc": scipy.stats.norm.cdf(1 / np.sqrt(2)), "accuracy": scipy.stats.norm.cdf(0.5)}
    held = dict.fromkeys(truth, 0)
    for seed in range(200):
        y = rng.integers(0, 2, 300)
        # The best threshold of equal normals, 1/2, is where the probability is 0.5.
        scores = scipy.special.expit(rng.normal(y, 1) - 0.5)
        figures = bootstrap_figures(
            y, scores, [METRICS[name] for name in truth], n_replicates=200, seed=seed
        ).figures
        for name, value in truth.items():
            held[name] += figures[name].low <= value <= figures[name].high
    # 95% of 200 is 190, with a standard deviation of 3.
    assert all(180 <= count <= 199 for count in held.values()), held


def test_gain_is_positive_where_the_model_is_better():
    y, scores, rival = data()
    found = bootstrap_figures(
        y, scores, metrics_of("binary"), n_replicates=100, seed=0, baseline_scores=rival
    )
    for name in ("roc_auc", "log_loss", "brier"):
        assert found.gain[name].low > 0
        sign = METRICS[name].sign
        difference = found.figures[name].value - found.baseline[name].value
        assert found.gain[name].value == pytest.approx(sign * difference)


def test_no_gain_over_oneself():
    y, scores, _ = data()
    found = bootstrap_figures(
        y, scores, metrics_of("binary"), n_replicates=50, seed=0, baseline_scores=scores
    )
    assert {(f.value, f.low, f.high) for f in found.gain.values()} == {(0.0, 0.0, 0.0)}


def test_pairing_is_sharper_than_two_intervals():
    y, scores, _ = data()
    near = np.clip(scores + np.random.default_rng(1).normal(0, 0.02, len(y)), 0, 1)
    found = bootstrap_figures(
        y, scores, [METRICS["brier"]], n_replicates=200, seed=0, baseline_scores=near
    )
    gain, own = found.gain["brier"], found.figures["brier"]
    assert gain.high - gain.low < 0.3 * (own.high - own.low)


def test_undefined_figures_are_absent():
    y, scores = np.zeros(50, dtype=int), np.full(50, 0.2)
    found = bootstrap_figures(y, scores, metrics_of("binary"), n_replicates=50, seed=0)
    assert "roc_auc" not in found.figures
    assert found.figures["log_loss"].value == pytest.approx(-np.log(0.8))


def test_a_figure_that_few_resamples_know_is_absent():
    y = np.array([1] + [0] * 30)
    found = bootstrap_figures(
        y, np.linspace(1, 0, 31), metrics_of("binary"), n_replicates=200, seed=0
    )
    assert "roc_auc" not in found.figures  # a third of the resamples miss the one positive


def test_multiclass_and_regression():
    rng = np.random.default_rng(4)
    scores = rng.dirichlet(np.ones(3), 200)
    y = scores.argmax(axis=1)
    found = bootstrap_figures(y, scores, metrics_of("multiclass"), n_replicates=50, seed=0)
    assert found.figures["accuracy"].value == 1
    assert set(found.figures) == {metric.name for metric in metrics_of("multiclass")}
    assert found.baseline == found.gain == {}
    values = rng.normal(size=200)
    found = bootstrap_figures(values, values + 1, metrics_of("regression"), n_replicates=50, seed=0)
    assert found.figures["mae"].value == pytest.approx(1)
    assert found.figures["mae"].high == pytest.approx(1)


def test_the_interval_holds_the_value_even_of_a_biased_figure():
    y, constant = np.array([0, 1] * 200), np.full(400, 0.5)
    found = bootstrap_figures(y, constant, metrics_of("binary"), n_replicates=60, seed=3)
    error = found.figures["expected_calibration_error"]
    assert error.low == error.value == 0 < error.high
    drawn = np.concatenate(list(resamples(400, 60, seed=3)))
    assert np.quantile(np.abs(drawn @ (y - 0.5)) / 400, 0.025) > 0


def test_where_rows_of_a_group_are_alike_whole_groups_are_drawn():
    """The standard error is that of the mean of groups, not of rows."""
    rng = np.random.default_rng(0)
    right = rng.random(40) < 0.7
    groups = np.repeat(np.arange(40), 25)
    y = np.ones(1000, dtype=int)
    scores = np.where(right[groups], 0.9, 0.1)
    made = [
        bootstrap_figures(
            y, scores, [METRICS["accuracy"]], n_replicates=2000, seed=0, clusters=clusters
        ).figures["accuracy"]
        for clusters in (groups, None)
    ]
    share = right.mean()
    for figure, rows in zip(made, (40, 1000), strict=True):
        assert figure.value == share
        half = 1.96 * np.sqrt(share * (1 - share) / rows)
        assert (figure.high - figure.low) / 2 == pytest.approx(half, rel=0.15)


def test_a_cluster_of_its_own_for_each_row_is_a_row():
    rng = np.random.default_rng(0)
    y, scores = rng.integers(0, 2, 200), rng.random(200)
    single, rows = (
        bootstrap_figures(
            y, scores, [METRICS["roc_auc"]], n_replicates=50, seed=0, clusters=clusters
        )
        for clusters in (np.arange(200), None)
    )
    assert single == rows


@pytest.mark.parametrize("name", ["roc_auc", "log_loss", "brier", "accuracy", "f1"])
def test_weights_count_as_scikit_learn_counts_them(name):
    y, scores, _ = data(n=300)
    weights = np.random.default_rng(1).uniform(0.5, 4.0, len(y))
    known = {
        "roc_auc": lambda: metrics.roc_auc_score(y, scores, sample_weight=weights),
        "log_loss": lambda: metrics.log_loss(y, scores, sample_weight=weights),
        "brier": lambda: metrics.brier_score_loss(y, scores, sample_weight=weights),
        "accuracy": lambda: metrics.accuracy_score(y, scores > 0.5, sample_weight=weights),
        "f1": lambda: metrics.f1_score(y, scores > 0.5, sample_weight=weights),
    }
    found = bootstrap_figures(y, scores, [METRICS[name]], n_replicates=50, seed=0, weights=weights)
    figure = found.figures[name]
    assert figure.value == pytest.approx(known[name](), rel=1e-12)
    assert figure.low <= figure.value <= figure.high


def test_a_row_of_weight_two_is_the_row_twice():
    y, scores, _ = data(n=200)
    twice = np.arange(len(y)) % 3 == 0
    weighted = bootstrap_figures(
        y, scores, [METRICS["roc_auc"]], n_replicates=20, seed=0, weights=1.0 + twice
    )
    again = np.concatenate([np.arange(len(y)), np.flatnonzero(twice)])
    repeated = bootstrap_figures(
        y[again], scores[again], [METRICS["roc_auc"]], n_replicates=20, seed=0
    )
    value = weighted.figures["roc_auc"].value
    assert value == pytest.approx(repeated.figures["roc_auc"].value, rel=1e-12)
    assert value != pytest.approx(METRICS["roc_auc"](y, scores), abs=1e-6)
