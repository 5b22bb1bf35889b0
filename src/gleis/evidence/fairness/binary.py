"""The figures of decisions of two outcomes, by name."""

from __future__ import annotations

from gleis.evidence.fairness import disparities, inequality
from gleis.evidence.fairness.comparison import (
    ABOVE_0,
    Definition,
    difference_of,
    ratio_of,
    worst_of,
)
from gleis.evidence.fairness.outcomes import Outcomes

_DWORK = "Dwork et al. (2012), Fairness through awareness, ITCS, section 3"
_FELDMAN = "Feldman et al. (2015), Certifying and removing disparate impact, KDD, definition 1"
_HARDT = "Hardt, Price & Srebro (2016), Equality of opportunity in supervised learning, NeurIPS"
_ZAFAR = "Zafar et al. (2017), Fairness beyond disparate treatment, WWW, section 2"
_CHOULDECHOVA = "Chouldechova (2017), Fair prediction with disparate impact, Big Data 5"
_BERK = "Berk et al. (2018), Fairness in criminal justice risk assessments, SMR 50"
_KLEINBERG = "Kleinberg et al. (2017), Inherent trade-offs in risk scores, ITCS, section 1"
_BELLAMY = "Bellamy et al. (2019), AI Fairness 360, IBM J. Res. Dev. 63, section 3"
_PLEISS = "Pleiss et al. (2017), On fairness and calibration, NeurIPS"
_KEARNS = "Kearns et al. (2018), Preventing fairness gerrymandering, ICML"
_FOULDS = "Foulds et al. (2020), An intersectional definition of fairness, ICDE"
_SPEICHER = "Speicher et al. (2018), A unified approach to algorithmic unfairness, KDD, section 3"
_MINIMAX = "Martinez et al. (2020), Minimax Pareto fairness, ICML, section 3"
_BORKAN = "Borkan et al. (2019), Nuanced metrics for measuring unintended bias, WWW, section 3"
_VERMA = "Verma & Rubin (2018), Fairness definitions explained, FairWare, section 3"

