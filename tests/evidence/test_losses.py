from __future__ import annotations

import numpy as np
import pytest

from gleis.contracts.contract import Contract
from gleis.contracts.errors import DataError
from gleis.evidence.losses import row_loss, score_columns
from gleis.evidence.measure import measure

rng = np.random.default_rng(0)
P = rng.random(300)
Y = (rng.random(300) < P).astype(int)


def test_the_mean_row_loss_is_the_gates_loss():
    assert row_loss(Y, P, "binary").mean() == pytest.approx(
        measure(Y, P, "binary", ["log_loss"])["log_loss"], abs=1e-15
    )
    two = np.column_stack([1 - P, P])
    np.testing.assert_allclose(row_loss(Y, two, "multiclass"), row_loss(Y, P, "binary"), atol=1e-12)
    values = measure(P, P**2, "regression", ["rmse"])["rmse"]
    assert row_loss(P, P**2, "regression").mean() == pytest.approx(values**2)


def test_losses_stay_finite_at_certainty():
    losses = row_loss(np.array([1, 0, 1, 0]), np.array([0.0, 1.0, 1.0, 0.0]), "binary")
    assert np.isfinite(losses).all()
    assert losses[0] == pytest.approx(36.04, abs=0.01)
    assert losses[2] < 1e-15


def test_row_loss_refuses_a_missing_score():
    with pytest.raises(DataError, match="row 1"):
        row_loss(np.array([0, 1]), np.array([0.5, np.nan]), "binary")


def test_score_columns():
    one = Contract(task="binary", features=(), target="y", classes=("no", "yes"))
    assert list(score_columns(P, one)) == ["score"]
    three = Contract(task="multiclass", features=(), target="y", classes=("a", "b", "c"))
    columns = score_columns(rng.dirichlet(np.ones(3), 5), three)
    assert list(columns) == ["score:a", "score:b", "score:c"]
    np.testing.assert_allclose(sum(columns.values()), 1)
