"""Rules: baselines without code, as a table or a column that an auditor can read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.ports import Columns

if TYPE_CHECKING:
    import polars as pl

    from gleis.contracts.ports import Scores

Key = str | int | float | bool | None
Score = float | tuple[float, ...]


class Cell(msgspec.Struct, frozen=True):
    """One line of a table: these values give this score."""

    key: tuple[Key, ...]
    """Values of the rule's columns, in their order; None is a missing value."""
    score: Score


class TableRule(msgspec.Struct, frozen=True, kw_only=True, tag_field="rule", tag="table"):
    """The score is looked up by the values of a few columns."""

    columns: tuple[str, ...]
    """Columns looked at; none for a constant."""
    cells: tuple[Cell, ...]
    default: Score
    """For values that are in no cell: the mean score of the rows the rule was made from."""


class ColumnRule(msgspec.Struct, frozen=True, kw_only=True, tag_field="rule", tag="column"):
    """The score is ``slope * column + intercept``."""

    column: str
    slope: float = 1.0
    intercept: float = 0.0
    default: float
    """For a missing value: the mean score of the rows the rule was made from."""


Rule = TableRule | ColumnRule


def constant_rule(score: float | Sequence[float]) -> TableRule:
    """Return the rule that always answers ``score``: a number, or one per class.

    Examples
    --------
    >>> constant_rule(0.25).default
    0.25
    """
    default = float(score) if isinstance(score, int | float) else tuple(score)
    return TableRule(columns=(), cells=(), default=default)


class RuleModel:
    """A rule as a model.

    Parameters
    ----------
    rule : Rule
    contract : Contract
        Of the project the rule answers for; a classifier's scores are kept within [0, 1].

    Examples
    --------
    >>> from gleis.contracts.contract import Column
    >>> contract = Contract(
    ...     task="binary",
    ...     features=(Column(name="hour", kind="integer"),),
    ...     target="late",
    ...     classes=("no", "yes"),
    ... )
    >>> rule = TableRule(columns=("hour",), cells=(Cell((17,), 0.4),), default=0.2)
    >>> RuleModel(rule, contract).predict({"hour": [17, 3, None]})
    array([0.4, 0.2, 0.2])
    """

    quick: ClassVar[bool] = True
    """It answers in microseconds and cannot hang: a service asks it without a thread."""

    def __init__(self, rule: Rule, contract: Contract) -> None:
        self.rule = rule
        self.contract = contract
        self._cells: dict[tuple[Any, ...], Score] = {}
        if isinstance(rule, TableRule):
            self._cells = {cell.key: cell.score for cell in rule.cells}

    @property
    def asks(self) -> tuple[str, ...]:
        """The features it looks at; the score depends on nothing else."""
        return (self.rule.column,) if isinstance(self.rule, ColumnRule) else self.rule.columns

    def predict(self, columns: Columns) -> Scores:
        """Score rows; see ``gleis.contracts.ports.Model``."""
        if isinstance(self.rule, ColumnRule):
            return self._follow(self.rule, columns)
        if not self.rule.columns:
            n_rows = len(columns[self.contract.names[0]])
            return np.full(_shape(self.rule, n_rows), self.rule.default, dtype=np.float64)
        keys = zip(*(plain(columns[name]) for name in self.rule.columns), strict=True)
        default, cells = self.rule.default, self._cells
        scores = np.array([cells.get(key, default) for key in keys], dtype=np.float64)
        return scores if scores.size else scores.reshape(_shape(self.rule, 0))

    def _follow(self, rule: ColumnRule, columns: Columns) -> Scores:
        values = np.array(plain(columns[rule.column]), dtype=np.float64)
        scores = rule.slope * values + rule.intercept
        scores = np.where(np.isnan(values), rule.default, scores)
        return scores if self.contract.task == "regression" else np.clip(scores, 0.0, 1.0)


def plain(values: Sequence[Any] | NDArray[Any] | pl.Series) -> list[Key]:
    """Return Python values, with None for NaN.

    Parameters
    ----------
    values : sequence, (n_rows,)
        A list, an array or a polars Series.

    Examples
    --------
    >>> plain(np.array([1.5, np.nan]))
    [1.5, None]
    """
    to_list = getattr(values, "tolist", None) or getattr(values, "to_list", None)
    listed = to_list() if to_list is not None else values
    return [None if isinstance(v, float) and math.isnan(v) else v for v in listed]


def _shape(rule: TableRule, n_rows: int) -> tuple[int, ...]:
    return (n_rows, len(rule.default)) if isinstance(rule.default, tuple) else (n_rows,)
