from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from gleis.evidence.mitigation.group_calibration import GroupCalibration


def _rows(n, seed=0):
    rng = np.random.default_rng(seed)
    codes, truth = rng.integers(0, 2, n), rng.uniform(0.05, 0.95, n)
    labels = (rng.random(n) < truth).astype(np.int64)
    # Group 0 is scored too low, group 1 too sure of itself.
    scores = np.where(codes == 0, expit(logit(truth) - 1), expit(2 * logit(truth)))
    return scores, labels, codes, truth


@pytest.mark.parametrize("isotonic_from", [1, 10**9])
def test_each_groups_mean_score_becomes_its_base_rate(isotonic_from):
    scores, labels, codes, _ = _rows(4000)
    found = GroupCalibration(None, isotonic_from=isotonic_from)
    found.find_curves(scores, labels, codes)
    calibrated = found.calibrate(scores, codes)
    for group in (0, 1):
        rows = codes == group
        assert calibrated[rows].mean() == pytest.approx(labels[rows].mean(), abs=1e-4)


def test_the_sigmoid_finds_what_was_done_to_the_scores():
    scores, labels, codes, _ = _rows(20_000)
    found = GroupCalibration(None, isotonic_from=10**9)
    found.find_curves(scores, labels, codes)
    np.testing.assert_allclose(found.curves_[0][0], [1.0, 1.0], atol=0.1)
    np.testing.assert_allclose(found.curves_[1][0], [0.5, 0.0], atol=0.1)
    fresh, _, fresh_codes, fresh_truth = _rows(1000, seed=1)
    assert np.abs(found.calibrate(fresh, fresh_codes) - fresh_truth).max() < 0.04
