from __future__ import annotations

import numpy as np
import pandas as pd
from fairlearn.preprocessing import PrototypeRepresentationLearner

from gleis.evidence.mitigation.fair_representation import Aims, objective
from mitigated_models import make


def _case(seed=0, groups=3, n=60, columns=3, count=4):
    rng = np.random.default_rng(seed)
    rows, labels = rng.normal(size=(n, columns)), rng.integers(0, 2, n)
    parts = np.concatenate(
        [
            rng.normal(size=count * columns),
            rng.uniform(0.1, 0.9, count),
            rng.uniform(0.5, 2, columns),
        ]
    )
    return parts, rows, labels, rng.integers(0, groups, n), count


def test_fairlearn_minimises_the_same():
    parts, rows, labels, codes, count = _case()
    oracle = PrototypeRepresentationLearner(
        n_prototypes=count, reconstruct_weight=0.3, target_weight=0.7, fairness_weight=2.0
    )
    groups = pd.Series(codes)
    oracle._has_target, oracle._groups = True, groups.unique()
    oracle._prototype_dim, oracle._prototype_vectors_size = 3, count * 3
    oracle._optimizer_size = parts.size
    expected = oracle._objective(parts, rows, labels, groups)
    value, _ = objective(parts, rows, labels, codes, count, Aims(0.3, 0.7, 2.0))
    np.testing.assert_allclose(value, expected, rtol=1e-12)


def test_the_gradient_is_that_of_the_objective():
    parts, *rest = _case(seed=1)
    aims = Aims(0.3, 0.7, 2.0)
    _, gradient = objective(parts, *rest, aims)  # type: ignore[call-arg]
    step = 1e-6
    numeric = [
        (objective(parts + e, *rest, aims)[0] - objective(parts - e, *rest, aims)[0]) / (2 * step)  # type: ignore[call-arg]
        for e in step * np.eye(parts.size)
    ]
    np.testing.assert_allclose(gradient, numeric, atol=1e-7)


def test_the_mixtures_do_not_tell_the_group(lending, model):
    rows, paid = lending
    women = (rows["sex"] == "f").to_numpy()

    def apart(strength):
        found = make("fair_representation", model, strength=strength).fit(rows, paid)
        shares = found.packaged[-1].transform(found.packaged[0].transform(rows))
        return np.abs(shares[women].mean(axis=0) - shares[~women].mean(axis=0)).mean()

    assert apart(1.0) < 0.2 * apart(0.0)
