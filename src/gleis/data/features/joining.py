"""``gleis.join_features``: rows of ``load`` with what was known of their entities at their time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec
import polars as pl

from gleis.contracts.errors import DataError, ProjectError
from gleis.contracts.features import Computed, ViewUse
from gleis.data.beside import open_tables
from gleis.data.contract import kind_of
from gleis.data.door import to_frame
from gleis.data.features.compute import MOMENT, as_column, compute
from gleis.data.features.formula import Formula
from gleis.data.features.on_demand import OnDemand
from gleis.data.features.point_in_time import find_known
from gleis.data.features.view import FeatureView
from gleis.data.features.viewed import Viewed, view_rows


def join_features(
    rows: Any,
    views: Sequence[FeatureView | OnDemand],
    *,
    time: str | None = None,
    entity: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Add features of views and functions to rows, each as it was known at the row's time.

    For every row and view: of the rows of the view's dataset about the same entity whose event lies
    not after the row's time and that were known then, the one with the newest event; of several
    about the same event the one known last. If it is older than the view's ttl, or there is none,
    the features are null. No row is dropped, and the order stays.

    Parameters
    ----------
    rows : table, (n_rows, ...)
        Whatever ``load`` may return.
    views : sequence of FeatureView or OnDemand
        In this order; a function on demand may use features before it.
    time : str, optional
        Column of ``rows`` with the moment of the decision; needed with feature views.
    entity : dict of str, optional
        Column of a view that names its entity -> column of ``rows`` with its value, where the
        names differ.

    Returns
    -------
    DataFrame, (n_rows, ...)
        The columns of ``rows``, then the features.

    Raises
    ------
    ProjectError
        Outside of a function that gleis calls; something else than a view is given; a view or a
        function fails, or returns something else than it should.
    DataError
        A column is missing, is there already, or is of the wrong type.
    """
    tables = open_tables(
        "gleis.join_features", instead="data.features.join(rows, views, time=..., entity=...)"
    )
    frame = to_frame(rows)
    uses: list[ViewUse | Computed] = []
    for view in _checked(views):
        use: ViewUse | Computed
        if isinstance(view, FeatureView):
            frame, use = _join(frame, view_rows(view, tables), time, entity or {})
        else:
            frame, use = _compute(frame, view)
        uses.append(use)
    tables.note_features(uses)
    return frame


def view_use(viewed: Viewed, time: str, entity: Mapping[str, str]) -> ViewUse:
    """Return how rows are joined with a view; ``code`` and ``text`` are for the trainer to write.

    Parameters
    ----------
    viewed : Viewed
    time : str
        Column of the rows.
    entity : dict of str
        Column of the view -> column of the rows, for all of its entity.
    """
    view = viewed.view
    return ViewUse(
        view=view.name,
        source=view.source,
        entity=tuple((name, entity[name]) for name in view.entity),
        features=tuple(viewed.features),
        time=time,
        module=view.module,
        ttl=view.ttl.total_seconds() if view.ttl is not None else None,
        event=viewed.event,
        known=viewed.known,
        kinds=tuple(viewed.kinds),
    )


def join_view(
    frame: pl.DataFrame, viewed: Viewed, *, time: str, entity: Mapping[str, str]
) -> pl.DataFrame:
    """Return the features of a view for rows, (n_rows, n_features), in their order.

    Parameters
    ----------
    frame : DataFrame, (n_rows, ...)
    viewed : Viewed
    time : str
        Column of ``frame``.
    entity : dict of str
        Column of the view -> column of ``frame``, for all of its entity.

    Raises
    ------
    DataError
        A column is missing or of the wrong type.
    """
    view = viewed.view
    asked = frame.select(
        *(_entity(frame, view, name, entity[name], viewed.rows) for name in view.entity),
        _moments(frame, view, time),
    )
    found = find_known(
        asked,
        viewed.rows,
        entity=view.entity,
        time="_time",
        event=viewed.event,
        known=viewed.known,
        ttl=view.ttl,
    )
    return viewed.rows.select(viewed.features).select(pl.all().gather(found))


def _checked(views: Sequence[FeatureView | OnDemand]) -> Sequence[FeatureView | OnDemand]:
    if isinstance(views, FeatureView | OnDemand | str) or not isinstance(views, Iterable):
        views = [views]
    for view in views:
        if not isinstance(view, FeatureView | OnDemand):
            raise ProjectError(
                "gleis.join_features takes feature views and functions on demand",
                seen=view,
                remedy="Give the function itself, with @gleis.feature_view or @gleis.on_demand "
                "above it: so a change of it is seen.",
            )
    return views


