"""Performance from labels as they arrive, against what the evidence promised."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from gleis.contracts.contract import Task
from gleis.contracts.errors import StoreError
from gleis.contracts.profile import NumberSketch, Profile, SeasonCounts
from gleis.evidence.losses import row_loss
from gleis.evidence.measure import measure
from gleis.monitoring.drift import Change, DriftMonitor
from gleis.monitoring.effect import CAUTION
from gleis.monitoring.labelled import Labelled

WINDOW = 2000
"""Labelled rows behind the live figures."""


class _State(msgspec.Struct, frozen=True):
    monitor: bytes
    window: Labelled


class PerformanceMonitor:
    """Tests whether the loss per row has risen, and keeps live figures.

    The same martingale as for drift, on the losses' ranks among the test rows' losses, betting on
    larger losses only: a model that got better raises no alarm.

    Parameters
    ----------
    loss : NumberSketch
        Loss of each test row: log loss, or squared error (regression).
    task : {"binary", "multiclass", "regression"}
    seed : int or sequence of int
        Seeds the random breaking of ties.
    block : timedelta, optional
        Bet on stretches of time instead of rows, see `DriftMonitor`.
    season : SeasonCounts, optional
        The losses by season, see `DriftMonitor`.

    Examples
    --------
    >>> from datetime import UTC
    >>> import numpy as np
    >>> from gleis.data.profile import sketch_number
    >>> reference = sketch_number(np.random.default_rng(0).exponential(size=2000))
    >>> monitor = PerformanceMonitor(reference, "regression")
    >>> noon = datetime(2013, 4, 1, 12, tzinfo=UTC)
    >>> monitor.update(Labelled(["a", "b"], [1.0, 2.0], [1.5, 2.0], [noon, noon]))
    >>> monitor.figures()["mae"], monitor.rows
    (0.25, 2)
    """

    def __init__(
        self,
        loss: NumberSketch,
        task: Task,
        seed: int | Sequence[int] = 0,
        block: timedelta | None = None,
        season: SeasonCounts | None = None,
    ) -> None:
        self._task: Task = task
        self._reference = Profile(rows=loss.rows, columns={"loss": loss})
        self._expected = loss.mean
        self._monitor = DriftMonitor(self._reference, seed, "higher", block, season)
        self._window = Labelled([], [], [], [])

    @property
    def rows(self) -> int:
        """Labelled rows tested."""
        return self._monitor.rows

    @property
    def evidence(self) -> float:
        """log10 of the e-value against "the loss has not risen"."""
        return self._monitor.combined

    def update(self, labelled: Labelled) -> None:
        """See labelled rows in the order in which the labels came.

        Raises
        ------
        DataError
            If targets or scores cannot be measured; nothing is changed then.
        """
        if labelled.ids:
            losses = row_loss(*labelled.arrays(self._task), self._task)
            self._monitor.update({"loss": losses}, labelled.times)
            self._window = self._window.join(labelled).latest(WINDOW)

    def mend(self, corrected: Mapping[str, float]) -> None:
        """Correct targets by id in the live figures; the test has seen these rows already."""
        self._window.mend(corrected)

    def figures(self) -> dict[str, float]:
        """Return the gates' figures on the latest 2,000 labelled rows; empty without any."""
        if not self._window.ids:
            return {}
        return measure(*self._window.arrays(self._task), self._task)

    def rise(self) -> float:
        """Return how much the mean loss has risen since the likeliest change.

        ``n / (n + 200)`` of the difference to the test rows' mean over the ``n`` rows since: judged
        together with 200 rows that did not rise, as `cautious_psi` does.
        """
        change = self.change()
        if not change.rows or math.isnan(change.mean):
            return 0.0
        return (change.mean - self._expected) * change.rows / (change.rows + CAUTION)

    def change(self) -> Change:
        """Return what is known about the loss's likeliest change."""
        return self._monitor.change("loss")

    def since(self) -> datetime | None:
        """Return the event time of the first row after the likeliest change."""
        return self.change().since

    def words(self) -> str:
        """Say how far the loss rose: ``mean 0.51 -> 0.58``."""
        return f"mean {self._expected:.4g} -> {self.change().mean:.4g}"

    def restart(self) -> None:
        """Test anew from here; the losses seen so far join the reference's ranks."""
        self._monitor.restart(["loss"])

    def to_bytes(self) -> bytes:
        """Return the state; `from_bytes` goes on from it exactly."""
        return msgspec.msgpack.encode(_State(self._monitor.to_bytes(), self._window))

    @classmethod
    def from_bytes(
        cls,
        content: bytes,
        loss: NumberSketch,
        task: Task,
        seed: int | Sequence[int] = 0,
        block: timedelta | None = None,
        season: SeasonCounts | None = None,
    ) -> PerformanceMonitor:
        """Restore a monitor made with the same arguments.

        Raises
        ------
        StoreError
            If the bytes are damaged or belong to another reference.
        """
        try:
            state = msgspec.msgpack.decode(content, type=_State)
        except msgspec.DecodeError as error:
            raise StoreError(
                f"The performance monitor's saved state is damaged: {error}",
                remedy="Remove it: the monitors then start anew.",
            ) from error
        monitor = cls(loss, task, seed, block, season)
        monitor._monitor = DriftMonitor.from_bytes(
            state.monitor, monitor._reference, seed, "higher", block, season
        )
        monitor._window = state.window
        return monitor
