"""The part of the test rows where the model is worst."""

from __future__ import annotations

from gleis.contracts.robustness import WorstSlice
from gleis.evidence.worst_slice import find_worst_slice
from gleis.training.material import Material
from gleis.training.sections.section import Section


def find(material: Material) -> WorstSlice:
    """Search the features, and the columns that slices and groups are made of."""
    settings, rows = material.settings, material.test
    more = (*settings.evidence.slices, *settings.fairness.protected)
    columns = dict.fromkeys((*material.contract.names, *more))
    return find_worst_slice(
        material.y_test,
        material.scores,
        rows,
        [name for name in columns if name in rows.columns],
        material.contract.task,
        min_rows=settings.evidence.min_slice,
        n_replicates=settings.evidence.bootstrap,
        seed=material.seed,
    )


WORST_SLICE = Section("worst_slice", WorstSlice, find, ("evidence", "fairness"))
