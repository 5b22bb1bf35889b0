"""A fitted estimator as its owner used it: how it wants its rows, and what its classes are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gleis.contracts.errors import PackageError
from gleis.packaging.frames import FRAMES, Frame, as_frame

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

_TRIES = 50
"""Rows on which the ways of handing over rows are tried."""


def unwrap(estimator: Any) -> Any:
    """Return the estimator a search has found, or the estimator itself.

    Raises
    ------
    PackageError
        If it is no fitted scikit-learn estimator.
    """
    found = getattr(estimator, "best_estimator_", estimator)
    if not hasattr(found, "predict") or not hasattr(found, "get_params"):
        raise PackageError(
            "The file holds no fitted scikit-learn estimator",
            seen=f"{type(found).__module__}.{type(found).__qualname__}",
            remedy="Save the estimator itself, with its preprocessing in a Pipeline.",
        )
    return found


def wanted(estimator: Any) -> list[str] | None:
    """Return the names of the columns it was fitted on, in order; None if it saw no names."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        names = getattr(_last(estimator), "feature_name_", None)  # LightGBM
        if names is None or all(name.startswith("Column_") for name in names):
            return None
    return [str(name) for name in names]


def settle_classes(estimator: Any, classes: Sequence[str]) -> None:
    """Make the estimator's classes positions in ``classes``, as packages want them.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Fitted; changed in place. Its probabilities stay what they were.
    classes : sequence of str
        The contract's.

    Raises
    ------
    PackageError
        If it knows another class, or does not let its classes be renamed.
    """
    named = [class_text(value) for value in np.asarray(estimator.classes_).tolist()]
    unknown = [name for name in named if name not in classes]
    if unknown:
        raise PackageError(
            "The model knows a class that the data do not",
            seen=unknown[0],
            remedy=f"The data's classes are {', '.join(classes)}: give data that hold all.",
            field="target",
        )
    positions = np.array([classes.index(name) for name in named], dtype=np.int64)
    last = _last(estimator)
    for attribute in ("_classes", "classes_"):  # LightGBM keeps them in the former
        if attribute in vars(last):
            setattr(last, attribute, positions)
            break
    if not np.array_equal(np.asarray(estimator.classes_), positions):
        raise PackageError(
            f"The classes of a {type(last).__name__} cannot be renamed",
            seen=named,
            remedy="Fit it on labels 0, 1, 2, ... and adopt it then.",
            field="target",
        )


def class_text(value: Any) -> str:
    """Write a class as contracts do: ``1`` for 1.0, ``true`` for True.

    Examples
    --------
    >>> class_text(1.0), class_text(True), class_text("late")
    ('1', 'true', 'late')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def find_frame(estimator: Any, rows: pl.DataFrame) -> Frame:
    """Find the kind of table the estimator answers.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Fitted.
    rows : DataFrame, (n_rows, n_features)
        The features it was fitted on, in order, as ``SklearnModel.frame`` makes them.

    Raises
    ------
    PackageError
        If it answers none, with what it said to the most usual one.
    """
    errors = []
    for kind in _candidates(estimator):
        try:
            answer(estimator, as_frame(rows.head(_TRIES), kind))
        except Exception as error:  # noqa: BLE001 - whatever it raises, the next kind is tried
            errors.append(f"{kind}: {type(error).__name__}: {error}")
        else:
            return kind
    raise PackageError(
        "The model does not answer these rows",
        seen=errors[0],
        remedy="Give the columns it was fitted on, with their types, and put what was done to "
        "them before fitting into a Pipeline.",
        field="data",
    )


def answer(estimator: Any, frame: Any) -> NDArray[np.float64]:
    """Return probabilities of all classes, (n_rows, n_classes), or values, (n_rows,)."""
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(frame), dtype=np.float64)
    return np.asarray(estimator.predict(frame), dtype=np.float64).reshape(-1)


def _candidates(estimator: Any) -> tuple[Frame, ...]:
    """Order the kinds: the usual one first; categories first where the model recorded some."""
    if wanted(estimator) is None:
        return ("array", "pandas", "polars")
    booster = getattr(_last(estimator), "_Booster", None)
    if getattr(booster, "pandas_categorical", None):
        return ("pandas-category",)
    return tuple(kind for kind in FRAMES if kind != "array")


def _last(estimator: Any) -> Any:
    steps = getattr(estimator, "steps", None)
    return _last(steps[-1][1]) if steps else estimator
