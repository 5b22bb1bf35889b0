"""The monitors of features, scores and labels as one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple

from gleis.contracts.contract import Contract
from gleis.contracts.errors import StoreError
from gleis.contracts.profile import Profile, Reference, Seasons
from gleis.monitoring.drift import Change, DriftMonitor

LABEL = "label"
"""Name of the column of labels."""


class ColumnMonitors(NamedTuple):
    """Monitors over different rows: all answers, the version's own, and those with a label."""

    features: DriftMonitor
    scores: DriftMonitor
    labels: DriftMonitor | None
    """None where the reference does not know its labels, or they come for some scores only."""

    def each(self) -> tuple[DriftMonitor, ...]:
        """Return those there are."""
        return tuple(monitor for monitor in self if monitor is not None)

    def evidence(self) -> dict[str, float]:
        """Return log10 of the e-value of each column."""
        return {c: e for monitor in self.each() for c, e in monitor.evidence().items()}

    def change(self, column: str) -> Change:
        """Return what is known about the likeliest change of a column."""
        (monitor,) = (one for one in self.each() if column in one.columns)
        return monitor.change(column)

    def restart(self, columns: Collection[str]) -> None:
        """Test these columns anew from here."""
        for monitor in self.each():
            monitor.restart([name for name in monitor.columns if name in columns])

    def to_bytes(self) -> list[bytes]:
        """Return the state of each; `restore` takes them back."""
        return [monitor.to_bytes() for monitor in self.each()]

    def restore(self, states: list[bytes]) -> None:
        """Take up the states of `to_bytes`, of monitors made with the same arguments.

        Raises
        ------
        StoreError
            If the bytes are damaged or belong to another reference.
        """
        monitors = self.each()
        if len(states) != len(monitors):
            raise StoreError(
                "The monitors' saved state is of other columns",
                seen=len(states),
                remedy="Remove it: the monitors then start anew.",
            )
        for monitor, state in zip(monitors, states, strict=True):
            monitor.restore(state)


def make_columns(
    reference: Reference,
    contract: Contract,
    seed: tuple[int, int],
    block: timedelta | None = None,
    seasons: Seasons | None = None,
    *,
    labels: bool = True,
) -> ColumnMonitors:
    """Make monitors that have seen nothing.

    Parameters
    ----------
    reference : Reference
    contract : Contract
        Its features are watched.
    seed : tuple of int
    block : timedelta, optional
    seasons : Seasons, optional
        See `DriftMonitor`.
    labels : bool
        Watch the labels too, if the reference knows them.
    """
    names = [name for name in contract.names if name in reference.features.columns]
    inputs = Profile(
        rows=reference.features.rows,
        columns={name: reference.features.columns[name] for name in names},
    )
    known = reference.label if labels else None
    features, scores = (seasons.features, seasons.scores) if seasons else (None, None)
    return ColumnMonitors(
        DriftMonitor(inputs, (*seed, 0), "both", block, features),
        DriftMonitor(reference.scores, (*seed, 1), "both", block, scores),
        DriftMonitor(known, (*seed, 3), "both", block) if known is not None else None,
    )
