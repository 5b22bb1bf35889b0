"""What a package carries so that performance can be estimated before labels come."""

from __future__ import annotations

import msgspec


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """What a score of one class has meant on the test rows: isotonic steps.

    Step ``i`` holds scores ``s`` with ``uppers[i-1] < s <= uppers[i]``; the first and last are
    open.
    """

    uppers: tuple[float, ...]
    """Increasing, (n_steps - 1,)."""
    shares: tuple[float, ...]
    """Share of the test rows of the step that were of the class, never falling, (n_steps,)."""


class Days(msgspec.Struct, frozen=True, kw_only=True):
    """How much the test rows of one day differed together from what their scores say."""

    count: int
    """Days seen; too few to know anything if below 4."""
    spread: tuple[float, ...]
    """Standard deviation between days beyond chance: of the log odds of each class, or of the
    relative size of the squared error (regression)."""
    score_spread: float
    """The same of a day's expected loss, as its scores alone make it."""


class ClassEstimation(msgspec.Struct, frozen=True, kw_only=True, tag="classes"):
    """Of a classifier: calibrated scores, and the test rows in the cells that sums are kept by.

    A cell is a stretch of scores (binary), or a decided class and a stretch of its score.
    """

    steps: tuple[Steps, ...]
    """One for class 1 (binary), or one a class."""
    cuts: tuple[tuple[float, ...], ...]
    """Inner edges of the cells of a decided class (one entry if binary), (n_cuts,) each."""
    ranks: tuple[tuple[float, ...], ...]
    """Of each class the inner edges of the stretches its ROC AUC is estimated from; binary: ()."""
    rows: tuple[int, ...]
    """Test rows by cell, (n_cells,)."""
    shares: tuple[tuple[float, ...], ...]
    """Expected rows by cell and class, (n_cells, n_classes)."""
    losses: tuple[tuple[float, ...], ...]
    """Their expected log loss, summed, (n_cells, n_classes)."""
    days: Days


class Node(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question about one column; of a leaf only ``leaf`` is set."""

    leaf: int | None = None
    column: str = ""
    """A feature, or ``score``."""
    threshold: float | None = None
    """Numbers at most this go left; None: only missing values are told apart."""
    words: tuple[str, ...] | None = None
    """Of a category: these go left."""
    missing_left: bool = False
    left: int = 0
    """Position of the node on the left; the right one's is ``right``."""
    right: int = 0


class ValueEstimation(msgspec.Struct, frozen=True, kw_only=True, tag="value"):
    """Of a regression: a small tree of the loss, and what the test rows of each leaf lost."""

    nodes: tuple[Node, ...]
    """The first is the root."""
    rows: tuple[int, ...]
    """Test rows by leaf, (n_leaves,)."""
    absolute: tuple[float, ...]
    """Mean absolute error by leaf."""
    absolute_m2: tuple[float, ...]
    """Variance of it within the leaf."""
    squared: tuple[float, ...]
    """Mean squared error by leaf."""
    squared_m2: tuple[float, ...]
    """Variance of it within the leaf."""
    days: Days


Estimation = ClassEstimation | ValueEstimation
