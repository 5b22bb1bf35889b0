import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from evidence.estimation.rows import BINARY, THREE, VALUE, binary, meant, three, values
from gleis.contracts.errors import DataError
from gleis.evidence.estimation.class_sums import calibrate
from gleis.evidence.estimation.estimate import estimate
from gleis.evidence.estimation.learn import learn_estimation
from gleis.evidence.measure import measure

DRAWS = 60


@pytest.fixture(scope="module")
def learned():
    scores, y = binary(np.random.default_rng(0), 8_000)
    return learn_estimation(y, scores, {}, BINARY).estimation


@pytest.fixture(scope="module")
def learned_three():
    scores, y = three(np.random.default_rng(1), 8_000)
    return learn_estimation(y, scores, {}, THREE).estimation


def scikit_binary(y, scores):
    called = scores > 0.5
    return {
        "accuracy": metrics.accuracy_score(y, called),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, called),
        "precision": metrics.precision_score(y, called),
        "recall": metrics.recall_score(y, called),
        "specificity": metrics.recall_score(y, called, pos_label=0),
        "f1": metrics.f1_score(y, called),
        "roc_auc": metrics.roc_auc_score(y, scores),
        "average_precision": metrics.average_precision_score(y, scores),
        "log_loss": metrics.log_loss(y, scores),
        "brier": metrics.brier_score_loss(y, scores),
    }


def test_estimates_are_what_scikit_learn_finds_in_the_mean_of_drawn_labels(learned):
    rng = np.random.default_rng(2)
    scores, _ = binary(rng, 6_000, 1, 2)
    likely = calibrate(scores, learned)[:, 1]
    drawn = [scikit_binary(rng.binomial(1, likely), scores) for _ in range(DRAWS)]
    found = estimate(scores, {}, learned)
    assert found.keys() == drawn[0].keys()
    for name, figure in found.items():
        theirs = np.array([each[name] for each in drawn])
        error = 4 * theirs.std() / np.sqrt(DRAWS) + 4e-4
        assert figure.value == pytest.approx(theirs.mean(), abs=error), name


def test_estimates_of_three_classes_are_the_mean_too(learned_three):
    rng = np.random.default_rng(3)
    scores, _ = three(rng, 4_000, 1.5)
    likely = calibrate(scores, learned_three)
    found, drawn = estimate(scores, {}, learned_three), []
    for _ in range(DRAWS):
        y = (likely.cumsum(axis=1) < rng.random((len(likely), 1))).sum(axis=1).clip(max=2)
        drawn.append(measure(y, scores, "multiclass"))
    assert found.keys() == drawn[0].keys()
    for name, figure in found.items():
        ours = np.array([each[name] for each in drawn])
        error = 4 * ours.std() / np.sqrt(DRAWS) + 1e-3
        assert figure.value == pytest.approx(ours.mean(), abs=error), name


@given(st.lists(st.booleans(), min_size=2, max_size=60))
def test_of_scores_that_are_sure_and_right_the_figures_are_those_of_the_labels(truth):
    y = np.array(truth, dtype=int)
    sure = np.repeat([0.0, 1.0], 100)
    learned = learn_estimation(sure.astype(int), sure, {}, BINARY).estimation
    found, known = estimate(y.astype(float), {}, learned), measure(y, y.astype(float), "binary")
    for name in found.keys() & known.keys():
        assert found[name].value == pytest.approx(known[name], abs=1e-12), name
        assert found[name].low == pytest.approx(found[name].high, abs=1e-12)


def test_on_the_test_rows_themselves_it_finds_their_figures():
    scores, y = binary(np.random.default_rng(4), 5_000)
    found = estimate(scores, {}, learn_estimation(y, scores, {}, BINARY).estimation)
    known = measure(y, scores, "binary")
    for name in ("accuracy", "precision", "recall", "brier", "log_loss", "roc_auc"):
        assert found[name].value == pytest.approx(known[name], abs=0.02), name


