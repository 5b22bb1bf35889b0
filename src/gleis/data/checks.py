"""Rows that cannot be used are refused here, before anything is computed from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from gleis.config.durations import is_duration
from gleis.contracts.errors import DataError
from gleis.data.columns import feature_names, missing_column, reserved_columns
from gleis.data.contract import kind_of
from gleis.data.target import MAX_CLASSES, sorted_classes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gleis.config.settings import Settings
    from gleis.contracts.dataset import DatasetSpec

_FREE_TEXT_VALUES = 1000
_FREE_TEXT_SHARE = 0.5


def check_rows(frame: pl.DataFrame, settings: Settings) -> list[str]:
    """Check a whole dataset before it is trained on.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        As ``to_frame`` makes it. Missing values are null.
    settings : Settings
        ``[project]``, ``[split]``, ``[features]`` and ``[evidence]`` are read.

    Returns
    -------
    list of str
        Things worth saying that stop nothing, such as a constant feature.

    Raises
    ------
    DataError
        Naming the column, the value and the remedy: whatever ``check_table`` refuses, no labelled
        row, a feature that is all null, infinite, free text or of a type no model takes, a target
        that does not fit the task.
    """
    check_table(frame, settings)
    features = feature_names(frame.columns, settings)
    labelled = frame.filter(pl.col(settings.project.target).is_not_null())
    if labelled.is_empty():
        raise DataError(
            f"Target {settings.project.target} is null in all rows",
            seen=f"{frame.height:,} rows",
            remedy="Wait until labels are known, or mend load.",
            field=settings.project.target,
        )
    _check_target(labelled[settings.project.target], settings)
    _check_outcomes(labelled[settings.project.target], settings)
    return _check_features(labelled, features)


def check_table(frame: pl.DataFrame, settings: Settings) -> None:
    """Check what any rows must hold, also those of one append whose labels may all be missing.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        As ``to_frame`` makes it.
    settings : Settings
        ``[project]``, ``[split]``, ``[features]`` and ``[evidence]`` are read.

    Raises
    ------
    DataError
        No rows, a column missing that ``gleis.toml`` names, a type that cannot be stored, an id
        that is null or repeats, a time that is null or no time.
    """
    if frame.is_empty():
        raise _no_rows()
    _check_present(frame, settings)
    feature_names(frame.columns, settings)
    for name, kind in frame.schema.items():
        _check_storable(name, kind)
    check_times(frame, settings)
    if settings.project.id is not None:
        _check_ids(frame[settings.project.id])
    if settings.project.weight is not None:
        _check_weights(frame[settings.project.weight])


def check_times(frame: pl.DataFrame, settings: Settings) -> None:
    """Check that the time column, if the project has one, holds a time in every row.

    Raises
    ------
    DataError
        If it is missing, of another type, or null somewhere.
    """
    if settings.project.time is not None:
        _check_moment(frame, settings.project.time, "project.time")


def check_beside(frame: pl.DataFrame, spec: DatasetSpec) -> None:
    """Check what rows of a table beside the project's own dataset must hold.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        As ``to_frame`` makes it.
    spec : DatasetSpec
        Names its id, time and known-since columns.

    Raises
    ------
    DataError
        As ``check_table``.
    """
    if frame.is_empty():
        raise _no_rows()
    for role in ("id", "time", "known"):
        name = getattr(spec, role)
        if name is not None and name not in frame.columns:
            raise missing_column(f"datasets.{spec.name}.{role}", name, frame.columns)
    for name, kind in frame.schema.items():
        _check_storable(name, kind)
    for role in ("time", "known"):
        if (name := getattr(spec, role)) is not None:
            _check_moment(frame, name, f"datasets.{spec.name}.{role}")
    if spec.id is not None:
        _check_ids(frame[spec.id])


def _check_weights(weights: pl.Series) -> None:
    numeric = weights.dtype.is_numeric()
    bad = (
        weights.filter(~(weights.is_finite() & (weights > 0)).fill_null(value=False))
        if (numeric)
        else weights
    )
    if bad.len():
        raise DataError(
            f"Weight column {weights.name} must be a number above 0 in every row; "
            f"{bad.len():,} of {weights.len():,} rows have",
            seen=bad.head(3).to_list(),
            remedy="Give every row its weight in load, 1 where it stands for itself.",
            field=weights.name,
        )


def _no_rows() -> DataError:
    return DataError(
        "There are no rows", remedy="Mend load, or the period it is asked for.", field="load"
    )


def _check_moment(frame: pl.DataFrame, name: str, key: str) -> None:
    if name not in frame.columns:
        raise missing_column(key, name, frame.columns)
    kind = frame.schema[name]
    if not isinstance(kind, pl.Datetime):
        first = frame[name].drop_nulls().head(1).to_list()
        raise DataError(
            f"Time column {name} holds {kind}, not times",
            seen=first[0] if first else None,
            remedy="Turn it into datetimes in load, such as with str.to_datetime.",
            field=name,
        )
    if missing := frame[name].null_count():
        raise DataError(
            f"Time column {name} is null",
            seen=f"{missing:,} of {frame.height:,} rows",
            remedy="Drop these rows in load, or give them a time.",
            field=name,
        )


def _check_outcomes(target: pl.Series, settings: Settings) -> None:
    given = (settings.explain.outcomes, settings.explain.outcomes_de)
    for key, outcomes in zip(("explain.outcomes", "explain.outcomes_de"), given, strict=True):
        if not outcomes:
            continue
        classes = () if settings.project.task == "regression" else sorted_classes(target)
        for label in outcomes:
            if label not in classes:
                raise DataError(
                    f"{key} names a class that {settings.project.target} never has",
                    seen=label,
                    remedy=f"Its classes are {', '.join(classes)}."
                    if classes
                    else "Leave it out: a regression has no classes.",
                    field=key,
                )


def _check_present(frame: pl.DataFrame, settings: Settings) -> None:
    named = {key: name for name, key in reserved_columns(settings).items()}
    for key, name in named.items():
        if name not in frame.columns:
            raise missing_column(key, name, frame.columns)
    listed = {
        "evidence.slices": settings.evidence.slices,
        "evidence.groups": settings.evidence.groups or (),
        "evidence.measurement_error": tuple(settings.evidence.measurement_error),
        "features.available_at": tuple(settings.features.available_at),
        "explain.immutable": settings.explain.immutable,
        "explain.names": _features_of(settings.explain.names),
        "explain.names_de": _features_of(settings.explain.names_de),
    }
    for key, names in listed.items():
        for name in names:
            if name not in frame.columns:
                raise missing_column(key, name, frame.columns)
    _check_moments(frame, settings)
    group = settings.split.group
    if group is not None and (missing := frame[group].null_count()):
        raise DataError(
            f"Group column {group} is null",
            seen=f"{missing:,} of {frame.height:,} rows",
            remedy="Give every row its group in load; a row without one may leak.",
            field=group,
        )


def _features_of(names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the columns that ``name`` and ``name=value`` name."""
    return tuple(dict.fromkeys(key.split("=", 1)[0] for key in names))


