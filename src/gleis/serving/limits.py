"""The project's checks, asked of rows of requests: without polars, and almost for nothing.

Of a value within what training saw, most checks are known to hold once the model is loaded; they
are asked of the others only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from math import isfinite, isnan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.checks import RowCheck, Rule
from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import InvalidRowError
from gleis.packaging.coded import Coded
from gleis.serving.fields import place

Holds = Callable[[Any], bool]
"""Says whether a value that is not missing passes."""

_KEYS: dict[Rule, str] = {"min": "ge", "above": "gt", "max": "le", "below": "lt"}
"""What a decoder calls the limits of a number."""
_BESIDE = {"ge": "gt", "gt": "ge", "le": "lt", "lt": "le"}
"""Which of them it does not take together."""


class Limit(NamedTuple):
    """One check on one feature."""

    name: str
    """The feature."""
    flag: str
    """What a row that fails it is flagged with: ``temp: below -40``."""
    holds: Holds
    nulls: bool
    """Whether a missing value fails it."""
    rule: Rule
    value: Any
    gate: str | None
    """Flag without which no value can fail it; None: every value must be asked."""

    def fails(self, value: Any) -> bool:
        """Say whether a value fails, missing ones included."""
        return self.nulls if value is None else not self.holds(value)


class Limits:
    """The checks that travel with a model.

    Parameters
    ----------
    contract : Contract

    Examples
    --------
    >>> from gleis.contracts.checks import RequestChecks
    >>> check = RowCheck(column="temp", rule="min", value=-40)
    >>> column = Column(name="temp", kind="number", low=-20.0, high=40.0)
    >>> contract = Contract(
    ...     task="regression",
    ...     features=(column,),
    ...     target="delay",
    ...     checks=RequestChecks(rows=(check,)),
    ... )
    >>> flags = {"temp: out of range": [1, 2]}
    >>> Limits(contract).add({"temp": [3.5, -30.0, -90.0]}, flags)
    >>> flags["temp: below -40"]
    [2]
    """

    def __init__(self, contract: Contract) -> None:
        checks = contract.checks
        columns = {column.name: column for column in contract.features}
        self.refuse = checks is not None and checks.refuse
        """Whether a row that fails is refused; else it is flagged."""
        self.limits = tuple(
            _limit(check, columns[check.column])
            for check in (checks.rows if checks is not None else ())
            if check.column in columns
        )
        flagged = () if self.refuse else self.limits
        self._asked = tuple(limit for limit in flagged if limit.gate is None)
        self._gated = tuple(limit for limit in flagged if limit.gate is not None)

    def __bool__(self) -> bool:
        """Say whether there is anything to check."""
        return bool(self.limits)

    def add(self, features: Mapping[str, list[Any]], flags: dict[str, list[int]]) -> None:
        """Add the flags of rows that fail, where failing rows are flagged.

        Parameters
        ----------
        features : mapping of str to list, each (n_rows,)
        flags : dict
            Flags of ranges and categories, by position; added to.
        """
        for limit in self._gated if flags else ():
            if limit.gate in flags:
                values = features[limit.name]
                if found := [at for at in flags[limit.gate] if not limit.holds(values[at])]:
                    flags[limit.flag] = found
        for name, flag, holds, nulls, *_ in self._asked:
            found = [
                at
                for at, value in enumerate(features[name])
                if (nulls if value is None else not holds(value))
            ]
            if found:
                flags[flag] = found

    def require(self, features: Mapping[str, list[Any]]) -> None:
        """Refuse the first row that fails, where failing rows are refused.

        Raises
        ------
        InvalidRowError
            Naming feature, check and value.
        """
        if not self.refuse:
            return
        for limit in self.limits:
            values = features[limit.name]
            for at, value in enumerate(values):
                if limit.fails(value):
                    raise error_of(limit, value, place(at, len(values)))

    def refusing(self, column: Column) -> tuple[dict[str, Any], Callable[[Any], bool] | None]:
        """Return how a decoder refuses values of a feature: its limits, and what they cannot say.

        Returns
        -------
        dict
            ``ge``, ``gt``, ``le`` and ``lt`` of a number.
        callable or None
            Says whether a value fails another check.
        """
        mine = [limit for limit in self.limits if limit.name == column.name] if self.refuse else []
        limits: dict[str, Any] = {}
        rest = []
        for limit in mine:
            key = _KEYS.get(limit.rule)
            beside = _BESIDE.get(key or "")
            if key is None or limit.nulls or column.kind != "number" or beside in limits:
                rest.append(limit)
            else:
                tighter = max if key in ("ge", "gt") else min
                limits[key] = tighter(limits.get(key, limit.value), limit.value)
        if not rest:
            return limits, None
        fine = frozenset(
            word
            for word in (*(column.categories or ()), None)
            if not any(limit.fails(word) for limit in rest)
        )
        return limits, lambda value: value not in fine and any(one.fails(value) for one in rest)

    def failing(
        self, columns: Mapping[str, Any], flags: Mapping[str, NDArray[np.intp]]
    ) -> Iterator[tuple[Limit, NDArray[np.intp]]]:
        """Yield each check that rows of a table fail, with their positions, increasing.

        Parameters
        ----------
        columns : mapping of str to array, each (n_rows,)
            As `gleis.serving.batch.arrays` reads them; NaN is missing.
        flags : mapping of str to ndarray
            Flags of ranges and categories, by position.
        """
        for limit in self.limits:
            values = columns[limit.name]
            if limit.gate is None:
                positions = _positions(limit, values)
            elif limit.gate in flags:
                beyond = flags[limit.gate]
                positions = beyond[_positions(limit, _at(values, beyond))]
            else:
                continue
            if len(positions):
                yield limit, positions


def error_of(limit: Limit, value: Any, where: str) -> InvalidRowError:
    """Return what a client reads of a row that fails."""
    return InvalidRowError(
        f"{where}{limit.flag}",
        seen=value,
        remedy="The project checks its data for this, and the rows of requests too.",
        field=limit.name,
    )


def _limit(check: RowCheck, column: Column) -> Limit:
    holds = _holds(check.rule, check.value)
    nulls = check.nulls or check.rule == "present"
    gate = _gate(check, column, holds, nulls)
    return Limit(column.name, check.failure, holds, nulls, check.rule, check.value, gate)


def _gate(check: RowCheck, column: Column, holds: Holds, nulls: bool) -> str | None:
    """Return the flag without which no value fails: all that training saw passes."""
    if nulls and column.nullable:
        return None
    if column.kind == "category":
        known = column.categories is not None and all(map(holds, column.categories))
        return f"{column.name}: unseen category" if known else None
    if check.rule == "present":
        return f"{column.name}: out of range"
    if check.rule in _KEYS and column.low is not None and column.high is not None:
        return f"{column.name}: out of range" if holds(column.low) and holds(column.high) else None
    return None


def _holds(rule: Rule, value: Any) -> Holds:
    """Return the rule as a function of one value."""
    if rule in ("in", "not_in"):
        among = frozenset(value)
        return among.__contains__ if rule == "in" else lambda seen: seen not in among
    if rule == "matches":
        pattern = re.compile(value)
        return lambda seen: pattern.fullmatch(seen) is not None
    if rule == "contains":
        pattern = re.compile(value)
        return lambda seen: pattern.search(seen) is not None
    return _SIMPLE[rule](value)


_SIMPLE: dict[Rule, Callable[[Any], Holds]] = {
    "present": lambda limit: lambda seen: True,
    "whole": lambda limit: lambda seen: not isfinite(seen) or seen == int(seen),
    "min": lambda limit: lambda seen: seen >= limit,
    "above": lambda limit: lambda seen: seen > limit,
    "max": lambda limit: lambda seen: seen <= limit,
    "below": lambda limit: lambda seen: seen < limit,
    "equals": lambda limit: lambda seen: seen == limit,
    "differs": lambda limit: lambda seen: seen != limit,
    "starts": lambda limit: lambda seen: seen.startswith(limit),
    "ends": lambda limit: lambda seen: seen.endswith(limit),
    "min_length": lambda limit: lambda seen: len(seen) >= limit,
    "max_length": lambda limit: lambda seen: len(seen) <= limit,
}


def _positions(limit: Limit, values: Any) -> NDArray[np.intp]:
    """Return where values of a column fail; each distinct value is asked once."""
    if isinstance(values, Coded):
        wrong = np.array([limit.fails(word) for word in values.words], dtype=bool)
        return np.flatnonzero(wrong[values.codes]) if wrong.any() else _NOWHERE
    if isinstance(values, np.ndarray):
        distinct, codes = np.unique(values, return_inverse=True)
        listed = [None if is_nan(value) else value for value in distinct.tolist()]
        wrong = np.array([limit.fails(value) for value in listed], dtype=bool)
        return np.flatnonzero(wrong[codes]) if wrong.any() else _NOWHERE
    return np.array([at for at, value in enumerate(values) if limit.fails(value)], dtype=np.intp)


def is_nan(value: Any) -> bool:
    """Say whether a table's value is missing."""
    return isinstance(value, float) and isnan(value)


def _at(values: Any, positions: NDArray[np.intp]) -> Any:
    if isinstance(values, Coded):
        return Coded(values.words, values.codes[positions])
    if isinstance(values, np.ndarray):
        return values[positions]
    return [values[at] for at in positions.tolist()]


_NOWHERE: NDArray[np.intp] = np.empty(0, dtype=np.intp)
