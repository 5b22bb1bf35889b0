"""The door through which MLflow loads a package: ``mlflow.pyfunc.load_model``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gleis.packaging.keyring import trust_around
from gleis.packaging.load import Package, load_package

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores


class PyFunc:
    """A package behind MLflow's interface.

    Parameters
    ----------
    package : Package
    """

    def __init__(self, package: Package) -> None:
        self.package = package

    def predict(self, model_input: Any) -> Scores:
        """Score rows.

        Parameters
        ----------
        model_input : pandas DataFrame, (n_rows, n_columns)
            At least the features that are never missing; a nullable feature may be absent.

        Returns
        -------
        ndarray of float64
            As ``gleis.contracts.ports.Model.predict``.
        """
        columns: dict[str, Any] = {}
        for feature in self.package.contract.features:
            if feature.name in model_input:
                columns[feature.name] = _values(model_input[feature.name])
            elif feature.nullable:
                columns[feature.name] = [None] * len(model_input)
        return self.package.model.predict(columns)


def _load_pyfunc(path: str) -> PyFunc:
    """MLflow calls this with the folder of the package."""
    folder = Path(path)
    return PyFunc(load_package(folder, None, trust_around(folder)))


def _values(series: Any) -> Any:
    """Numbers as an array; anything else as a list with None for what pandas calls missing."""
    values = series.to_numpy()
    if values.dtype.kind in "fiub":
        return values
    missing = series.isna()
    return [None if gone else value for value, gone in zip(series.tolist(), missing, strict=True)]
