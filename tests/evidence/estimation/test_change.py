import numpy as np
import pytest

from evidence.estimation.rows import BINARY, THREE, VALUE, binary, meant, three, values
from gleis.evidence.estimation.change import expected_rise
from gleis.evidence.estimation.estimate import sum_rows
from gleis.evidence.estimation.learn import learn_estimation


def loss(scores):
    """Return the mean log loss that these scores are worth in truth."""
    p = meant(scores)
    return float(-(p * np.log(scores) + (1 - p) * np.log(1 - scores)).mean())


@pytest.mark.parametrize(("contract", "make"), [(BINARY, binary), (THREE, three)])
def test_the_test_rows_themselves_are_no_change(contract, make):
    scores, y = make(np.random.default_rng(0), 2_000)
    learned = learn_estimation(y, scores, {}, contract).estimation
    rise = expected_rise([sum_rows(scores, {}, learned)], learned)
    assert rise.value == pytest.approx(0, abs=1e-12)
    assert rise.rows == 2_000


def test_the_interval_holds_the_true_change():
    rng, held, risen = np.random.default_rng(1), 0, 0
    for _ in range(100):
        scores, y = binary(rng, 2_000)
        learned = learn_estimation(y, scores, {}, BINARY).estimation
        days = [binary(rng, 300, 3, 4)[0] for _ in range(7)]
        rise = expected_rise([sum_rows(day, {}, learned) for day in days], learned)
        # What the new scores are worth, and the test rows' own, by the truth behind them.
        truth = loss(binary(rng, 40_000, 3, 4)[0]) - loss(scores)
        held += rise.bound(0.025) <= truth <= rise.bound(0.975)
        risen += rise.bound(0.025) > 0
    assert held >= 85
    assert risen >= 95


def test_evidence_is_the_level_at_which_it_is_sure():
    rng = np.random.default_rng(2)
    columns, scores, y = values(rng, 3_000)
    learned = learn_estimation(y, scores, columns, VALUE).estimation
    columns, scores, _ = values(rng, 2_000, 0.6)
    rise = expected_rise([sum_rows(scores, columns, learned)], learned)
    found = rise.evidence(0.05)
    assert rise.bound(10 ** -(found - 0.01)) > 0.05 > rise.bound(10 ** -(found + 0.01))
    assert rise.evidence(rise.value + 1) == 0.0


def test_days_that_differ_make_a_change_less_sure():
    rng = np.random.default_rng(3)
    scores, y = binary(rng, 4_000)
    learned = learn_estimation(y, scores, {}, BINARY).estimation
    alike = [binary(rng, 400, 2, 4)[0] for _ in range(6)]
    uneven = [binary(rng, 400, a, 4)[0] for a in (1, 3, 1, 3, 1, 3)]
    first, second = (
        expected_rise([sum_rows(day, {}, learned) for day in days], learned)
        for days in (alike, uneven)
    )
    assert second.bound(0.975) - second.value > 3 * (first.bound(0.975) - first.value)
