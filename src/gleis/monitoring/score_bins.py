"""Losses among answers of about the same score: where the world contradicts the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import StoreError
from gleis.contracts.profile import LossByScore, NumberSketch, Profile
from gleis.monitoring.drift import Change, DriftMonitor
from gleis.monitoring.packing import decode_state

Floats = NDArray[np.float64]


class Risen(NamedTuple):
    """Where the loss has risen most surely, and how much."""

    low: float
    """The bin's scores are above this; -inf for the first."""
    high: float
    """They are at most this; inf for the last."""
    share: float
    """Of the rows seen since the change, those in the bin."""
    before: float
    """Mean loss of the bin's test rows."""
    change: Change


class ScoreBins:
    """Tests, bin by bin of the score, whether losses have risen.

    Within a bin the loss is ranked among the losses of the same bin, so that rows of other scores
    say nothing about it: the rate holds if the shares of the scores change, and if whether a label
    comes depends on the score [1]_. A concept that changes for a tenth of the rows stands out in
    their bin, where over all rows the noise of the other nine tenths hides it.

    Parameters
    ----------
    reference : LossByScore
    seed : sequence of int
    block : timedelta, optional
        See `DriftMonitor`.

    References
    ----------
    .. [1] Vovk, Gammerman, Shafer (2022). Algorithmic Learning in a Random World, 2nd ed.,
       section 4.6 (Mondrian predictors; here the taxonomy is the score).
    """

    def __init__(
        self, reference: LossByScore, seed: Sequence[int], block: timedelta | None = None
    ) -> None:
        self._edges = np.array(reference.edges, dtype=np.float64)
        self._reference = reference
        self._monitors = [
            DriftMonitor(_alone(sketch), (*seed, number), "higher", block)
            for number, sketch in enumerate(reference.losses)
        ]
        self._rows = 0

    @property
    def bins(self) -> int:
        """Bins of the score."""
        return len(self._monitors)

    @property
    def evidence(self) -> float:
        """log10 of the largest e-value of a bin; whoever compares it corrects for their number."""
        return max(monitor.combined for monitor in self._monitors)

    def update(self, scores: Floats, losses: Floats, times: Sequence[datetime]) -> None:
        """See labelled rows, in the order in which the labels came.

        Parameters
        ----------
        scores : ndarray of float64, (n_rows,)
            See ``gleis.evidence.score_places``.
        losses : ndarray of float64, (n_rows,)
        times : sequence of datetime, (n_rows,)
        """
        self._rows += len(losses)
        places = np.searchsorted(self._edges, scores, side="left")
        for number in np.unique(places).tolist():
            rows = np.flatnonzero(places == number)
            self._monitors[number].update(
                {"loss": losses[rows]}, [times[row] for row in rows.tolist()]
            )

    def risen(self) -> Risen:
        """Return where the loss has risen most surely."""
        number = int(np.argmax([monitor.combined for monitor in self._monitors]))
        bounds = (-math.inf, *self._edges.tolist(), math.inf)
        monitor = self._monitors[number]
        return Risen(
            low=bounds[number],
            high=bounds[number + 1],
            share=monitor.rows / self._rows if self._rows else 0.0,
            before=self._reference.losses[number].mean,
            change=monitor.change("loss"),
        )

    def restart(self) -> None:
        """Test anew from here."""
        for monitor in self._monitors:
            monitor.restart(["loss"])

    def to_bytes(self) -> bytes:
        """Return the state; `restore` takes it back."""
        return msgspec.msgpack.encode((self._rows, [m.to_bytes() for m in self._monitors]))

    def restore(self, content: bytes) -> None:
        """Take up the state of `to_bytes`.

        Raises
        ------
        StoreError
            If the bytes are damaged or belong to another reference.
        """
        rows, states = decode_state(content, tuple[int, list[bytes]])
        if len(states) != self.bins:
            raise StoreError(
                "The monitors' saved state has other bins of the score",
                seen=len(states),
                remedy="Remove it: the monitors then start anew.",
            )
        self._rows = rows
        for monitor, state in zip(self._monitors, states, strict=True):
            monitor.restore(state)


def _alone(sketch: NumberSketch) -> Profile:
    return Profile(rows=sketch.rows, columns={"loss": sketch})
