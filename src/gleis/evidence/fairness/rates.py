"""Rates of a group, for decisions of two outcomes: the good one is called positive.

TP, FP, FN and TN count a group's rows; s is the probability of the good outcome, y is 1 where the
outcome was good. Each function takes ``Outcomes`` with sums of shape (..., n_groups).

References
----------
Fawcett, T. (2006). An introduction to ROC analysis. Pattern Recognition Letters 27, figure 1, and
Verma, S. & Rubin, J. (2018). Fairness definitions explained. FairWare, section 3, of the rates that
name no other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gleis.evidence.fairness.outcomes import Outcomes
from gleis.evidence.weighted import Floats, ratio


class Share(NamedTuple):
    """Rows of which something holds, out of those it could hold of: a binomial proportion."""

    above: Floats
    below: Floats


def base_rate(o: Outcomes) -> Share:
    """Share of rows whose outcome was good, ``(TP + FN) / n``."""
    return Share(o.positives, o.rows)


def selection_rate(o: Outcomes) -> Share:
    """Share of rows that were given the good decision, ``(TP + FP) / n``."""
    return Share(o.selected, o.rows)


def true_positive_rate(o: Outcomes) -> Share:
    """Share of the positives that were found, ``TP / (TP + FN)``."""
    return Share(o.tp, o.positives)


def false_negative_rate(o: Outcomes) -> Share:
    """Share of the positives that were missed, ``FN / (TP + FN)``."""
    return Share(o.fn, o.positives)


def false_positive_rate(o: Outcomes) -> Share:
    """Share of the negatives that were taken for positives, ``FP / (FP + TN)``."""
    return Share(o.fp, o.negatives)


def true_negative_rate(o: Outcomes) -> Share:
    """Share of the negatives that were recognised, ``TN / (FP + TN)``."""
    return Share(o.tn, o.negatives)


def precision(o: Outcomes) -> Share:
    """Share of the good decisions that were right, ``TP / (TP + FP)``."""
    return Share(o.tp, o.selected)


def false_discovery_rate(o: Outcomes) -> Share:
    """Share of the good decisions that were wrong, ``FP / (TP + FP)``."""
    return Share(o.fp, o.selected)


def false_omission_rate(o: Outcomes) -> Share:
    """Share of the bad decisions that were wrong, ``FN / (FN + TN)``."""
    return Share(o.fn, o.fn + o.tn)


def negative_predictive_value(o: Outcomes) -> Share:
    """Share of the bad decisions that were right, ``TN / (FN + TN)``."""
    return Share(o.tn, o.fn + o.tn)


def accuracy(o: Outcomes) -> Share:
    """Share of the decisions that were right, ``(TP + TN) / n``."""
    return Share(o.tp + o.tn, o.rows)


def error_rate(o: Outcomes) -> Share:
    """Share of the decisions that were wrong, ``(FP + FN) / n``."""
    return Share(o.fp + o.fn, o.rows)


def balanced_accuracy(o: Outcomes) -> Floats:
    """Mean of the true positive and the true negative rate."""
    return (ratio(o.tp, o.positives) + ratio(o.tn, o.negatives)) / 2


def f1(o: Outcomes) -> Floats:
    """Harmonic mean of precision and true positive rate, ``2 TP / (2 TP + FP + FN)``."""
    return ratio(2 * o.tp, 2 * o.tp + o.fp + o.fn)


def treatment_ratio(o: Outcomes) -> Floats:
    """Positives missed for each negative taken for one, ``FN / FP``.

    References
    ----------
    Berk, R. et al. (2018). Fairness in criminal justice risk assessments: the state of the art.
    Sociological Methods & Research 50, definition 5.
    """
    return ratio(o.fn, o.fp)


def mean_score(o: Outcomes) -> Floats:
    """Mean probability, ``sum(s) / n``."""
    return ratio(o.score_of_positives + o.score_of_negatives, o.rows)


def mean_score_of_positives(o: Outcomes) -> Floats:
    """Mean probability among the positives: the generalised true positive rate.

    References
    ----------
    Pleiss, G. et al. (2017). On fairness and calibration. NeurIPS, definition 1 (one minus it).
    """
    return ratio(o.score_of_positives, o.positives)


def mean_score_of_negatives(o: Outcomes) -> Floats:
    """Mean probability among the negatives: the generalised false positive rate.

    References
    ----------
    Pleiss, G. et al. (2017). On fairness and calibration. NeurIPS, definition 1.
    """
    return ratio(o.score_of_negatives, o.negatives)


def calibration_bias(o: Outcomes) -> Floats:
    """Mean probability less the share of positives: above 0 the score promises too much."""
    return ratio(o.score_of_positives + o.score_of_negatives - o.positives, o.rows)


def expected_calibration_error(o: Outcomes) -> Floats:
    """Mean gap between score and share of positives over 15 bins, as the gate of that name.

    References
    ----------
    Guo, C. et al. (2017). On calibration of modern neural networks. ICML, eq. 3.
    """
    return ratio(np.abs(o.gaps).sum(axis=-1), o.rows)


def log_loss(o: Outcomes) -> Floats:
    """Mean of ``-log p(what happened)`` in nats.

    References
    ----------
    Good, I. J. (1952). Rational decisions. J. R. Statist. Soc. B 14, section 8.
    """
    return ratio(o.loss, o.rows)


def mean_benefit(o: Outcomes) -> Floats:
    """Mean of ``1 + decision - outcome``: 2 for a good decision undeserved, 0 for one missed.

    References
    ----------
    Speicher, T. et al. (2018). A unified approach to quantifying algorithmic unfairness. KDD,
    section 2.2.
    """
    return ratio(o.rows + o.fp - o.fn, o.rows)


RATES: dict[str, Callable[[Outcomes], Share | Floats]] = {
    rate.__name__: rate
    for rate in (
        base_rate,
        selection_rate,
        true_positive_rate,
        false_positive_rate,
        true_negative_rate,
        false_negative_rate,
        precision,
        negative_predictive_value,
        false_discovery_rate,
        false_omission_rate,
        accuracy,
        error_rate,
        balanced_accuracy,
        f1,
        treatment_ratio,
        mean_score,
        mean_score_of_positives,
        mean_score_of_negatives,
        calibration_bias,
        expected_calibration_error,
        log_loss,
        mean_benefit,
    )
}
"""By name. Beside them each group has a ``roc_auc``, from ``auc.py``."""