def _check_moments(frame: pl.DataFrame, settings: Settings) -> None:
    for name, when in settings.features.available_at.items():
        if not is_duration(when) and not isinstance(frame.schema[when], pl.Datetime):
            raise DataError(
                f"features.available_at.{name} names a column that holds no times",
                seen=f"{when}: {frame.schema[when]}",
                remedy="Name the column with the moment it was known, or write a duration: 6h.",
                field=when,
            )


def _check_storable(name: str, kind: pl.DataType) -> None:
    if kind_of(kind) is None and not isinstance(kind, pl.Datetime | pl.Null):
        raise DataError(
            f"Column {name} has an unsupported type",
            seen=str(kind),
            remedy="Turn it into numbers, text, booleans or times in load, or drop it there.",
            field=name,
        )


def _check_ids(ids: pl.Series) -> None:
    if missing := ids.null_count():
        raise DataError(
            f"Id column {ids.name} is null",
            seen=f"{missing:,} of {ids.len():,} rows",
            remedy="Give every row its id in load, or drop these rows.",
            field=ids.name,
        )
    repeated = ids.len() - ids.n_unique()
    if repeated:
        examples = ids.filter(ids.is_duplicated()).unique(maintain_order=True).head(3).to_list()
        raise DataError(
            f"Id column {ids.name} repeats: {repeated:,} of {ids.len():,} rows have an id that an "
            "earlier row has; the first",
            seen=examples,
            remedy="Drop the copies in load, or name another column under project.id.",
            field=ids.name,
        )