# name of the figure, rate, reference, what others call it
_DIFFERENCES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("statistical_parity_difference", "selection_rate", _DWORK, (
        "demographic_parity_difference", "selection_rate_difference", "mean_difference",
    )),
    ("base_rate_difference", "base_rate", _DWORK, ("mean_difference of the labels",)),
    ("equal_opportunity_difference", "true_positive_rate", f"{_HARDT}, definition 2.2", (
        "true_positive_rate_difference", "false_negative_rate_difference",
    )),
    ("false_positive_rate_difference", "false_positive_rate", _ZAFAR, (
        "predictive_equality_difference", "true_negative_rate_difference",
    )),
    ("predictive_parity_difference", "precision", f"{_CHOULDECHOVA}, definition 2", (
        "precision_difference", "positive_predictive_value_difference",
        "false_discovery_rate_difference",
    )),
    ("false_omission_rate_difference", "false_omission_rate", _ZAFAR, (
        "negative_predictive_value_difference",
    )),
    ("error_rate_difference", "error_rate", f"{_BERK}, definition 1", (
        "accuracy_difference", "accuracy_score_difference", "zero_one_loss_difference",
    )),
    ("treatment_equality_difference", "treatment_ratio", f"{_BERK}, definition 5", ()),
    ("balanced_accuracy_difference", "balanced_accuracy", _BELLAMY, ()),
    ("f1_difference", "f1", _VERMA, ()),
    ("mean_score_difference", "mean_score", f"{_DWORK}, of the probability", ()),
    ("balance_positive_class_difference", "mean_score_of_positives", f"{_KLEINBERG}, (C)", (
        "generalized_true_positive_rate difference", "generalized_false_negative_rate difference",
    )),
    ("balance_negative_class_difference", "mean_score_of_negatives", f"{_KLEINBERG}, (B)", (
        "generalized_false_positive_rate difference", "generalized_true_negative_rate difference",
    )),
    ("calibration_bias_difference", "calibration_bias", f"{_KLEINBERG}, (A), over all bins", ()),
    ("expected_calibration_error_difference", "expected_calibration_error", _PLEISS, ()),
    ("log_loss_difference", "log_loss", _MINIMAX, ()),
    ("roc_auc_difference", "roc_auc", _BORKAN, ()),
)  # fmt: skip
_RATIOS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("statistical_parity_ratio", "selection_rate", _FELDMAN, (
        "disparate_impact", "demographic_parity_ratio", "selection_rate_ratio",
    )),
    ("base_rate_ratio", "base_rate", _FELDMAN, ("disparate_impact of the labels",)),
    ("equal_opportunity_ratio", "true_positive_rate", f"{_HARDT}, definition 2.2", (
        "true_positive_rate_ratio",
    )),
    ("false_positive_rate_ratio", "false_positive_rate", _ZAFAR, ("predictive_equality_ratio",)),
    ("true_negative_rate_ratio", "true_negative_rate", _ZAFAR, ()),
    ("false_negative_rate_ratio", "false_negative_rate", _ZAFAR, ()),
    ("predictive_parity_ratio", "precision", f"{_CHOULDECHOVA}, definition 2", (
        "precision_ratio", "positive_predictive_value_ratio",
    )),
    ("false_discovery_rate_ratio", "false_discovery_rate", _ZAFAR, ()),
    ("false_omission_rate_ratio", "false_omission_rate", _ZAFAR, ()),
    ("negative_predictive_value_ratio", "negative_predictive_value", f"{_BERK}, definition 4", ()),
    ("error_rate_ratio", "error_rate", _ZAFAR, ("zero_one_loss_ratio",)),
    ("accuracy_ratio", "accuracy", f"{_BERK}, definition 1", ("accuracy_score_ratio",)),
    ("treatment_equality_ratio", "treatment_ratio", f"{_BERK}, definition 5", ()),
    ("balance_positive_class_ratio", "mean_score_of_positives", f"{_KLEINBERG}, (C)", ()),
    ("balance_negative_class_ratio", "mean_score_of_negatives", f"{_KLEINBERG}, (B)", ()),
    ("log_loss_ratio", "log_loss", _MINIMAX, ()),
)  # fmt: skip
_WORST: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("accuracy", "min", ("accuracy_score_group_min", "1 - zero_one_loss_group_max")),
    ("balanced_accuracy", "min", ("balanced_accuracy_score_group_min",)),
    ("true_positive_rate", "min", ("recall_score_group_min",)),
    ("precision", "min", ("precision_score_group_min",)),
    ("f1", "min", ("f1_score_group_min",)),
    ("roc_auc", "min", ("roc_auc_score_group_min",)),
    ("log_loss", "max", ("log_loss_group_max",)),
    ("expected_calibration_error", "max", ("calibration within groups",)),
)
_UNBOUNDED = {"treatment_ratio", "log_loss"}


_WORST_FROM = {"expected_calibration_error": f"{_KLEINBERG}, (A)", "roc_auc": _BORKAN}


def _span(rate: str) -> str:
    return ABOVE_0 if rate in _UNBOUNDED else "0 to 1"


