"""Many tests at once: how many of those called changed are called so falsely."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gleis.monitoring.windows.grid import Floats


def adjust(p_values: Sequence[float] | Floats) -> Floats:
    """Return p-values adjusted for the false discovery rate under any dependence.

    Calling changed what is at most ``q`` keeps the expected share of false calls at ``q``,
    however the columns hang together.

    Parameters
    ----------
    p_values : sequence of float, (n_tests,)
        NaN stays NaN and is no test.

    References
    ----------
    Benjamini, Y. and Yekutieli, D. (2001). The control of the false discovery rate in multiple
    testing under dependency. Ann. Statist. 29, theorem 1.3.

    Examples
    --------
    >>> adjust([0.001, 0.5]).round(4).tolist()
    [0.003, 0.75]
    """
    given = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(len(given), np.nan)
    known = np.flatnonzero(~np.isnan(given))
    if not len(known):
        return adjusted
    order = known[np.argsort(given[known], kind="stable")]
    n = len(order)
    ranks = np.arange(1, n + 1)
    raised = given[order] * n * (1.0 / ranks).sum() / ranks
    adjusted[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return adjusted