def test_a_regression_is_estimated_by_what_its_leaves_lose():
    rng = np.random.default_rng(5)
    columns, scores, y = values(rng, 6_000)
    learned = learn_estimation(y, scores, columns, VALUE).estimation
    own, known = estimate(scores, columns, learned), measure(y, scores, "regression")
    assert own["mae"].value == pytest.approx(known["mae"], abs=1e-9)
    assert own["rmse"].value == pytest.approx(known["rmse"], abs=1e-9)
    columns, scores, y = values(rng, 20_000, 0.5)
    moved, known = estimate(scores, columns, learned), measure(y, scores, "regression")
    assert moved["mse"].value == pytest.approx(moved["rmse"].value ** 2)
    for name in ("mae", "rmse"):
        assert moved[name].value - own[name].value > 0.01
        assert moved[name].value == pytest.approx(known[name], rel=0.08)


def test_intervals_hold_what_labels_show_and_know_that_the_test_rows_were_few():
    rng, held, rows = np.random.default_rng(6), {}, 120
    for seed in range(rows):
        scores, y = binary(rng, 600)
        learned = learn_estimation(y, scores, {}, BINARY).estimation
        scores, y = binary(rng, 600, 2, 4)
        known = measure(y, scores, "binary")
        for name, figure in estimate(scores, {}, learned, seed=seed).items():
            if name in known:
                held[name] = held.get(name, 0) + (figure.low <= known[name] <= figure.high)
    # 0.9 is promised; of 120 fewer than 99 are seen once in 250 at that.
    assert min(held.values()) >= 99, held


def test_intervals_know_that_rows_of_a_day_err_together():
    rng, held = np.random.default_rng(7), 0
    for seed in range(60):
        scores, _ = binary(rng, 8_000)
        day = np.repeat(np.arange(8), 1_000)
        odds = np.log(meant(scores) / (1 - meant(scores))) + rng.normal(0, 0.5, 16)[day]
        y = rng.binomial(1, 1 / (1 + np.exp(-odds)))
        learned = learn_estimation(y, scores, {}, BINARY, day).estimation
        fresh, _ = binary(rng, 1_000)
        odds = np.log(meant(fresh) / (1 - meant(fresh))) + rng.normal(0, 0.5)
        loss = measure(rng.binomial(1, 1 / (1 + np.exp(-odds))), fresh, "binary")["log_loss"]
        figure = estimate(fresh, {}, learned, seed=seed)["log_loss"]
        held += figure.low <= loss <= figure.high
    assert held >= 50  # 0.9 of 60 are 54; fewer than 50 are seen once in 60 at that


@pytest.mark.parametrize(
    ("y", "scores", "contract", "reason"),
    [
        ([0, 1, 0], [0.1, 0.9, 0.2], BINARY, "3 test rows are too few; it takes 100"),
        ([0] * 200, np.linspace(0, 1, 200), BINARY, "no test row is of class 1"),
        ([0, 1] * 100, [0.5] * 200, BINARY, "the model gives every test row the same score"),
    ],
)
def test_rows_that_say_too_little_give_a_reason(y, scores, contract, reason):
    found = learn_estimation(np.array(y), np.array(scores, dtype=float), {}, contract)
    assert found.estimation is None
    assert found.reason == reason


def test_a_missing_score_is_an_error(learned):
    with pytest.raises(DataError, match="score is missing or infinite"):
        estimate(np.array([0.1, np.nan]), {}, learned)
    with pytest.raises(DataError, match="score is missing or infinite in row 1"):
        learn_estimation(np.array([0, 1]), np.array([0.2, np.nan]), {}, BINARY)
    with pytest.raises(DataError, match="no rows"):
        estimate(np.empty(0), {}, learned)


def test_a_regression_that_always_errs_alike_is_known_exactly():
    columns, scores, _ = values(np.random.default_rng(8), 300)
    found = estimate(
        scores, columns, learn_estimation(scores + 2, scores, columns, VALUE).estimation
    )
    assert found["rmse"].value == pytest.approx(2)
    assert found["rmse"].low == pytest.approx(found["rmse"].high)


def test_missing_values_and_unknown_words_find_a_leaf():
    columns, scores, y = values(np.random.default_rng(9), 2_000)
    learned = learn_estimation(y, scores, columns, VALUE).estimation
    odd = {"size": [None, float("nan"), 1.0], "shop": ["new", None, "x"]}
    assert estimate(np.zeros(3), odd, learned)["mae"].value > 0
