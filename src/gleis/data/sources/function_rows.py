"""A function of the project as the source of a table beside its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from gleis.contracts.errors import ConfigError
from gleis.data.door import to_frame
from gleis.data.door_query import query_of
from gleis.data.module import open_function
from gleis.data.source import check_period
from gleis.data.sources.formats import shape_of, timed
from gleis.data.sources.source import Notes, Opening, Part, Portion, Taken

if TYPE_CHECKING:
    from gleis.data.sources.formats import Shape

_NAME = re.compile(r"([A-Za-z_]\w*):([A-Za-z_]\w*)")


def split_name(where: str) -> tuple[str, str] | None:
    """Return module and function of ``module:function``; None if it is something else.

    Examples
    --------
    >>> split_name("punctuality:stations"), split_name("s3://bucket/x.csv")
    (('punctuality', 'stations'), None)
    """
    found = _NAME.fullmatch(where)
    return (found[1], found[2]) if found else None


class FunctionRows:
    """Calls a function of the project.

    One that takes a period, ``stations(since, until)``, is asked for the rows that came since it
    was asked last, as ``load`` is; if its code changed since, for all. One that takes nothing
    returns all rows each time.

    Parameters
    ----------
    opening : Opening
        ``where``: ``module:function``.
    """

    def __init__(self, opening: Opening) -> None:
        named = split_name(opening.where)
        assert named is not None, "the registry asked before"
        self._opening = opening
        self._name = named[1]
        self._function = open_function(opening.folder, *named)
        if self._function.takes_period and opening.spec.time is None:
            raise ConfigError(
                f"{opening.where} takes a period, and datasets.{opening.spec.name} has no time",
                remedy=f"Name the column of the event time: datasets.{opening.spec.name}.time.",
                field=f"datasets.{opening.spec.name}.time",
            )

    def read(self, taken: Taken, notes: Notes) -> Iterator[Portion]:
        """Return the rows of the function, or those that are new."""
        opening = self._opening
        shape = shape_of(opening.spec, opening.settings, taken.columns)
        if not self._function.takes_period:
            part, query = self._part(shape, self._function.call())
            if part.frame.is_empty() and taken.columns is None:
                notes.leave(opening.where, "it returned no rows")
                return
            yield Portion(parts=(part,), whole=True, query=query)
            return
        since = None if taken.other_code else taken.until
        until = opening.now
        if since is not None and since >= until:
            return
        part, query = self._part(shape, self._function.call(since, until))
        part = self._in_period(part, since, until)
        yield Portion(parts=(part,), whole=since is None, since=since, until=until, query=query)

    def _part(self, shape: Shape, table: Any) -> tuple[Part, str | None]:
        query = query_of(table)
        return Part(frame=timed(to_frame(table), shape)), query

    def _in_period(self, part: Part, since: datetime | None, until: datetime) -> Part:
        name = self._opening.spec.time
        if name is None or name not in part.frame.columns or part.frame.is_empty():
            return part  # what it lacks is said where rows are appended
        times = part.frame[name]
        if isinstance(times.dtype, pl.Datetime):
            check_period(times, since, until, self._name)
        return Part(frame=part.frame.sort(name, maintain_order=True))
