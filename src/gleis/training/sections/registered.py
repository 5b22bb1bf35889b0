"""All sections, in the order they are found."""

from __future__ import annotations

from gleis.training.results import Fitted, Ruled
from gleis.training.sections.fairness import FAIRNESS
from gleis.training.sections.importance import IMPORTANCE
from gleis.training.sections.leakage import LEAKAGE
from gleis.training.sections.robustness import ROBUSTNESS
from gleis.training.sections.section import Section
from gleis.training.sections.simpler import SIMPLER
from gleis.training.sections.surrogate import SURROGATE
from gleis.training.sections.worst_slice import WORST_SLICE

SECTIONS: tuple[Section, ...] = (
    FAIRNESS,
    LEAKAGE,
    ROBUSTNESS,
    WORST_SLICE,
    SIMPLER,
    IMPORTANCE,
    SURROGATE,
)
"""A section that is not here is not found."""


def sections_for(made: Fitted | Ruled) -> list[Section]:
    """Return the sections that are found for a model, or for a heuristic."""
    return [each for each in SECTIONS if each.of_rules or isinstance(made, Fitted)]
