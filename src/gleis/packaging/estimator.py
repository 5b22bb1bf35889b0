"""Fitted scikit-learn estimators: to bytes and back without pickle, and as a model.

The only place of this room that imports scikit-learn and skops, when an estimator is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gleis.contracts.contract import Column, Contract, Kind
from gleis.contracts.errors import DataError, PackageError, ProjectError
from gleis.contracts.ports import Columns
from gleis.packaging.coded import Coded
from gleis.packaging.frames import Frame, as_frame
from gleis.packaging.skops_bytes import normalise
from gleis.packaging.trust import check_trusted

if TYPE_CHECKING:
    import polars as pl

    from gleis.contracts.ports import Scores

_ONE_THREAD_ROWS = 5_000
"""Up to so many rows, threads that wait for each other cost more than they save."""
_REMEDY = "Build the package again with the versions in its requirements.txt."


def dump_estimator(estimator: Any) -> tuple[bytes, tuple[str, ...]]:
    """Write a fitted estimator as skops: arrays and JSON, no pickle.

    Equal estimators give equal bytes, in any process.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Fitted.

    Returns
    -------
    content : bytes
    trusted : tuple of str
        The types beyond skops's own list that a reader has to trust, sorted, exact.

    Raises
    ------
    PackageError
        If it holds a type that may not be in a package.
    """
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    try:
        content = normalise(skops.io.dumps(estimator))
        trusted = tuple(skops.io.get_untrusted_types(data=content))
    except (UnsupportedTypeException, TypeError, ValueError, AttributeError) as error:
        raise PackageError(
            f"The estimator cannot be written without pickle: {error}",
            seen=type(estimator).__name__,
            remedy="Use estimators of scikit-learn, LightGBM, XGBoost or CatBoost in build_model.",
            field="build_model",
        ) from error
    check_trusted(trusted)
    return content, trusted


def load_estimator(content: bytes, trusted: Sequence[str]) -> Any:
    """Audit the types in ``content``, then construct the estimator.

    What it answers is computed in one thread, so that a service's workers do not compete.

    Parameters
    ----------
    content : bytes
        As ``dump_estimator`` wrote it.
    trusted : sequence of str
        Types to trust beyond skops's own list.

    Raises
    ------
    PackageError
        If ``trusted`` holds a type that may not be in a package, if ``content`` holds one that
        is in neither list, or if it cannot be read.
    """
    import zipfile

    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    check_trusted(trusted)
    try:
        estimator = skops.io.loads(content, trusted=list(trusted))
    except UntrustedTypesFoundException as error:
        raise PackageError(
            f"The model holds types that its package does not declare: {error}",
            remedy="Do not load it; ask where it comes from.",
        ) from error
    except (zipfile.BadZipFile, OSError, EOFError, RecursionError) as error:
        raise PackageError(f"The model file is damaged: {error}", remedy=_REMEDY) from error
    except (LookupError, TypeError, ValueError, AttributeError, ImportError) as error:
        raise PackageError(f"The model file cannot be read: {error}", remedy=_REMEDY) from error
    _one_thread(estimator)
    return estimator


class SklearnModel:
    """A fitted scikit-learn estimator as a model.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Fitted on ``SklearnModel.frame`` and, for a classifier, on class indices 0, 1, ... in the
        order of ``contract.classes``.
    contract : Contract
    frame : Frame
        The kind of table it was fitted on, for an estimator that was fitted elsewhere.

    Raises
    ------
    ProjectError
        If a classifier gives no probabilities.
    """

    def __init__(self, estimator: Any, contract: Contract, frame: Frame = "polars") -> None:
        import threadpoolctl  # type: ignore[import-untyped]

        self.estimator = estimator
        self.contract = contract
        self.kind = frame
        """The kind of table the estimator is handed."""
        self._threads = threadpoolctl.ThreadpoolController().select(user_api="openmp")
        if contract.task != "regression" and not hasattr(estimator, "predict_proba"):
            raise ProjectError(
                "build_model gives a classifier without predict_proba",
                seen=type(estimator).__name__,
                remedy="Wrap it in sklearn.calibration.CalibratedClassifierCV.",
                field="build_model",
            )

    def predict(self, columns: Columns) -> Scores:
        """Score rows; see ``gleis.contracts.ports.Model``."""
        frame = self.frame(columns, self.contract)
        if len(frame) > _ONE_THREAD_ROWS:
            return self._score(frame)
        with self._threads.limit(limits=1):
            return self._score(frame)

    def _score(self, rows: pl.DataFrame) -> Scores:
        frame = as_frame(rows, self.kind)
        if self.contract.task == "regression":
            return np.asarray(self.estimator.predict(frame), dtype=np.float64).reshape(len(frame))
        scores = np.zeros((len(frame), len(self.contract.classes or ())))
        seen = np.asarray(self.estimator.classes_, dtype=np.int64)
        scores[:, seen] = self.estimator.predict_proba(frame)
        return scores[:, 1].copy() if self.contract.task == "binary" else scores

    @staticmethod
    def frame(columns: Columns | pl.DataFrame, contract: Contract) -> pl.DataFrame:
        """Return the features as the estimator sees them, in training and in service.

        Parameters
        ----------
        columns : mapping of str to sequence, each (n_rows,), or DataFrame
            At least the contract's features; None or NaN marks a missing value.
        contract : Contract

        Returns
        -------
        DataFrame, (n_rows, n_features)
            In the contract's order: number Float64, integer Int64, category String, boolean
            Boolean.

        Raises
        ------
        DataError
            If a feature is absent or of another kind.
        """
        import polars as pl

        return pl.DataFrame([_series(column, columns) for column in contract.features])


def _series(column: Column, columns: Columns | pl.DataFrame) -> pl.Series:
    import polars as pl

    if column.name not in columns:
        raise DataError(
            "A feature is missing",
            seen=column.name,
            remedy="Give its values, None where one is unknown.",
            field=column.name,
        )
    try:
        return _typed(column.name, columns[column.name], column.kind)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{column.name} is not of kind {column.kind}: {error}",
            remedy="Give values of that kind, and None where one is missing.",
            field=column.name,
        ) from error


def _typed(name: str, values: Any, kind: Kind) -> pl.Series:
    import polars as pl

    if kind == "integer":
        return _whole(pl.Series(name, values, strict=False))
    dtypes = {"number": pl.Float64, "category": pl.String, "boolean": pl.Boolean}
    if isinstance(values, Coded):
        return pl.Series(name, values.words, dtype=dtypes[kind]).gather(values.codes)
    if isinstance(values, pl.Series):
        return values.alias(name).cast(dtypes[kind])
    return pl.Series(name, values, dtype=dtypes[kind])


def _whole(series: pl.Series) -> pl.Series:
    """Whole numbers may come as floats, where NaN says missing."""
    import polars as pl

    if series.dtype == pl.String:
        raise TypeError(f"text, such as {series.drop_nulls().head(1).to_list()}")
    if series.dtype.is_float():
        series = series.fill_nan(None)
        if not (series == series.round()).all():
            raise ValueError("not whole numbers")
    return series.cast(pl.Int64)


def _one_thread(estimator: Any) -> None:
    params = cast("dict[str, Any]", estimator.get_params())
    parallel = [name for name in params if name == "n_jobs" or name.endswith("__n_jobs")]
    changes = {name: 1 for name in parallel if params[name] not in (None, 1)}
    if changes:
        estimator.set_params(**changes)
