"""How far the prediction log has been made into training data."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from gleis.contracts.errors import StoreError
from gleis.data.production.weights import NONE, Unlabelled

SETTLES = timedelta(minutes=1)
"""An answer younger than this may not be in the log yet, though its moment has passed."""
STRANGE = timedelta(days=366)
"""An event time further from its answer is taken for a mistake; the answer's own counts then."""


class Cursor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Answers due up to ``cut`` are done; those that are not were given from ``low`` on.

    Examples
    --------
    >>> from datetime import UTC
    >>> cut = datetime(2013, 4, 1, tzinfo=UTC)
    >>> read_cursor(write_cursor(Cursor(cut=cut, low=None))).cut == cut
    True
    """

    cut: datetime
    low: datetime | None
    """None: from the beginning."""
    unlabelled: Unlabelled = NONE
    """Answers that no labelled row stands for yet."""


def write_cursor(cursor: Cursor) -> str:
    """Write a cursor as text for the provenance of a version."""
    return msgspec.json.encode(cursor).decode()


def read_cursor(text: str) -> Cursor:
    """Read a cursor.

    Raises
    ------
    StoreError
        If it is none.
    """
    try:
        return msgspec.json.decode(text, type=Cursor)
    except msgspec.MsgspecError as error:
        raise StoreError(
            "The version's record does not say how far the prediction log was read",
            seen=text,
            remedy="It was not made from the log: take another name for the dataset.",
        ) from error


def due(at: datetime, event: datetime | None) -> datetime:
    """Return from when on the label's delay counts: the event, but not before the answer.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2013, 4, 1, 12, tzinfo=UTC)
    >>> due(noon, noon + timedelta(hours=2)).hour, due(noon, noon - timedelta(hours=2)).hour
    (14, 12)
    """
    if event is None or abs(event - at) > STRANGE:
        return at
    return max(at, event)
