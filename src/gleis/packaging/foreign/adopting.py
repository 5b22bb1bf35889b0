"""From a foreign model file to a model fit for a package."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

from gleis.contracts.contract import Contract
from gleis.contracts.errors import BlockedError
from gleis.packaging.foreign.formats import Found
from gleis.packaging.foreign.graph import open_onnx
from gleis.packaging.foreign.natives import read_lightgbm, read_skops, read_xgboost
from gleis.packaging.foreign.opened import Opened, Request, settle
from gleis.packaging.foreign.read import open_confined

if TYPE_CHECKING:
    import polars as pl


def refuse_pickle(found: Found) -> None:
    """Refuse a pickle that nobody has allowed.

    Raises
    ------
    BlockedError
        It is one.
    """
    if found.format == "pickle":
        raise BlockedError(
            "This model is a pickle: reading it runs whatever code it holds",
            seen=found.path.name,
            remedy="If you trust where it comes from, say --allow-pickle: it is then opened in a "
            "process without network, without files to write, and written anew without pickle.",
        )


def open_model(found: Found, rows: pl.DataFrame, contract: Contract) -> Opened:
    """Open a model, a pickle confined, and let it answer some rows.

    Parameters
    ----------
    found : Found
        From ``find_model``.
    rows : DataFrame, (n_rows, n_columns)
        Columns that may be features, as ``SklearnModel.frame`` types them.
    contract : Contract
        Its task and classes are read.

    Raises
    ------
    PackageError
        It cannot be opened, or does not fit the rows.
    """
    if found.format == "onnx":
        return open_onnx(found.path, rows, contract)
    buffer = io.BytesIO()
    rows.write_ipc(buffer)
    request = Request(
        path=str(found.path.absolute()), rows=buffer.getvalue(), classes=contract.classes
    )
    if found.format == "pickle":
        return open_confined(request)
    if found.format == "skops":
        estimator = read_skops(found.path)
    elif found.format == "xgboost":
        estimator = read_xgboost(found.path, contract.task)
    else:
        estimator = read_lightgbm(found.path, contract.task)
    return settle(estimator, request)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
