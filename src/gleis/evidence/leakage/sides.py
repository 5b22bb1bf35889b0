"""What is looked at: rows, their answers, and which of them train and which test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.leakage import Leak
from gleis.evidence.weighted import Floats

Positions = NDArray[np.int64]
"""Positions of rows, ascending or not."""


@dataclass(frozen=True, eq=False)
class Sides:
    """Labelled rows on the two sides of a split."""

    rows: pl.DataFrame
    """(n_rows, n_columns), all columns of the table, not only features."""
    y: NDArray[np.generic]
    """(n_rows,) class index or value."""
    train: Positions
    """(n_train,)"""
    test: Positions
    """(n_test,)"""
    contract: Contract
    scores: Floats | None = None
    """The model's scores of the test rows; None where they are not known."""


@dataclass(frozen=True)
class Refit:
    """A model that is fitted again and again on parts of the rows."""

    name: str
    """As a sentence names it: ``the project's own model``."""
    score: Callable[[Positions, Positions], Floats]
    """``(train, test)`` positions -> scores of the test rows."""


@dataclass(frozen=True)
class Finding:
    """What one kind of look found."""

    checked: tuple[str, ...] = ()
    leaks: tuple[Leak, ...] = ()
    unchecked: tuple[str, ...] = ()
