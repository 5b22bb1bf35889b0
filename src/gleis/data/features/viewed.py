"""A feature view's rows: its function called on a dataset, and what it returns looked at."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import polars as pl

from gleis.contracts.dataset import DatasetSpec
from gleis.contracts.errors import ConfigError, DataError, GleisError, ProjectError
from gleis.data.beside import Tables
from gleis.data.contract import kind_of
from gleis.data.door import to_frame
from gleis.data.features.view import FeatureView


@dataclass(frozen=True)
class Viewed:
    """The rows of a view."""

    view: FeatureView
    rows: pl.DataFrame
    """(n_rows, ...), with the entity, the times and the features."""
    event: str
    """Column of the event time."""
    known: str
    """Column of the known-since time; the event time's where rows have no other."""
    features: list[str]

    @property
    def kinds(self) -> list[str]:
        """Kinds of ``features``, in their order."""
        # A type without a kind was refused when the view's rows were looked at.
        return [str(kind_of(self.rows.schema[name])) for name in self.features]


def view_rows(view: FeatureView, tables: Tables) -> Viewed:
    """Call a view on the newest version of its dataset.

    Parameters
    ----------
    view : FeatureView
    tables : Tables
        The version that is read is noted there.

    Raises
    ------
    RegistryError, DataError
        There is no such dataset, or it has no rows yet.
    ConfigError
        Neither view nor dataset say which column is the event time.
    ProjectError
        The function fails, or what it returns lacks entity, times or features.
    """
    try:
        spec, rows = tables.spec(view.source), tables.scan(view.source)
    except GleisError as error:
        error.what = f"{view.name}: {error.what}"
        error.args = (f"{view.name}: {error}",)
        raise
    return look_at(view, rows, spec)


def look_at(view: FeatureView, rows: pl.LazyFrame | pl.DataFrame, spec: DatasetSpec) -> Viewed:
    """Call a view on rows of its dataset.

    Parameters
    ----------
    view : FeatureView
    rows : LazyFrame or DataFrame
    spec : DatasetSpec
        Says what the dataset's times are, where the view does not.

    Raises
    ------
    ConfigError, ProjectError, DataError
        As ``view_rows``.
    """
    event = view.time or spec.time
    if event is None:
        raise ConfigError(
            f"{view.name} needs the event time of its rows",
            seen=view.source,
            remedy=f"Name the column: datasets.{view.source}.time, or time= of the view.",
            field=f"datasets.{view.source}.time",
        )
    known = view.known or spec.known or event
    frame = _call(view, rows)
    _check_columns(view, frame, event, known)
    features = [name for name in frame.columns if name not in {*view.entity, event, known}]
    _check_features(view, frame, features)
    return Viewed(view, frame, event, known, features)


def _call(view: FeatureView, rows: pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    try:
        return to_frame(view.function(rows))
    except ProjectError as error:
        raise ProjectError(
            f"{view.name} must return a table",
            seen=(error.seen or "").strip("'"),
            remedy="Return rows.select(...) with the entity, the times and the features.",
            field=view.name,
        ) from error
    except GleisError:
        raise
    except Exception as error:
        raise ProjectError(
            f"{view.name} failed: {type(error).__name__}: {_first_line(error)}",
            remedy="Mend the view, or the columns of its dataset.",
            field=view.name,
        ) from error


def _check_columns(view: FeatureView, frame: pl.DataFrame, event: str, known: str) -> None:
    for name in dict.fromkeys((*view.entity, event, known)):
        if name not in frame.columns:
            near = get_close_matches(name, frame.columns, n=1)
            raise ProjectError(
                f"{view.name} returns no column {name}, which names or dates its rows",
                seen=frame.columns,
                remedy=f"{f'Is {near[0]} meant? ' if near else ''}Keep it: "
                f'rows.select("{name}", ...).',
                field=view.name,
            )
    for name in view.entity:
        kind = frame.schema[name]
        if kind != pl.String and not kind.is_integer():
            raise DataError(
                f"{view.name}: an entity is named by text or integers, {name} is {kind}",
                remedy="Cast it in the view.",
                field=name,
            )
    for name in dict.fromkeys((event, known)):
        if not isinstance(frame.schema[name], pl.Datetime):
            raise DataError(
                f"{view.name}: time column {name} holds {frame.schema[name]}, not times",
                seen=_first(frame[name]),
                remedy="Turn it into datetimes, such as with str.to_datetime.",
                field=name,
            )


def _check_features(view: FeatureView, frame: pl.DataFrame, features: list[str]) -> None:
    if not features:
        raise ProjectError(
            f"{view.name} returns no feature",
            seen=frame.columns,
            remedy="Return other columns beside the entity and the times.",
            field=view.name,
        )
    for name in features:
        if kind_of(frame.schema[name]) is None:
            raise DataError(
                f"{view.name}: feature {name} has a type no model takes",
                seen=str(frame.schema[name]),
                remedy="Derive numbers, text or booleans from it.",
                field=name,
            )


def _first(values: pl.Series) -> Any:
    found = values.drop_nulls().head(1).to_list()
    return found[0] if found else None


def _first_line(error: Exception) -> str:
    """Return what failed; further lines of polars' errors show its plan."""
    return str(error).partition("\n")[0]
