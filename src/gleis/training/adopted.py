"""The estimator of an adopted project, unfitted: for training it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any


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
    PackageError
        If the file holds a type that may not be in a package, or is damaged.
    """
    from sklearn.base import clone

    from gleis.packaging.foreign.natives import read_skops

    return clone(read_skops(Path(path))).set_params(**(params or {}))
