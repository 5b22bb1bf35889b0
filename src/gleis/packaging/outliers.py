"""Outlier scores of rows, in microseconds: numpy and look-ups, nothing else in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gleis.contracts.outliers import MahalanobisOutliers, OutlierModel
from gleis.packaging.coded import Coded
from gleis.packaging.lines import places_among

if TYPE_CHECKING:
    from numpy.typing import NDArray


class OutlierScorer(Protocol):
    """Scores rows: the higher, the stranger."""

    threshold: float
    """A row with a higher score is an outlier."""

    def score(
        self, columns: Mapping[str, Sequence[Any]], numbers: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Score rows.

        Parameters
        ----------
        columns : mapping of str to sequence, each (n_rows,)
            The contract's features; None or NaN is missing.
        numbers : ndarray of float64, (n_numeric, n_rows), optional
            Those of ``numeric`` as a matrix, NaN where missing, if it was made already.

        Returns
        -------
        ndarray of float64, (n_rows,)
        """
        ...


def outlier_scorer(model: OutlierModel, numeric: Sequence[str] = ()) -> OutlierScorer:
    """Return what scores rows for a model; another method is entered here.

    Parameters
    ----------
    model : OutlierModel
    numeric : sequence of str
        Names of the rows of the matrix that ``score`` may be handed.
    """
    return MahalanobisScorer(model, numeric)


class MahalanobisScorer:
    """Half the squared Mahalanobis distance of the numbers plus the categories' surprise.

    Parameters
    ----------
    model : MahalanobisOutliers
    numeric : sequence of str
        See ``outlier_scorer``.

    References
    ----------
    .. [1] Mahalanobis (1936). On the generalised distance in statistics. Proceedings of the
       National Institute of Sciences of India 2(1), 49-55.
    .. [2] Shannon (1948). A mathematical theory of communication. Bell System Technical Journal
       27(3), 379-423, section 6 (surprise of a value, ``-log p``).

    Examples
    --------
    >>> model = MahalanobisOutliers(
    ...     numbers=("temp",),
    ...     mean=(10.0,),
    ...     scale=(2.0,),
    ...     whiten=((1.0,),),
    ...     surprise={"origin": {"JFK": 0.5, "EWR": 1.0}},
    ...     unseen={"origin": 9.0},
    ...     missing={"origin": 9.0},
    ...     threshold=8.0,
    ...     rate=0.001,
    ... )
    >>> scorer = MahalanobisScorer(model)
    >>> scorer.score({"temp": [10.0, 16.0, None], "origin": ["JFK", "EWR", "BOS"]})
    array([0.5, 5.5, 9. ])
    """

    def __init__(self, model: MahalanobisOutliers, numeric: Sequence[str] = ()) -> None:
        self.model = model
        self._places = places_among(model.numbers, numeric)
        self.threshold = model.threshold
        self._names = model.numbers
        self._mean = np.array(model.mean, dtype=np.float64)[:, None]
        kept = len(model.whiten[0]) if model.whiten else 0
        whiten = np.array(model.whiten, dtype=np.float64).reshape(len(model.numbers), kept)
        # One product instead of a division and two: standardise, whiten, and the half of d**2 / 2.
        scale = np.array(model.scale, dtype=np.float64)[:, None]
        self._project = np.ascontiguousarray((whiten / scale).T * np.sqrt(0.5))
        self._look_up: list[tuple[str, dict[Any, float], float]] = [
            (name, _with_missing(known, model.missing[name]), model.unseen[name])
            for name, known in model.surprise.items()
        ]

    def score(
        self, columns: Mapping[str, Sequence[Any]], numbers: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Score rows; see ``OutlierScorer``."""
        if numbers is None or self._places is None:
            numbers = np.array([columns[name] for name in self._names], dtype=np.float64)
        else:
            numbers = numbers[self._places]
        count = len(next(iter(columns.values())))
        scores = np.zeros(count)
        if len(self._names):
            centred = numbers - self._mean
            centred[np.isnan(centred)] = 0.0
            projected = self._project @ centred
            scores += np.einsum("ij,ij->j", projected, projected)
        for name, known, unseen in self._look_up:
            get, values = known.get, columns[name]
            if isinstance(values, Coded):
                scores += values.look_up(get, default=unseen)
            else:
                scores += [get(value, unseen) for value in values]
        return scores


def _with_missing(known: Mapping[Any, float], missing: float) -> dict[Any, float]:
    found = dict(known)
    found[None] = missing
    return found
