"""A bet that a mean is larger than claimed: the simplest test that may be read at any time."""

from __future__ import annotations

import msgspec

_CAUTION = 0.75
"""At most this part of the stake is risked on one value."""


class MeanBet(msgspec.Struct, kw_only=True):
    """Tests "the conditional mean of each value is at most ``claimed``" by betting against it.

    The capital starts at one and is multiplied by ``1 + bet * (x - claimed)``. Under the claim it
    is a supermartingale whatever the values' distribution and dependence, so that it ever reaches
    ``1 / alpha`` with probability at most ``alpha`` (Ville), however often one looks. The bet is
    fixed before its value is seen: the approximate growth-rate-adaptive one.

    Parameters
    ----------
    claimed : float
        Between 0 and 1, excluded; values lie in [0, 1].

    References
    ----------
    .. [1] Waudby-Smith, Ramdas (2024). Estimating means of bounded random variables by betting.
       J. R. Statist. Soc. B 86(1), Theorem 3 (capital process) and section B.3 (aGRAPA bets).

    Examples
    --------
    >>> bet = MeanBet(claimed=0.5)
    >>> for _ in range(20):
    ...     bet.update(1.0)
    >>> bet.capital > 20
    True
    """

    claimed: float
    capital: float = 1.0
    highest: float = 1.0
    """The largest capital so far: evidence once reached counts."""
    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def update(self, value: float) -> None:
        """See one value in [0, 1]."""
        self.capital *= 1.0 + self._bet() * (value - self.claimed)
        self.highest = max(self.highest, self.capital)
        self.squares += (value - self._mean()) ** 2
        self.count += 1
        self.total += value

    def rejects(self, alpha: float) -> bool:
        """Say whether the claim is refuted at level ``alpha``, (0, 1)."""
        return self.highest * alpha >= 1.0

    def _mean(self) -> float:
        return (self.total + 0.5) / (self.count + 1)

    def _bet(self) -> float:
        """Return the bet on the next value, from the values before it alone."""
        gain = self._mean() - self.claimed
        if gain <= 0.0:
            return 0.0
        spread = (self.squares + 0.25) / (self.count + 1)
        return min(gain / (spread + gain * gain), _CAUTION / self.claimed)
