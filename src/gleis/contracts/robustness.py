"""How a model bears damaged inputs, and the part of the rows where it is worst."""

from __future__ import annotations

import msgspec

from gleis.contracts.figure import Figure


class Perturbed(msgspec.Struct, frozen=True, kw_only=True):
    """The figures after one kind of damage to the test rows."""

    name: str
    """As gates name it: ``noise_10pct``."""
    description: str
    """A sentence: what was done to the rows."""
    figures: dict[str, Figure]
    """After it; and ``roc_auc_drop``, paired: how much worse, positive is worse."""


class Robustness(msgspec.Struct, frozen=True, kw_only=True):
    """Every kind of damage that was tried."""

    rows: int
    """Test rows used."""
    perturbations: tuple[Perturbed, ...]
    notes: tuple[str, ...] = ()


class WorstSlice(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the test rows with the worst loss, found by a search that is corrected for."""

    conditions: tuple[str, ...]
    """One or two, as text: ``carrier = UA``, ``hour > 18``. None if nothing could be searched."""
    rows: int
    """Rows of the slice on which it was measured: they did not choose it."""
    figures: dict[str, Figure]
    """``log_loss`` and ``log_loss_ratio`` (of the slice to all rows), and the task's others; with
    intervals that hold although the worst of many was picked."""
    searched: int
    """Slices that were compared."""
    p_value: float
    """Of the null that no slice is worse than all rows, corrected for the search."""
    notes: tuple[str, ...] = ()
    """Plain sentences: how the rows were divided, what was not searched."""
