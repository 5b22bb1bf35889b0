"""The rows on which a model is explained."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.ports import Columns
from gleis.evidence.explain.explainable import Explainable, make_explainable
from gleis.training.material import Material

QUICK_ROWS, SLOW_ROWS = 5_000, 500
"""Sampled; fewer where a row costs more than microseconds."""
QUICK_CELLS, SLOW_CELLS = 400_000, 40_000
"""Rows times features: of wide models fewer rows are taken."""
_FEWEST = 100


def explained_rows(
    material: Material, most: int | None = None
) -> tuple[Explainable, Columns, list[Any]]:
    """Return the model, some test rows by seed, and what was true of them.

    Parameters
    ----------
    material : Material
    most : int, optional
        Fewer rows than usual, but not fewer than 100.

    Returns
    -------
    model : Explainable
        Its background are the rows.
    columns : mapping
        Feature -> values, each (n_rows,).
    target : list, (n_rows,)
        Class labels, or values.
    """
    rows, target = material.test, material.y_test
    usual = _most(material)
    wanted = usual if most is None else max(_FEWEST, min(usual, most))
    kept = _some(len(rows), wanted, material.seed)
    rows, target = rows[kept], target[kept]
    columns = material.columns(rows)
    model = make_explainable(material.model, material.contract, columns, seed=material.seed)
    classes = material.contract.classes
    true = target.tolist() if classes is None else [classes[int(place)] for place in target]
    return model, columns, true


def any_rows(material: Material) -> tuple[Explainable, Columns]:
    """Return the model and some rows by seed, of training and test: where no truth is asked for."""
    rows = pl.concat([material.train, material.test])
    columns = material.columns(rows[_some(len(rows), _most(material), material.seed)])
    model = make_explainable(material.model, material.contract, columns, seed=material.seed)
    return model, columns


def _most(material: Material) -> int:
    quick = getattr(material.model, "quick", False)
    rows, cells = (QUICK_ROWS, QUICK_CELLS) if quick else (SLOW_ROWS, SLOW_CELLS)
    return max(_FEWEST, min(rows, cells // max(1, len(material.contract.names))))


def _some(n_rows: int, most: int, seed: int) -> NDArray[np.int64]:
    if n_rows <= most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, most, replace=False))
