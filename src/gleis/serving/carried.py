"""What a row carries beside its features: its owner's id, and when it happened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gleis.contracts.clock import utc
from gleis.contracts.errors import InvalidRowError


def read_entity(value: Any, name: str, where: str) -> str:
    """Return the owner's id of a row as text.

    Parameters
    ----------
    value : str, int or float
    name : str
        The field, for the error.
    where : str
        The row, for the error; may be empty.

    Raises
    ------
    InvalidRowError
        Neither text nor number.

    Examples
    --------
    >>> read_entity(1545, "flight_id", "")
    '1545'
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise InvalidRowError(
        f"{where}{name} names the row", seen=value, remedy="Send a text or a number.", field=name
    )


def read_moment(value: Any, name: str, where: str) -> datetime:
    """Return a time in UTC; one without a zone is taken to be UTC.

    Parameters
    ----------
    value : str or datetime
        ISO 8601 text, or a datetime.
    name, where : str
        The field and the row, for the error.

    Raises
    ------
    InvalidRowError
        Anything else.

    Examples
    --------
    >>> read_moment("2013-07-04T12:00:00+02:00", "departs_at", "").hour
    10
    """
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(moment, datetime):
            return utc(moment)
    except (ValueError, OverflowError) as error:
        raise _no_time(value, name, where) from error
    raise _no_time(value, name, where)


def _no_time(value: Any, name: str, where: str) -> InvalidRowError:
    return InvalidRowError(
        f"{where}{name} is not a time",
        seen=value,
        remedy="Send ISO 8601 text such as 2013-07-04T12:00:00Z.",
        field=name,
    )
