"""All mitigations by name: the class of each."""

from __future__ import annotations

from gleis.evidence.mitigation.bounded_group_loss import BoundedGroupLoss
from gleis.evidence.mitigation.calibrated_equalized_odds import CalibratedEqualizedOdds
from gleis.evidence.mitigation.correlation_remover import CorrelationRemover
from gleis.evidence.mitigation.disparate_impact_remover import DisparateImpactRemover
from gleis.evidence.mitigation.exponentiated_gradient import ExponentiatedGradient
from gleis.evidence.mitigation.fair_representation import FairRepresentation
from gleis.evidence.mitigation.grid_search import GridSearch
from gleis.evidence.mitigation.group_calibration import GroupCalibration
from gleis.evidence.mitigation.mitigator import Mitigator
from gleis.evidence.mitigation.prejudice_remover import PrejudiceRemover
from gleis.evidence.mitigation.reject_option import RejectOption
from gleis.evidence.mitigation.reweighing import Reweighing
from gleis.evidence.mitigation.threshold_optimizer import ThresholdOptimizer

MITIGATORS: dict[str, type[Mitigator]] = {
    "reweighing": Reweighing,
    "disparate_impact_remover": DisparateImpactRemover,
    "correlation_remover": CorrelationRemover,
    "fair_representation": FairRepresentation,
    "exponentiated_gradient": ExponentiatedGradient,
    "grid_search": GridSearch,
    "bounded_group_loss": BoundedGroupLoss,
    "prejudice_remover": PrejudiceRemover,
    "threshold_optimizer": ThresholdOptimizer,
    "calibrated_equalized_odds": CalibratedEqualizedOdds,
    "reject_option": RejectOption,
    "group_calibration": GroupCalibration,
}
"""The names of ``gleis.contracts.mitigation.MITIGATIONS``."""