def _join(
    frame: pl.DataFrame, viewed: Viewed, time: str | None, entity: Mapping[str, str]
) -> tuple[pl.DataFrame, ViewUse]:
    view = viewed.view
    if time is None:
        raise ProjectError(
            f"{view.name}: gleis.join_features needs time",
            remedy='Name the column with the moment of the decision: time="departs_at".',
            field="time",
        )
    named = {name: entity.get(name, name) for name in view.entity}
    _refuse_taken(frame, viewed.features, view.name)
    found = join_view(frame, viewed, time=time, entity=named)
    return frame.hstack(found), view_use(viewed, time, named)


def computed_columns(frame: pl.DataFrame, use: Computed, formula: Formula) -> pl.DataFrame:
    """Return the features that a function on demand computes, (n_rows, n_features).

    Parameters
    ----------
    frame : DataFrame, (n_rows, ...)
    use : Computed
        Names and kinds of the columns it is given.
    formula : callable
        Of ``make_formula``.

    Raises
    ------
    ProjectError
        The function fails, or returns something else than columns.
    """
    columns = [_column(frame[name], kind) for name, kind in use.inputs]
    found = compute(formula, columns, use.name, frame.height)
    return pl.DataFrame([_series(name, values) for name, values in found.items()])


def _compute(frame: pl.DataFrame, function: OnDemand) -> tuple[pl.DataFrame, Computed]:
    kinds = tuple((name, _kind(frame, function, name)) for name in function.inputs)
    use = Computed(name=function.name, inputs=kinds, features=(), text=function.text)
    found = computed_columns(frame, use, function)
    _refuse_taken(frame, found.columns, function.name)
    use = msgspec.structs.replace(use, features=tuple(found.columns))
    return frame.hstack(found), use


def _column(values: pl.Series, kind: str) -> Any:
    if kind == "category":
        return as_column(values.to_list(), kind)
    if kind == MOMENT:
        return values.dt.epoch("us").cast(pl.Float64).to_numpy() / 1e6
    return values.cast(pl.Float64).to_numpy()


def _series(name: str, values: Any) -> pl.Series:
    if values.dtype == object:
        return pl.Series(name, values.tolist(), dtype=pl.String)
    made = pl.Series(name, values)
    return made.fill_nan(None) if made.dtype.is_float() else made


def _kind(frame: pl.DataFrame, function: OnDemand, name: str) -> str:
    if name not in frame.columns:
        raise _missing(function.name, name, frame.columns)
    kind = frame.schema[name]
    found = MOMENT if isinstance(kind, pl.Datetime) else kind_of(kind)
    if found is None:
        raise DataError(
            f"{function.name}: column {name} has a type that no function on demand takes",
            seen=str(kind),
            remedy="Turn it into numbers, text, booleans or times before.",
            field=name,
        )
    return found


def _refuse_taken(frame: pl.DataFrame, names: Sequence[str], view: str) -> None:
    taken = [name for name in names if name in frame.columns]
    if taken:
        raise DataError(
            f"{view} makes a feature that the rows have already",
            seen=taken[0],
            remedy=f"Name it otherwise in {view}, or leave the column out before.",
            field=taken[0],
        )


def _entity(
    frame: pl.DataFrame, view: FeatureView, name: str, column: str, source: pl.DataFrame
) -> pl.Expr:
    if column not in frame.columns:
        raise _missing(view.name, column, frame.columns, f'entity={{"{name}": "COLUMN"}}')
    here, there = frame.schema[column], source.schema[name]
    if here.is_integer() and there.is_integer():
        return pl.col(column).cast(there, strict=False).alias(name)
    if here != there:
        raise DataError(
            f"{view.name}: {column} of the rows is {here}, {name} of the view {there}",
            remedy="Make both text, or both integers.",
            field=column,
        )
    return pl.col(column).alias(name)


def _moments(frame: pl.DataFrame, view: FeatureView, time: str) -> pl.Expr:
    if time not in frame.columns:
        raise _missing(view.name, time, frame.columns, 'time="COLUMN"')
    if not isinstance(frame.schema[time], pl.Datetime):
        raise DataError(
            f"{view.name}: the rows' time {time} holds {frame.schema[time]}, not times",
            seen=frame[time].drop_nulls().head(1).to_list()[:1],
            remedy="Turn it into datetimes in load, such as with str.to_datetime.",
            field=time,
        )
    return pl.col(time).alias("_time")


def _missing(view: str, name: str, columns: Sequence[str], how: str = "") -> DataError:
    near = get_close_matches(name, columns, n=1)
    return DataError(
        f"{view}: the rows have no column of this name",
        seen=name,
        remedy=f"{f'Did you mean {near[0]}? ' if near else ''}They have {', '.join(columns)}"
        f"{f'; name another with {how}' if how else ''}.",
        field=name,
    )
