"""What an entity is called in an online store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_BETWEEN = "\x1f"


def entity_key(values: Iterable[Any]) -> str | None:
    """Return the key of an entity from the values that name it; None if one is missing.

    Text and whole numbers name entities; 7 and ``"7"`` name the same one, as in a request either
    may come.

    Parameters
    ----------
    values : iterable of str or int
        One for each entity column of the view, in their order.

    Raises
    ------
    TypeError
        A value is neither text nor a whole number.

    Examples
    --------
    >>> entity_key([7]), entity_key(["7"]), entity_key([None])
    ('7', '7', None)
    """
    parts = [_named(value) for value in values]
    return None if None in parts else _BETWEEN.join(parts)  # type: ignore[arg-type]


def _named(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    if type(value) is float and value.is_integer():
        return str(int(value))  # some clients write 7.0
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"an entity is named by text or whole numbers, not by {value!r}")


def entity_keys(columns: Sequence[Sequence[Any]]) -> list[str | None]:
    """Return the key of each row, (n_rows,), from the columns that name its entity.

    Raises
    ------
    TypeError
        As ``entity_key``.
    """
    return [entity_key(values) for values in zip(*columns, strict=True)]
