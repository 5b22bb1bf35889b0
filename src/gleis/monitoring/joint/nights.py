"""A comparison that is made night after night, with one false-alarm probability for all."""

from __future__ import annotations

import math
from datetime import datetime

import msgspec
import numpy as np

from gleis.monitoring.joint.compare import Told
from gleis.monitoring.martingale import Martingale
from gleis.monitoring.packing import decode_state, pack, unpack
from gleis.monitoring.promise import Trial, start_trial


class _State(msgspec.Struct, frozen=True):
    martingale: bytes
    trial: Trial
    nights: int
    auc: float
    alarmed: bool


class JointMonitor:
    """Bets, a night a step, that the rows of then and of now go together differently.

    Where nothing changed, each night's p-value is (nearly) uniform whatever the nights before
    brought, as its rows of then and of now are fresh and what they are told apart by was learned
    before. A `Martingale` bets on small ones: its capital ever reaches ``1 / alpha`` with
    probability at most ``alpha``.

    Parameters
    ----------
    trial : Trial
        The test run and its account.

    Examples
    --------
    >>> from datetime import UTC
    >>> from gleis.monitoring.promise import make_promise
    >>> at = datetime(2013, 4, 1, tzinfo=UTC)
    >>> monitor = JointMonitor(start_trial(make_promise("1 per year", at), at))
    >>> for _ in range(6):
    ...     monitor.update(Told(p_value=1e-9, auc=0.7, pair=(0, 1), before=0.6, after=-0.2))
    >>> monitor.alarms
    True
    """

    def __init__(self, trial: Trial) -> None:
        self._martingale = Martingale(1, "higher", blocks=True)
        self.trial = trial
        self.nights = 0
        """Nights compared."""
        self.auc = 0.5
        """Of the last one."""
        self._alarmed = False

    @property
    def evidence(self) -> float:
        """log10 of the e-value against "nothing changed"."""
        return float(self._martingale.log_capital()[0]) / math.log(10)

    @property
    def alarms(self) -> bool:
        """True if the evidence suffices and nobody was told yet."""
        return not self._alarmed and self.evidence >= self.trial.threshold

    def update(self, told: Told) -> None:
        """See what a night's comparison told."""
        self._martingale.update(np.array([[1.0 - told.p_value]]))
        self.nights += 1
        self.auc = told.auc

    def tell(self, now: datetime) -> None:
        """Note that somebody is told; the account is charged with a new run."""
        self._alarmed = True
        self.trial = start_trial(self.trial.promise, now)

    def to_bytes(self) -> bytes:
        """Return the state; `from_bytes` goes on from it exactly."""
        content = pack(self._martingale.arrays())
        state = _State(content, self.trial, self.nights, self.auc, self._alarmed)
        return msgspec.msgpack.encode(state)

    @classmethod
    def from_bytes(cls, content: bytes) -> JointMonitor:
        """Restore a monitor.

        Raises
        ------
        StoreError
            If the bytes are damaged.
        """
        state = decode_state(content, _State)
        monitor = cls(state.trial)
        monitor._martingale.restore(unpack(state.martingale))
        monitor.nights, monitor.auc, monitor._alarmed = state.nights, state.auc, state.alarmed
        return monitor
