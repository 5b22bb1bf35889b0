"""The estimator of an adopted project, unfitted: for training it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gleis.contracts.errors import ProjectError


def unfitted(path: str | Path, params: dict[str, Any] | None = None) -> Any:
    """Return an unfitted copy of the estimator in a skops file.

    Parameters
    ----------
    path : str or Path
        Written by ``gleis adopt`` into the project folder.
    params : dict, optional
        Set on the copy, as ``set_params`` takes them.

    Raises
    ------
    ProjectError
        If it is an ONNX file: what computes there was fitted once, and cannot be trained.
    PackageError
        If the file holds a type that may not be in a package, or is damaged.
    """
    if Path(path).suffix == ".onnx":
        raise ProjectError(
            "an ONNX model cannot be trained again: the file holds no estimator",
            seen=Path(path).name,
            remedy="Write build_model in the project's module: return an unfitted scikit-learn "
            "estimator, preprocessing inside.",
            field="build_model",
        )
    from sklearn.base import clone

    from gleis.packaging.foreign.natives import read_skops

    return clone(read_skops(Path(path))).set_params(**(params or {}))
