import numpy as np
import polars as pl
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    log_loss,
    mean_absolute_error,
    roc_auc_score,
)

from gleis.contracts.errors import DataError
from gleis.data.profile import profile
from gleis.evidence.metrics import METRICS
from gleis.monitoring.labels.corrected import correct, weigh
from gleis.monitoring.labels.score_bins import ScoreBins, make_bins

COLUMNS = ["column_0", "column_1", "column_2"]
BINS = ScoreBins(edges=tuple(sorted({*np.linspace(0.05, 0.95, 15).tolist(), 0.5})), classes=1)
FIGURES = ("roc_auc", "log_loss", "brier", "accuracy")


def world(seed, n=4000, truth=lambda s: s**1.4, labelled=lambda s: 0.08 + 0.85 * s**2):
    """Answers of an overconfident model; the higher the score, the likelier a label."""
    rng = np.random.default_rng(seed)
    scores = rng.beta(1.5, 2, n)
    y = (rng.random(n) < truth(scores)).astype(int)
    return y, scores, rng.random(n) < labelled(scores)


def found(y, scores, known, **more):
    codes = BINS.code(scores)
    answers = np.bincount(codes, minlength=BINS.number).astype(float)
    once = np.ones(int(known.sum()))
    return correct(y[known], scores[known], codes[known], once, answers, "binary", **more)


def test_corrected_intervals_hold_the_truth_and_uncorrected_ones_do_not():
    y, scores, _ = world(10**6, 400_000)
    truth = {name: METRICS[name](y, scores) for name in FIGURES}
    hits = dict.fromkeys(("corrected", "as_labelled"), 0)
    for seed in range(40):
        seen = found(*world(seed), names=FIGURES, seed=seed)
        for kind in hits:
            figures = getattr(seen, kind)
            hits[kind] += sum(figures[n].low <= truth[n] <= figures[n].high for n in FIGURES)
    assert hits["corrected"] >= 0.92 * 40 * len(FIGURES)
    assert hits["as_labelled"] <= 0.35 * 40 * len(FIGURES)


def test_weighted_figures_are_those_of_scikit_learn():
    y, scores, known = world(1)
    codes = BINS.code(scores)
    answers = np.bincount(codes, minlength=BINS.number).astype(float)
    weights, _, _ = weigh(codes[known], np.ones(known.sum()), answers)
    seen = found(y, scores, known, n_replicates=0).corrected
    truth, score = y[known], scores[known]
    for name, oracle in {
        "roc_auc": roc_auc_score(truth, score, sample_weight=weights),
        "average_precision": average_precision_score(truth, score, sample_weight=weights),
        "log_loss": log_loss(truth, score, sample_weight=weights),
        "brier": brier_score_loss(truth, score, sample_weight=weights),
        "accuracy": accuracy_score(truth, score > 0.5, sample_weight=weights),
    }.items():
        assert seen[name].value == pytest.approx(oracle, abs=1e-9)
    many = np.ones((1, len(truth))) * weights
    error = METRICS["mae"].formula(score * 3, score)(many)[0]
    oracle = mean_absolute_error(score * 3, score, sample_weight=weights)
    assert error == pytest.approx(oracle, abs=1e-9)


def test_scores_that_never_get_a_label_have_no_support():
    """Only the approved are known to pay back."""
    y, scores, _ = world(2)
    seen = found(y, scores, scores > 0.5)
    rejected = (scores <= 0.5).mean()
    assert seen.without_support == pytest.approx(rejected, abs=0.02)
    assert not seen.representative
    assert seen.note.startswith("Not representative: 6")
    some = (scores > 0.5) | (np.random.default_rng(0).random(len(scores)) < 0.05)
    better = found(y, scores, some)
    assert better.without_support == 0.0
    assert better.representative
    truth = METRICS["log_loss"](y, scores)
    assert better.corrected["log_loss"].low <= truth <= better.corrected["log_loss"].high
    assert not seen.as_labelled["log_loss"].low <= truth <= seen.as_labelled["log_loss"].high


def test_the_share_of_a_route_is_made_up_for():
    """A bandit gave this version 80% of the easy rows, later 10% of the hard ones."""
    rng = np.random.default_rng(3)
    n = 6000
    hard = np.repeat([False, True], n // 2)
    scores = rng.beta(2, 2, n)
    y = (rng.random(n) < np.where(hard, 0.5, scores)).astype(int)
    shares = np.where(hard, 0.1, 0.8)
    ours = rng.random(n) < shares
    known = ours & (rng.random(n) < 0.7)
    codes = BINS.code(scores)
    answers = np.bincount(codes[ours], 1 / shares[ours], BINS.number)
    seen = correct(
        y[known], scores[known], codes[known], np.ones(known.sum()), answers, "binary",
        shares=shares[known], names=["log_loss"],
    )  # fmt: skip
    truth = METRICS["log_loss"](y, scores)
    assert seen.corrected["log_loss"].low <= truth <= seen.corrected["log_loss"].high
    assert seen.as_labelled["log_loss"].high < truth


def test_labels_for_all_change_nothing():
    y, scores, _ = world(4, 500)
    seen = found(y, scores, np.ones(500, bool))
    assert seen.note == "Labels are as frequent whatever the score."
    for name, figure in seen.as_labelled.items():
        assert seen.corrected[name].value == pytest.approx(figure.value, abs=1e-12)


def test_one_class_only_leaves_out_what_is_undefined():
    seen = found(np.zeros(50, int), np.linspace(0.1, 0.4, 50), np.ones(50, bool))
    assert "roc_auc" not in seen.corrected
    assert seen.corrected["log_loss"].value > 0
    one = found(np.array([1, 0]), np.array([0.2, 0.3]), np.array([True, False]))
    assert one.rows == 1
    with pytest.raises(DataError, match="no labelled rows"):
        found(np.array([1, 0]), np.array([0.2, 0.3]), np.array([False, False]))


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks(task):
    rng = np.random.default_rng(5)
    n = 3000
    if task == "multiclass":
        scores = rng.dirichlet([1, 1, 1], n)
        y = np.array([rng.choice(3, p=p) for p in scores])
        bins, level = make_bins(profile(pl.DataFrame(scores), COLUMNS), task), scores.max(axis=1)
        name = "log_loss"
    else:
        scores = rng.normal(size=n)
        y = scores + rng.normal(size=n) * np.exp(scores / 2)
        bins, level = ScoreBins(edges=tuple(np.linspace(-2, 2, 15).tolist()), classes=1), scores
        name = "rmse"
    known = rng.random(n) < 1 / (1 + np.exp(-1.5 * (level - level.mean()) / level.std()))
    codes = bins.code(scores)
    answers = np.bincount(codes, minlength=bins.number).astype(float)
    seen = correct(y[known], scores[known], codes[known], np.ones(known.sum()), answers, task)
    truth = METRICS[name](y, scores)
    assert seen.corrected[name].low <= truth <= seen.corrected[name].high
    assert not seen.as_labelled[name].low <= truth <= seen.as_labelled[name].high
