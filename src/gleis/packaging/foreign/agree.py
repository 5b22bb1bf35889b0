"""Whether the adopted model answers what the foreign one answered."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from gleis.contracts.errors import PackageError
from gleis.packaging.estimator import SklearnModel
from gleis.packaging.onnx_model import OnnxModel, placed

if TYPE_CHECKING:
    import polars as pl

    from gleis.packaging.foreign.opened import Opened

_TOLERANCE = 1e-9


def check_agreement(model: SklearnModel | OnnxModel, opened: Opened, rows: pl.DataFrame) -> float:
    """Hold a model, as packages ask it, against what it answered when it was opened.

    Parameters
    ----------
    model : SklearnModel or OnnxModel
        Read back from ``opened.estimator``.
    opened : Opened
    rows : DataFrame, (n_rows, n_features)
        The rows it was asked then.

    Returns
    -------
    float
        Largest difference of a score.

    Raises
    ------
    PackageError
        If it is above 1e-9.
    """
    before = np.load(io.BytesIO(opened.scores), allow_pickle=False)
    contract = model.contract
    if opened.layout is not None:
        before = placed(before, opened.layout, contract)
    elif contract.classes is not None and isinstance(model, SklearnModel):
        whole = np.zeros((len(before), len(contract.classes)))
        whole[:, np.asarray(model.estimator.classes_, dtype=np.int64)] = before
        before = whole[:, 1] if contract.task == "binary" else whole
    columns: dict[str, Any] = rows.to_dict()
    after = model.predict(columns)
    if after.shape != before.shape:
        raise _otherwise(f"{after.shape} scores instead of {before.shape}")
    largest = float(np.max(np.abs(after - before), initial=0.0))
    if not largest <= _TOLERANCE:
        raise _otherwise(f"a score differs by {largest:g}")
    return largest


def _otherwise(seen: str) -> PackageError:
    return PackageError(
        "The adopted model answers otherwise than the one in the file",
        seen=seen,
        remedy="Adopt it in an environment with the versions it was fitted with.",
    )
