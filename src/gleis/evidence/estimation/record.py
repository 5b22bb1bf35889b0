"""Whether estimates were right, once labels came; and whether they are believed."""

from __future__ import annotations

import math
from datetime import datetime

import msgspec

CLAIM = 0.05
"""Share of estimates that may miss the truth: they come with 95% intervals."""
DOUBT = 1 / 20
"""Probability that an estimator which keeps its claim is disbelieved, ever."""
_SHARES = (0.15, 0.3, 0.6, 1.0)
"""Shares of misses that are bet on."""
_KEPT = 60


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate of a stretch, and what its labels said."""

    start: datetime
    until: datetime
    rows: int
    """Labelled rows."""
    estimated: float
    low: float
    high: float
    realised: float

    @property
    def held(self) -> bool:
        """Whether the truth lay in the interval."""
        return self.low <= self.realised <= self.high


class Record(msgspec.Struct, frozen=True, kw_only=True):
    r"""All checks of an estimator, one after another.

    Each estimate claims to hold the truth with 95%. An e-process bets that misses are more frequent
    than 1 in 20: a miss multiplies a bet on the share :math:`q` by :math:`q / 0.05`, a hit by
    :math:`(1 - q) / 0.95`; their mean over four :math:`q` is the evidence. Of an estimator that
    keeps its claim it ever reaches 20 with a probability of at most 1/20, however many checks there
    are and however they hang together. From then on it is not believed.

    References
    ----------
    Ville, J. (1939). Etude critique de la notion de collectif, theorem 1. Ramdas, A. et al. (2023).
    Game-theoretic statistics and safe anytime-valid inference. Statistical Science 38, section 3.

    Examples
    --------
    >>> from datetime import UTC
    >>> day = datetime(2013, 4, 1, tzinfo=UTC)
    >>> miss = Check(start=day, until=day, rows=9, estimated=0.5, low=0.4, high=0.6, realised=0.7)
    >>> Record().add(miss).believed, Record().add(miss).add(miss).believed
    (True, False)
    """

    checked: int = 0
    held: int = 0
    refuted: datetime | None = None
    """Since when it is not believed."""
    latest: tuple[Check, ...] = ()
    """The last 60, oldest first."""

    @property
    def believed(self) -> bool:
        """False once misses are surely more frequent than claimed."""
        return self.refuted is None

    @property
    def evidence(self) -> float:
        """log10 of the evidence that misses are more frequent than claimed."""
        missed = self.checked - self.held
        bets = [
            missed * math.log10(q / CLAIM)
            + (self.held * math.log10((1 - q) / (1 - CLAIM)) if q < 1 else 0.0)
            for q in _SHARES
            if q < 1 or self.held == 0
        ]
        top = max(bets)
        return top + math.log10(sum(10 ** (bet - top) for bet in bets) / len(_SHARES))

    def add(self, check: Check) -> Record:
        """Return the record with one more check."""
        grown = msgspec.structs.replace(
            self,
            checked=self.checked + 1,
            held=self.held + check.held,
            latest=(*self.latest, check)[-_KEPT:],
        )
        if grown.believed and grown.evidence >= -math.log10(DOUBT):
            return msgspec.structs.replace(grown, refuted=check.until)
        return grown
