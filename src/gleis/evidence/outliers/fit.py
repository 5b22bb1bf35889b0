"""Fit the outlier model that the settings name."""

from __future__ import annotations

import polars as pl

from gleis.contracts.contract import Contract
from gleis.contracts.outliers import OutlierMethod, OutlierModel
from gleis.evidence.outliers.ecod import fit_ecod
from gleis.evidence.outliers.isolation_forest import fit_forest
from gleis.evidence.outliers.mahalanobis import fit_mahalanobis


def fit_outliers(
    rows: pl.DataFrame,
    contract: Contract,
    method: OutlierMethod = "mahalanobis",
    seed: int = 0,
) -> OutlierModel:
    """Fit an outlier model; another method is entered here.

    Parameters
    ----------
    rows : polars.DataFrame, (n_rows, ...)
        Training rows with the contract's features; at least one.
    contract : Contract
    method : {"mahalanobis", "isolation_forest", "ecod"}
    seed : int
        Of what is drawn: an isolation forest.

    Returns
    -------
    OutlierModel
        Without a threshold yet (infinite, rate 0): whoever calibrates it sets both.
    """
    if method == "isolation_forest":
        return fit_forest(rows, contract, seed)
    if method == "ecod":
        return fit_ecod(rows, contract)
    return fit_mahalanobis(rows, contract)
