"""Inequality of benefits, among individuals and between groups.

A row's benefit is ``b = 1 + decision - outcome``: 2 for a good decision that was not deserved, 1
for a right one, 0 for a good one that was missed. mu is its mean over all rows.

References
----------
Speicher, T. et al. (2018). A unified approach to quantifying algorithmic unfairness: measuring
individual and group unfairness via inequality indices. KDD, eq. 2 and section 3.
"""

from __future__ import annotations

import numpy as np

from gleis.evidence.fairness.outcomes import Outcomes
from gleis.evidence.weighted import Floats, ratio


def generalized_entropy_index(o: Outcomes) -> Floats:
    """``1 / (2 n) sum((b / mu)^2 - 1)``, that is alpha = 2; 0 where all benefit alike."""
    return _entropy(*_benefits(o))


def theil_index(o: Outcomes) -> Floats:
    """``1 / n sum(b / mu ln(b / mu))``, the generalised entropy at alpha = 1."""
    return _theil(*_benefits(o))


def coefficient_of_variation(o: Outcomes) -> Floats:
    """Standard deviation of the benefits over their mean, ``sqrt(2 GE(2))``."""
    return _root(2 * generalized_entropy_index(o))


def between_group_generalized_entropy_index(o: Outcomes) -> Floats:
    """``1 / (2 n) sum_g n_g ((mu_g / mu)^2 - 1)``: everyone has the mean benefit of their group."""
    return _entropy(*_means(o))


def between_group_theil_index(o: Outcomes) -> Floats:
    """``1 / n sum_g n_g (mu_g / mu) ln(mu_g / mu)``."""
    return _theil(*_means(o))


def between_group_coefficient_of_variation(o: Outcomes) -> Floats:
    """``sqrt(2 GE(2))`` between groups."""
    return _root(2 * between_group_generalized_entropy_index(o))


def _root(value: Floats) -> Floats:
    return np.sqrt(np.maximum(value, 0.0)).astype(np.float64)


def _benefits(o: Outcomes) -> tuple[Floats, Floats]:
    """Return the three benefits and how many rows have each, of a single group."""
    rows = np.stack([o.fn, o.tp + o.tn, o.fp], axis=-1)[..., 0, :]
    return np.broadcast_to(np.array([0.0, 1.0, 2.0]), rows.shape), rows


def _means(o: Outcomes) -> tuple[Floats, Floats]:
    return ratio(o.rows + o.fp - o.fn, o.rows), o.rows


def _entropy(benefit: Floats, rows: Floats) -> Floats:
    relative = _relative(benefit, rows)
    return (ratio((rows * relative**2).sum(axis=-1), rows.sum(axis=-1)) - 1) / 2


def _theil(benefit: Floats, rows: Floats) -> Floats:
    relative = _relative(benefit, rows)
    terms = relative * np.log(np.where(relative > 0, relative, 1.0))
    return ratio((rows * terms).sum(axis=-1), rows.sum(axis=-1))


def _relative(benefit: Floats, rows: Floats) -> Floats:
    mean = ratio((rows * np.where(rows > 0, benefit, 0.0)).sum(axis=-1), rows.sum(axis=-1))
    return ratio(np.where(rows > 0, benefit, 0.0), mean[..., None])
