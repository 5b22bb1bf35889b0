"""The test rows on which a model is explained."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.ports import Columns
from gleis.evidence.explain.explainable import Explainable, make_explainable
from gleis.training.material import Material

QUICK_ROWS, SLOW_ROWS = 3_000, 500
"""Sampled of the test rows; fewer where a row costs more than microseconds."""


def explained_rows(
    material: Material,
) -> tuple[Explainable, Columns, list[Any]] | None:
    """Return the model, some test rows by seed, and what was true of them.

    Returns
    -------
    model : Explainable
        Its background are the rows.
    columns : mapping
        Feature -> values, each (n_rows,).
    target : list, (n_rows,)
        Class labels, or values.
    None
        If there are fewer than two rows.
    """
    rows, target = material.test, material.y_test
    if len(rows) < 2:
        return None
    most = QUICK_ROWS if getattr(material.model, "quick", False) else SLOW_ROWS
    if len(rows) > most:
        draw = np.random.default_rng(material.seed)
        kept: NDArray[np.int64] = np.sort(draw.choice(len(rows), most, replace=False))
        rows, target = rows[kept], target[kept]
    columns = material.columns(rows)
    model = make_explainable(material.model, material.contract, columns, seed=material.seed)
    classes = material.contract.classes
    true = target.tolist() if classes is None else [classes[int(place)] for place in target]
    return model, columns, true
