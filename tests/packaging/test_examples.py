from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_squared_error

from gleis.packaging.examples import Examples, mean_loss, promise


@pytest.mark.parametrize("seed", range(3))
def test_mean_loss_is_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    y, p = rng.integers(0, 2, 40), rng.random(40)
    p[:2] = 0.0, 1.0
    assert mean_loss(y, p, "binary") == pytest.approx(log_loss(y, p), rel=1e-12)
    y, p = rng.integers(0, 3, 40), rng.dirichlet(np.ones(3), 40)
    expected = log_loss(y, p, labels=[0, 1, 2])
    assert mean_loss(y, p, "multiclass") == pytest.approx(expected, rel=1e-12)
    y, p = rng.normal(size=40), rng.normal(size=40)
    assert mean_loss(y, p, "regression") == pytest.approx(mean_squared_error(y, p), rel=1e-12)


def test_promise_names_its_figure():
    examples = Examples(features={"x": [1, 2]}, scores=[1.0, 2.0], target=[1.0, 4.0])
    made = promise(examples, "regression")
    assert (made.figure, made.rows, made.value) == ("squared_error", 2, 2.0)
