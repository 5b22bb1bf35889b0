"""The model's interface, inferred from the rows it is trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from gleis.contracts.contract import Column, Contract, Kind
from gleis.contracts.errors import DataError
from gleis.data.columns import feature_names
from gleis.data.target import (
    decode_class,
    encode_target,
    label_to_target,
    sorted_classes,
)

if TYPE_CHECKING:
    from gleis.config.settings import Settings

__all__ = ["decode_class", "encode_target", "infer_contract", "kind_of", "label_to_target"]


def infer_contract(labelled: pl.DataFrame, settings: Settings) -> Contract:
    """Read the contract off labelled rows.

    Parameters
    ----------
    labelled : DataFrame, (n_rows, n_columns)
        Rows that have a target and passed ``check_rows``.
    settings : Settings
        ``[project]`` and ``[features]``.

    Returns
    -------
    Contract
        Features in the order of the columns. Numbers carry the smallest and largest value seen,
        categories the values seen. Classes are sorted; of a binary task the positive one is last.

    Raises
    ------
    DataError
        If a feature has a type no model takes, or ``project.positive`` is none of the classes.

    Examples
    --------
    >>> from gleis.config.settings import ProjectSettings, Settings
    >>> rows = pl.DataFrame({"temp": [3.5, None], "origin": ["JFK", "EWR"], "late": [1, 0]})
    >>> project = ProjectSettings(name="p", module="p", task="binary", target="late")
    >>> contract = infer_contract(rows, Settings(project=project))
    >>> [(c.name, c.kind, c.nullable) for c in contract.features]
    [('temp', 'number', True), ('origin', 'category', False)]
    >>> contract.classes
    ('0', '1')
    """
    project = settings.project
    return Contract(
        task=project.task,
        features=tuple(
            _column(labelled[name]) for name in feature_names(labelled.columns, settings)
        ),
        target=project.target,
        classes=None if project.task == "regression" else _classes(labelled, settings),
        id=project.id,
        time=project.time,
    )


def kind_of(dtype: pl.DataType) -> Kind | None:
    """Return the kind of a feature of this type; None if no model takes it."""
    if dtype.is_float():
        return "number"
    if dtype.is_integer():
        return "integer"
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return "category"
    return "boolean" if dtype == pl.Boolean else None


def _column(values: pl.Series) -> Column:
    kind = kind_of(values.dtype)
    if kind is None:
        raise DataError(
            f"Feature {values.name} has a type no model takes",
            seen=str(values.dtype),
            remedy="Derive numbers, text or booleans from it in load, or exclude it.",
            field=values.name,
        )
    numeric = kind in ("number", "integer")
    low, high = (values.min(), values.max()) if numeric else (None, None)
    return Column(
        name=values.name,
        kind=kind,
        nullable=values.null_count() > 0,
        low=None if low is None else float(low),  # type: ignore[arg-type]
        high=None if high is None else float(high),  # type: ignore[arg-type]
        categories=_categories(values) if kind == "category" else None,
    )


def _categories(values: pl.Series) -> tuple[str, ...]:
    return tuple(values.cast(pl.String).drop_nulls().unique().sort().to_list())


def _classes(labelled: pl.DataFrame, settings: Settings) -> tuple[str, ...]:
    project = settings.project
    classes = sorted_classes(labelled[project.target])
    if project.task != "binary" or project.positive is None:
        return classes
    probe = Contract(task="binary", features=(), target=project.target, classes=classes)
    try:
        positive = classes[int(label_to_target(project.positive, probe))]
    except DataError as error:
        raise DataError(
            "project.positive is none of the classes",
            seen=project.positive,
            remedy=error.remedy,
            field="project.positive",
        ) from None
    return (*(label for label in classes if label != positive), positive)