_OTHERS: tuple[Definition[Outcomes], ...] = (
    Definition(
        "equalized_odds_difference",
        disparities.equalized_odds_difference,
        "max of the true and the false positive rate's difference",
        f"{_HARDT}, definition 2.1",
        0.0,
    ),
    Definition(
        "equalized_odds_ratio",
        disparities.equalized_odds_ratio,
        "min of the true and the false positive rate's ratio",
        f"{_HARDT}, definition 2.1",
        1.0,
    ),
    Definition(
        "average_odds_difference",
        disparities.average_odds_difference,
        "max_ab |(FPR_a - FPR_b) + (TPR_a - TPR_b)| / 2",
        _BELLAMY,
        0.0,
    ),
    Definition(
        "average_abs_odds_difference",
        disparities.average_abs_odds_difference,
        "max_ab (|FPR_a - FPR_b| + |TPR_a - TPR_b|) / 2",
        _BELLAMY,
        0.0,
    ),
    Definition(
        "average_predictive_value_difference",
        disparities.average_predictive_value_difference,
        "max_ab |(PPV_a - PPV_b) + (FOR_a - FOR_b)| / 2",
        _BELLAMY,
        0.0,
    ),
    Definition(
        "conditional_use_accuracy_difference",
        disparities.conditional_use_accuracy_difference,
        "max of the PPV's and the NPV's difference",
        f"{_BERK}, definition 4",
        0.0,
    ),
    Definition(
        "generalized_equalized_odds_difference",
        disparities.generalized_equalized_odds_difference,
        "max of the difference of mean scores, of positives and of negatives",
        f"{_PLEISS}, definitions 1 and 2",
        0.0,
    ),
    Definition(
        "statistical_parity_subgroup_unfairness",
        disparities.statistical_parity_subgroup_unfairness,
        "max_g P(g) |P(good decision | g) - P(good decision)|",
        f"{_KEARNS}, definition 2.1",
        0.0,
    ),
    Definition(
        "false_positive_subgroup_unfairness",
        disparities.false_positive_subgroup_unfairness,
        "max_g P(g, y = 0) |FPR_g - FPR|",
        f"{_KEARNS}, definition 2.2",
        0.0,
        aliases=("rich_subgroup, over the groups named",),
    ),
    Definition(
        "differential_fairness",
        disparities.differential_fairness,
        "max_ab,d |ln P(d | a) - ln P(d | b)|, P(good | g) = (selected + 1/2) / (n + 1)",
        f"{_FOULDS}, definition 2.1",
        0.0,
        ABOVE_0,
        ("smoothed_empirical_differential_fairness of the decisions",),
    ),
    Definition(
        "differential_fairness_bias_amplification",
        disparities.differential_fairness_bias_amplification,
        "differential fairness of the decisions less that of the outcomes",
        _FOULDS,
        0.0,
        "any; below 0: decisions differ less than outcomes",
    ),
    Definition(
        "between_group_generalized_entropy_index",
        lambda c: inequality.between_group_generalized_entropy_index(c.sums),
        "1 / (2 n) sum_g n_g ((mu_g / mu)^2 - 1), mu_g the group's mean benefit",
        _SPEICHER,
        0.0,
        ABOVE_0,
        ("between_all_groups_generalized_entropy_index",),
    ),
    Definition(
        "between_group_theil_index",
        lambda c: inequality.between_group_theil_index(c.sums),
        "1 / n sum_g n_g (mu_g / mu) ln(mu_g / mu)",
        _SPEICHER,
        0.0,
        ABOVE_0,
        ("between_all_groups_theil_index",),
    ),
    Definition(
        "between_group_coefficient_of_variation",
        lambda c: inequality.between_group_coefficient_of_variation(c.sums),
        "sqrt(2 between_group_generalized_entropy_index)",
        _SPEICHER,
        0.0,
        ABOVE_0,
        ("between_all_groups_coefficient_of_variation",),
    ),
)

DISPARITIES: tuple[Definition[Outcomes], ...] = (
    *(
        difference_of(name, rate, reference, aliases, _span(rate))
        for name, rate, reference, aliases in _DIFFERENCES
    ),
    *(ratio_of(*row) for row in _RATIOS),
    *_OTHERS,
    *(
        worst_of(rate, end, _WORST_FROM.get(rate, _MINIMAX), aliases, _span(rate))
        for rate, end, aliases in _WORST
    ),
)
"""Between the known groups of a partition."""

INDIVIDUAL: tuple[Definition[Outcomes], ...] = (
    Definition(
        "generalized_entropy_index",
        lambda c: inequality.generalized_entropy_index(c.whole),
        "1 / (2 n) sum_i ((b_i / mu)^2 - 1), b = 1 + decision - outcome",
        _SPEICHER,
        0.0,
        ABOVE_0,
    ),
    Definition(
        "theil_index",
        lambda c: inequality.theil_index(c.whole),
        "1 / n sum_i (b_i / mu) ln(b_i / mu)",
        _SPEICHER,
        0.0,
        ABOVE_0,
    ),
    Definition(
        "coefficient_of_variation",
        lambda c: inequality.coefficient_of_variation(c.whole),
        "sqrt(2 generalized_entropy_index)",
        _SPEICHER,
        0.0,
        ABOVE_0,
    ),
)
"""Over all rows, whoever they are."""
