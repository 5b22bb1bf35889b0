"""What rows must hold: one internal form of a check, whoever declared it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Rule = Literal[
    "whole",
    "present",
    "min",
    "above",
    "max",
    "below",
    "equals",
    "differs",
    "in",
    "not_in",
    "matches",
    "contains",
    "starts",
    "ends",
    "min_length",
    "max_length",
    "unique",
    "references",
]
TableRule = Literal["min", "max", "min_new", "max_new", "fresh", "missing", "psi"]
ColumnType = Literal["number", "integer", "text", "boolean", "time"]

_SHOWN = 6
"""Values of a list that a sentence names."""
_WORDS = {
    "whole": "not a whole number",
    "present": "missing",
    "min": "below {}",
    "above": "not above {}",
    "max": "above {}",
    "below": "not below {}",
    "equals": "not {}",
    "differs": "is {}",
    "in": "none of {}",
    "not_in": "one of {}",
    "matches": "does not match {}",
    "contains": "does not contain {}",
    "starts": "does not start with {}",
    "ends": "does not end with {}",
    "min_length": "shorter than {}",
    "max_length": "longer than {}",
    "unique": "repeated",
    "references": "not in {}",
}


class RowCheck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something every row must hold; a row that does not can be set aside.

    Examples
    --------
    >>> RowCheck(column="temp", rule="min", value=-40).failure
    'temp: below -40'
    """

    column: str
    """Which column; of ``unique`` over several, the first of them."""
    rule: Rule
    value: Any = None
    """Limit, list of values, pattern, or ``dataset.column``, by the rule."""
    columns: tuple[str, ...] = ()
    """All columns of a ``unique`` over several."""
    nulls: bool = False
    """Whether it minds missing values: one fails it, two are alike. By default only ``present``
    does."""
    keep: Literal["none", "first", "last"] = "none"
    """Of rows alike under ``unique``: which one passes."""

    @property
    def names(self) -> tuple[str, ...]:
        """All columns it looks at."""
        return self.columns or (self.column,)

    @property
    def failure(self) -> str:
        """What is said of a row that fails it: ``temp: below -40``."""
        return f"{', '.join(self.names)}: {_WORDS[self.rule].format(_show(self.value))}"


class TableCheck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something rows must hold together; where it fails, no row is to blame."""

    rule: TableRule
    value: Any
    """A count, a share, a duration (``2d``) or a limit, by the rule."""
    column: str | None = None


class Checks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that the rows of one dataset must hold."""

    types: dict[str, ColumnType] = {}
    """Column to the type it must have."""
    required: tuple[str, ...] = ()
    """Columns that must be there."""
    rows: tuple[RowCheck, ...] = ()
    tables: tuple[TableCheck, ...] = ()

    def __bool__(self) -> bool:
        """Say whether anything is checked at all."""
        return bool(self.types or self.required or self.rows or self.tables)


class RequestChecks(msgspec.Struct, frozen=True, kw_only=True):
    """The checks that travel with a model, for rows of requests."""

    rows: tuple[RowCheck, ...]
    """On one feature each, of a rule that a single row can be asked about."""
    refuse: bool = False
    """True: a row that fails one is a 422. False: it is answered and flagged."""


IN_REQUESTS: frozenset[Rule] = frozenset(
    ("whole", "present", "min", "above", "max", "below", "equals", "differs", "in", "not_in",
     "matches", "contains", "starts", "ends", "min_length", "max_length")
)  # fmt: skip
"""Rules that a row can be asked about alone: not ``unique``, not ``references``."""


def _show(value: Any) -> str:
    if isinstance(value, tuple | list | set | frozenset):
        listed = [_show(one) for one in value]
        more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        return ", ".join(listed[:_SHOWN]) + more
    return f"{value:g}" if type(value) is float else str(value)