def _check_target(target: pl.Series, settings: Settings) -> None:
    task = settings.project.task
    if task == "regression":
        _check_number(target)
        return
    classes = sorted_classes(target)
    if len(classes) > MAX_CLASSES:
        raise DataError(
            f"Target {target.name} has more than {MAX_CLASSES} classes",
            seen=f"{len(classes):,} values",
            remedy='Set project.task = "regression", or join classes in load.',
            field=target.name,
        )
    if (task == "binary" and len(classes) != 2) or len(classes) < 2:
        wanted = "exactly 2" if task == "binary" else "at least 2"
        other = ', or set project.task = "multiclass"' if len(classes) > 2 else ""
        raise DataError(
            f"Target {target.name} has {len(classes)} classes, a {task} task needs {wanted}",
            seen=list(classes[:10]),
            remedy=f"Mend load{other}.",
            field=target.name,
        )


def _check_number(target: pl.Series) -> None:
    if not target.dtype.is_numeric():
        raise DataError(
            f"Target {target.name} is no number, a regression task needs one",
            seen=str(target.dtype),
            remedy="Cast it in load, or set another project.task.",
            field=target.name,
        )
    if target.dtype.is_float() and target.is_infinite().any():
        raise _infinite(target)


def _check_features(labelled: pl.DataFrame, features: tuple[str, ...]) -> list[str]:
    notes = []
    nulls = labelled.select(features).null_count().row(0)
    for name, missing in zip(features, nulls, strict=True):
        values = labelled[name]
        if missing == labelled.height:
            raise DataError(
                f"Feature {name} is null in all {labelled.height:,} labelled rows",
                remedy=f"Mend load, or exclude it: [features] exclude = [{name!r}].",
                field=name,
            )
        _check_feature(values)
        constant = values.null_count() == 0 and values.n_unique() == 1
        if constant:
            notes.append(f"Feature {name} has one value only, {values[0]!r}: it tells nothing.")
    return notes


def _check_feature(values: pl.Series) -> None:
    if isinstance(values.dtype, pl.Datetime):
        raise DataError(
            f"Feature {values.name} is a time, which no model takes",
            seen=str(values[values.is_not_null().arg_max() or 0]),
            remedy="Derive hour, weekday or an age from it in load, "
            f"then exclude it: [features] exclude = [{values.name!r}].",
            field=values.name,
        )
    if values.dtype.is_float() and values.is_infinite().any():
        raise _infinite(values)
    if values.dtype == pl.String:
        _check_text(values)


def _check_text(values: pl.Series) -> None:
    distinct = values.n_unique()
    if distinct > _FREE_TEXT_VALUES and distinct > _FREE_TEXT_SHARE * values.len():
        raise DataError(
            f"Feature {values.name} looks like free text or an identifier: {distinct:,} values in "
            f"{values.len():,} rows, such as",
            seen=values.drop_nulls()[0],
            remedy=f"Exclude it: [features] exclude = [{values.name!r}].",
            field=values.name,
        )


def _infinite(values: pl.Series) -> DataError:
    positions = values.is_infinite().fill_null(value=False)
    return DataError(
        f"Column {values.name} is infinite in {positions.sum():,} of {values.len():,} rows, "
        f"first in row {positions.arg_max()}",
        seen=values.filter(positions)[0],
        remedy="Replace it by a number or null in load.",
        field=values.name,
    )
