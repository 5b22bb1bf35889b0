"""How late labels come: quantiles from a sketch of fixed relative accuracy."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from gleis.monitoring.labels.maturity import Stamps

_GAMMA = 1.02 / 0.98
"""Bins grow by this factor: a quantile is known to 2% of itself."""
_LONGEST = 1e9


class Delays(msgspec.Struct, kw_only=True):
    """Seconds between an event and its label, in bins of equal relative width.

    Delays of under a second, and labels known before their event, are in bin 0; there are at most
    520 bins. Two sketches merge by addition.

    References
    ----------
    .. [1] Masson, Rim, Lee (2019). DDSketch: a fast and fully-mergeable quantile sketch with
       relative-error guarantees. VLDB 12(12), section 2.1, with relative accuracy 0.02.

    Examples
    --------
    >>> delays = Delays()
    >>> delays.see(np.arange(1.0, 1001.0))
    >>> 490 < delays.quantile(0.5) < 510, 930 < delays.quantile(0.95) < 970
    (True, True)
    """

    counts: dict[int, int] = {}

    @property
    def rows(self) -> int:
        """Delays seen."""
        return sum(self.counts.values())

    def see(self, seconds: Stamps) -> None:
        """Add delays, (n_rows,)."""
        held = np.clip(seconds, 1.0, _LONGEST)
        bins = np.ceil(np.log(held) / math.log(_GAMMA)).astype(np.int64)
        for number, rows in zip(*np.unique(bins, return_counts=True), strict=True):
            self.counts[int(number)] = self.counts.get(int(number), 0) + int(rows)

    def merge(self, other: Delays) -> Delays:
        """Return both together."""
        merged = dict(self.counts)
        for number, rows in other.counts.items():
            merged[number] = merged.get(number, 0) + rows
        return Delays(counts=merged)

    def quantile(self, q: float) -> float:
        """Return a quantile in seconds; NaN before the first delay."""
        wanted, passed = q * (self.rows - 1), 0
        for number in sorted(self.counts):
            passed += self.counts[number]
            if passed > wanted:
                return 0.0 if number == 0 else 2 * _GAMMA**number / (_GAMMA + 1)
        return math.nan


def span_text(seconds: float) -> str:
    """Write a length of time.

    Examples
    --------
    >>> [span_text(s) for s in (0.0, 90.0, 21_600.0, 2_000_000.0)]
    ['0 s', '90 s', '6.0 h', '23.1 d']
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} d"
