"""What separates groups of people, for decisions of two outcomes.

Differences are the largest rate less the smallest, ratios the smallest over the largest, over all
known groups: the same whichever group is thought privileged. Between two groups a difference is the
absolute value of AIF360's.
"""

from __future__ import annotations

import numpy as np

from gleis.evidence.fairness.comparison import Comparison, largest, spread
from gleis.evidence.fairness.outcomes import Outcomes
from gleis.evidence.weighted import Floats, ratio

Pair = Comparison[Outcomes]

_CONCENTRATION = 1.0


def equalized_odds_difference(c: Pair) -> Floats:
    """Return the larger of the TPR and the FPR difference.

    References
    ----------
    Hardt, M., Price, E. & Srebro, N. (2016). Equality of opportunity in supervised learning.
    NeurIPS, definition 2.1.
    """
    return np.maximum(c.difference("true_positive_rate"), c.difference("false_positive_rate"))


def equalized_odds_ratio(c: Pair) -> Floats:
    """Return the smaller of the TPR and the FPR ratio (Hardt et al. 2016, definition 2.1)."""
    return np.minimum(c.ratio("true_positive_rate"), c.ratio("false_positive_rate"))


def average_odds_difference(c: Pair) -> Floats:
    """Return the largest ``|(FPR_a - FPR_b) + (TPR_a - TPR_b)| / 2`` of two groups.

    Differences of opposite sign cancel, so ``average_abs_odds_difference`` is stricter.

    References
    ----------
    Bellamy, R. et al. (2019). AI Fairness 360. IBM J. Res. Dev. 63, section 3.
    """
    return spread(c.rate("true_positive_rate") + c.rate("false_positive_rate")) / 2


def average_abs_odds_difference(c: Pair) -> Floats:
    """Return the largest ``(|FPR_a - FPR_b| + |TPR_a - TPR_b|) / 2`` of two groups.

    ``|p| + |q| = max(|p + q|, |p - q|)``, so no pair needs to be looked at.

    References
    ----------
    Bellamy, R. et al. (2019). AI Fairness 360. IBM J. Res. Dev. 63, section 3.
    """
    tpr, fpr = c.rate("true_positive_rate"), c.rate("false_positive_rate")
    return np.maximum(spread(tpr + fpr), spread(tpr - fpr)) / 2


def average_predictive_value_difference(c: Pair) -> Floats:
    """Return the largest ``|(PPV_a - PPV_b) + (FOR_a - FOR_b)| / 2`` of two groups (AIF360)."""
    return spread(c.rate("precision") + c.rate("false_omission_rate")) / 2


def conditional_use_accuracy_difference(c: Pair) -> Floats:
    """Return the larger of the PPV and the NPV difference.

    References
    ----------
    Berk, R. et al. (2018). Fairness in criminal justice risk assessments: the state of the art.
    Sociological Methods & Research 50, definition 4.
    """
    return np.maximum(c.difference("precision"), c.difference("negative_predictive_value"))


def generalized_equalized_odds_difference(c: Pair) -> Floats:
    """Return the larger of the differences of the mean score, of positives and of negatives.

    References
    ----------
    Pleiss, G. et al. (2017). On fairness and calibration. NeurIPS, definitions 1 and 2.
    """
    return np.maximum(
        c.difference("mean_score_of_positives"), c.difference("mean_score_of_negatives")
    )


def statistical_parity_subgroup_unfairness(c: Pair) -> Floats:
    """Return the largest ``P(g) |P(decision | g) - P(decision)|``: small groups weigh less.

    References
    ----------
    Kearns, M. et al. (2018). Preventing fairness gerrymandering: auditing and learning for
    subgroup fairness. ICML, definition 2.1.
    """
    share = ratio(c.sums.rows, c.whole.rows)
    return largest(share * np.abs(c.rate("selection_rate") - ratio(c.whole.selected, c.whole.rows)))


def false_positive_subgroup_unfairness(c: Pair) -> Floats:
    """Return the largest ``P(g, y = 0) |FPR(g) - FPR|`` (Kearns et al. 2018, definition 2.2)."""
    share = ratio(c.sums.negatives, c.whole.rows)
    rate = ratio(c.whole.fp, c.whole.negatives)
    return largest(share * np.abs(c.rate("false_positive_rate") - rate))


def differential_fairness(c: Pair) -> Floats:
    """Return epsilon, the largest ``|ln P(d | a) - ln P(d | b)|`` of two groups and a decision d.

    ``P(good | g) = (selected + 1/2) / (n + 1)``: Dirichlet smoothing of concentration 1.

    References
    ----------
    Foulds, J. R. et al. (2020). An intersectional definition of fairness. ICDE, definition 2.1
    and its smoothed empirical estimate.
    """
    return _epsilon(c.sums.selected, c.sums.rows)


def differential_fairness_bias_amplification(c: Pair) -> Floats:
    """Return epsilon of the decisions less epsilon of the outcomes (Foulds et al. 2020)."""
    return differential_fairness(c) - _epsilon(c.sums.positives, c.sums.rows)


def _epsilon(good: Floats, rows: Floats) -> Floats:
    share = (good + _CONCENTRATION / 2) / (rows + _CONCENTRATION)
    share = np.where(rows > 0, share, np.nan)
    return np.maximum(spread(np.log(share)), spread(np.log1p(-share)))
