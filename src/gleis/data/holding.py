"""Which versions of a dataset hold a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from gleis.data.dataset import Datasets


def versions_with(datasets: Datasets, column: str, value: str) -> list[str]:
    """Return the versions in which a column has a value, oldest first; removed ones are not read.

    Parameters
    ----------
    datasets : Datasets
    column : str
    value : str
        As text: ``12`` and ``"12"`` are one.

    Returns
    -------
    list of str
        Labels: ``weather@v3``.
    """
    held = []
    for version in datasets.versions():
        if column in version.columns:
            rows = datasets.table.scan(version.table_version)
            theirs = rows.filter(pl.col(column).cast(pl.String) == value).select(pl.len())
            if theirs.collect().item():
                held.append(version.label)
    return held
