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


def explained_rows(
    material: Material, most: int | None = None
) -> tuple[Explainable, Columns, list[Any]]:
    """Return the model, some test rows by seed, and what was true of them.

    Parameters
    ----------
    material : Material
    most : int, optional
        Rows; by default ``QUICK_ROWS`` or ``SLOW_ROWS``.

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
    kept = _some(len(rows), most or _most(material), material.seed)
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
    return QUICK_ROWS if getattr(material.model, "quick", False) else SLOW_ROWS


def _some(n_rows: int, most: int, seed: int) -> NDArray[np.int64]:
    if n_rows <= most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, most, replace=False))
