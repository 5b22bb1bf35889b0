"""The monitors of features, scores and labels as one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple

from gleis.contracts.contract import Contract
from gleis.contracts.errors import StoreError
from gleis.contracts.profile import Profile, Reference, SeasonCounts, Seasons
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
        """Return the state of each; `restored` takes them back."""
        return [monitor.to_bytes() for monitor in self.each()]


class Making(NamedTuple):
    """What monitors are made of."""

    reference: Reference
    contract: Contract
    seed: tuple[int, int]
    block: timedelta | None
    seasons: Seasons | None
    labels: bool
    """Watch the labels too, if the reference knows them."""

    def _profiles(self) -> tuple[Profile, Profile, Profile | None]:
        features = self.reference.features
        names = [name for name in self.contract.names if name in features.columns]
        inputs = Profile(rows=features.rows, columns={n: features.columns[n] for n in names})
        return inputs, self.reference.scores, self.reference.label if self.labels else None

    def _season(self) -> dict[str, SeasonCounts]:
        known = self.seasons
        return {} if known is None else {"features": known.features, "scores": known.scores}

    def new(self) -> ColumnMonitors:
        """Make monitors that have seen nothing."""
        features, scores, labels = self._profiles()
        season, block, seed = self._season(), self.block, self.seed
        return ColumnMonitors(
            DriftMonitor(features, (*seed, 0), "both", block, season.get("features")),
            DriftMonitor(scores, (*seed, 1), "both", block, season.get("scores")),
            DriftMonitor(labels, (*seed, 3), "both", block) if labels is not None else None,
        )

    def restored(self, states: list[bytes]) -> ColumnMonitors:
        """Make monitors that go on from their states.

        Raises
        ------
        StoreError
            If the bytes are damaged or belong to another reference.
        """
        features, scores, labels = self._profiles()
        if len(states) != 2 + (labels is not None):
            raise StoreError(
                "The monitors' saved state is of other columns",
                seen=len(states),
                remedy="Remove it: the monitors then start anew.",
            )
        season, block, seed = self._season(), self.block, self.seed
        go_on = DriftMonitor.from_bytes
        return ColumnMonitors(
            go_on(states[0], features, (*seed, 0), "both", block, season.get("features")),
            go_on(states[1], scores, (*seed, 1), "both", block, season.get("scores")),
            go_on(states[2], labels, (*seed, 3), "both", block) if labels is not None else None,
        )
