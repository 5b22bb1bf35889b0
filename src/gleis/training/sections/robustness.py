"""How the model bears damaged inputs."""

from __future__ import annotations

from gleis.contracts.robustness import Robustness
from gleis.evidence.robustness.examine import QUICK, SLOW, USUAL, examine_robustness
from gleis.training.material import Material
from gleis.training.sections.section import Section


def find(material: Material) -> Robustness:
    """Damage test rows and measure."""
    settings = material.settings.evidence
    return examine_robustness(
        material.model,
        material.test,
        material.y_test,
        material.prepared.part(material.train_sample(USUAL, "robustness")),
        material.contract,
        n_replicates=settings.bootstrap,
        seed=material.seed,
        measurement_error=settings.measurement_error,
        budget=QUICK if getattr(material.model, "quick", False) else SLOW,
    )


ROBUSTNESS = Section("robustness", Robustness, find, ("evidence",))
