"""Performance from labels as they arrive, against what the evidence promised."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from gleis.contracts.contract import Task
from gleis.contracts.errors import StoreError
from gleis.contracts.profile import LossByScore, NumberSketch, Profile, SeasonCounts
from gleis.evidence.losses import row_loss
from gleis.evidence.measure import measure
from gleis.evidence.score_places import score_places
from gleis.monitoring.drift import Change, DriftMonitor
from gleis.monitoring.effect import CAUTION
from gleis.monitoring.labelled import Labelled
from gleis.monitoring.packing import decode_state
from gleis.monitoring.score_bins import Risen, ScoreBins

WINDOW = 2000
"""Labelled rows behind the live figures."""


class _State(msgspec.Struct, frozen=True):
    monitor: bytes
    window: Labelled
    bins: bytes | None = None


class PerformanceMonitor:
    """Tests whether the loss per row has risen, and keeps live figures.

    The same martingale as for drift, on the losses' ranks among the test rows' losses, betting on
    larger losses only: a model that got better raises no alarm. The same again among answers of
    about the same score (`ScoreBins`), where a change that concerns few of them stands out; all
    rows get half of the false-alarm rate, the bins together the other half.

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
    by_score : LossByScore, optional
        The losses apart by score.
    within_scores : bool
        Whether a label comes depends on the score: only answers of about the same score are then
        compared, and all rows together, whose scores are not those of the test rows, say nothing.

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
        by_score: LossByScore | None = None,
        within_scores: bool = False,
    ) -> None:
        self._task: Task = task
        self._reference = Profile(rows=loss.rows, columns={"loss": loss})
        self._expected = loss.mean
        self._monitor = DriftMonitor(self._reference, seed, "higher", block, season)
        seeds = (seed,) if isinstance(seed, int) else tuple(seed)
        self._bins = None if by_score is None else ScoreBins(by_score, (*seeds, 1), block)
        self._within = within_scores and self._bins is not None
        self._window = Labelled([], [], [], [])

    @property
    def rows(self) -> int:
        """Labelled rows tested."""
        return self._monitor.rows

    @property
    def evidence(self) -> float:
        """log10 of the e-value against "the loss has not risen"."""
        return max(self._of_all, self._of_bins)

    @property
    def _of_all(self) -> float:
        if self._within:
            return -math.inf
        return self._monitor.combined - (math.log10(2) if self._bins is not None else 0.0)

    @property
    def _of_bins(self) -> float:
        if self._bins is None:
            return -math.inf
        return self._bins.evidence - math.log10((1 if self._within else 2) * self._bins.bins)

    def _risen(self) -> Risen | None:
        """Return the bin that shows the rise, if it shows it better than all rows do."""
        return self._bins.risen() if self._bins and self._of_bins > self._of_all else None

    def update(self, labelled: Labelled) -> None:
        """See labelled rows in the order in which the labels came.

        Raises
        ------
        DataError
            If targets or scores cannot be measured; nothing is changed then.
        """
        if labelled.ids:
            targets, scores = labelled.arrays(self._task)
            losses = row_loss(targets, scores, self._task)
            self._monitor.update({"loss": losses}, labelled.times)
            if self._bins is not None:
                self._bins.update(score_places(scores), losses, labelled.times)
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
        together with 200 rows that did not rise, as `cautious_psi` does. Where it shows in a bin of
        scores, that bin's rise times its share of the rows.
        """
        risen, change = self._risen(), self.change()
        if not change.rows or math.isnan(change.mean):
            return 0.0
        before, share = (risen.before, risen.share) if risen else (self._expected, 1.0)
        rows = self.rows_since()
        return share * (change.mean - before) * rows / (rows + CAUTION)

    def rows_since(self) -> int:
        """Return how many labelled rows, of all scores, came since the likeliest change; about."""
        risen = self._risen()
        if risen is None or not risen.share:
            return self.change().rows
        return round(risen.change.rows / risen.share)

    def change(self) -> Change:
        """Return what is known about the loss's likeliest change."""
        risen = self._risen()
        return self._monitor.change("loss") if risen is None else risen.change

    def since(self) -> datetime | None:
        """Return the event time of the first row after the likeliest change."""
        return self.change().since

    def words(self) -> str:
        """Say how far the loss rose: ``mean 0.51 -> 0.58``; and where, if it shows there."""
        risen = self._risen()
        if risen is None:
            return f"mean {self._expected:.4g} -> {self.change().mean:.4g}"
        where = _where(risen)
        return f"mean {risen.before:.4g} -> {risen.change.mean:.4g} where the score is {where}"

    def restart(self) -> None:
        """Test anew from here; the losses seen so far join the reference's ranks."""
        self._monitor.restart(["loss"])
        if self._bins is not None:
            self._bins.restart()

    def to_bytes(self) -> bytes:
        """Return the state; `restore` goes on from it exactly."""
        bins = self._bins.to_bytes() if self._bins is not None else None
        return msgspec.msgpack.encode(_State(self._monitor.to_bytes(), self._window, bins))

    def restore(self, content: bytes) -> None:
        """Take up the state of `to_bytes`, of a monitor made with the same arguments.

        Raises
        ------
        StoreError
            If the bytes are damaged or belong to another reference.
        """
        state = decode_state(content, _State)
        if (self._bins is None) != (state.bins is None):
            raise StoreError(
                "The monitors' saved state belongs to another reference",
                remedy="Remove it: the monitors then start anew.",
            )
        self._monitor.restore(state.monitor)
        if self._bins is not None and state.bins is not None:
            self._bins.restore(state.bins)
        self._window = state.window


def _where(risen: Risen) -> str:
    if math.isinf(risen.low):
        return f"at most {risen.high:.3g}"
    if math.isinf(risen.high):
        return f"above {risen.low:.3g}"
    return f"from {risen.low:.3g} to {risen.high:.3g}"
