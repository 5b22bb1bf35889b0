"""``@gleis.feature_view``: a function from the rows of a dataset to features of an entity."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from types import FunctionType
from typing import Any

from gleis.config.durations import parse_duration
from gleis.contracts.errors import ConfigError, ProjectError

_EXAMPLE = '@gleis.feature_view(source="weather", entity="station", ttl="2h")'


class FeatureView:
    """A function from a dataset's rows to features, with what names and dates them.

    Called, it is the function it was made from.

    Parameters
    ----------
    function : callable (LazyFrame) -> table
        Returns a row for each row it was given, or fewer: the entity, the two times and features.
    source : str
        Dataset of ``[datasets.NAME]``.
    entity : tuple of str
        Columns that name the entity.
    time, known : str, optional
        Columns of the event time and of the moment from which a row was known; by default the
        dataset's.
    ttl : timedelta, optional
        Age from which a row is too old to be used.
    """

    def __init__(
        self,
        function: FunctionType,
        *,
        source: str,
        entity: tuple[str, ...],
        time: str | None = None,
        known: str | None = None,
        ttl: timedelta | None = None,
    ) -> None:
        self.function = function
        self.source = source
        self.entity = entity
        self.time = time
        self.known = known
        self.ttl = ttl
        functools.update_wrapper(self, function)

    @property
    def name(self) -> str:
        """Name of the function."""
        return str(self.function.__name__)

    @property
    def module(self) -> str:
        """Module of the project that holds it, as the project names it."""
        name = str(self.function.__module__)
        # The project's own module is run under a name that no other project has.
        if name.startswith(("_gleis_project_", "__main__")):
            return Path(self.function.__code__.co_filename).stem
        return name

    def __call__(self, rows: Any) -> Any:
        """Return the features of rows, as the function makes them."""
        return self.function(rows)


def feature_view(
    misplaced: object = None,
    /,
    *,
    source: str = "",
    entity: str | Sequence[str] = (),
    time: str | None = None,
    known: str | None = None,
    ttl: str | timedelta | None = None,
) -> Callable[[Callable[[Any], Any]], FeatureView]:
    """Make a feature view of a function.

    Parameters
    ----------
    misplaced : None
        What stands there without ``source=``, such as the function itself, is refused.
    source : str
        Dataset whose rows it is given, of ``[datasets.NAME]``.
    entity : str or sequence of str
        Column, or columns, that name what the features are of: a station, a customer.
    time : str, optional
        Column of the event time; by default that of the dataset.
    known : str, optional
        Column of the moment from which a row was known; by default that of the dataset, or the
        event time.
    ttl : str or timedelta, optional
        Age of a row, since its event, from which it is too old to be used: ``2h``. By default
        none ever is.

    Returns
    -------
    callable
        Takes the function, ``(rows: LazyFrame) -> table``, and returns a ``FeatureView``. What the
        function returns holds the entity, the two times, and a feature in every other column.

    Raises
    ------
    ProjectError, ConfigError
        It is not used as in the example, or ``ttl`` is no duration.

    Examples
    --------
    >>> import polars as pl
    >>> @feature_view(source="weather", entity="station", time="at", ttl="2h")
    ... def wind_now(rows):
    ...     return rows.select("station", "at", wind=pl.col("wind_ms") * 1.944)
    >>> wind_now.name, wind_now.ttl.total_seconds()
    ('wind_now', 7200.0)
    """
    if misplaced is not None or not isinstance(source, str) or not source:
        raise ProjectError(
            "A feature view names no dataset",
            seen=source if misplaced is None else misplaced,
            remedy=f"Write {_EXAMPLE}",
        )
    columns = (entity,) if isinstance(entity, str) else tuple(entity)
    named = all(isinstance(name, str) and name for name in columns)
    if not columns or not named or len({*columns}) < len(columns):
        raise ProjectError(
            "A feature view names no entity, or one column twice",
            seen=entity,
            remedy=f"Write {_EXAMPLE}",
        )

    def make(function: Callable[[Any], Any]) -> FeatureView:
        if not isinstance(function, FunctionType):
            raise ProjectError(
                "gleis.feature_view stands above a function",
                seen=function,
                remedy=f"Write {_EXAMPLE} above def weather_now(rows):",
            )
        return FeatureView(
            function,
            source=source,
            entity=columns,
            time=time,
            known=known,
            ttl=_age(ttl, function.__name__),
        )

    return make


def _age(ttl: str | timedelta | None, view: str) -> timedelta | None:
    if ttl is None:
        return None
    # A number is no duration: of what?
    age = ttl if isinstance(ttl, timedelta) else parse_duration(str(ttl), f"{view}: ttl")
    if age <= timedelta(0):
        raise ConfigError(
            f"{view}: ttl lets no row be used",
            seen=ttl,
            remedy="Give a longer one, or none: then no row is ever too old.",
            field="ttl",
        )
    return age
