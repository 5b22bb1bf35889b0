"""The Mahalanobis distance of numbers and the surprise of categories, in microseconds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gleis.contracts.outliers import MahalanobisOutliers, Strangeness
from gleis.packaging.coded import Coded
from gleis.packaging.lines import places_among
from gleis.packaging.outliers.rarity import Rarity, names_of, strangest

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = float(np.finfo(np.float64).max)


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
        self._rarity = Rarity(model)
        self._look_up = self._rarity.look_up

    def score(
        self, columns: Mapping[str, Sequence[Any]], numbers: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Score rows; see ``OutlierScorer``."""
        if numbers is None or self._places is None:
            numbers = np.array([columns[name] for name in self._names], dtype=np.float64)
        else:
            numbers = numbers[self._places]
        count = len(next(iter(columns.values())))
        if len(self._names):
            centred = numbers - self._mean
            centred[np.isnan(centred)] = 0.0
            projected = self._project @ centred
            scores: NDArray[np.float64] = np.einsum("ij,ij->j", projected, projected)
        else:
            scores = np.zeros(count)
        if count == 1:
            return self._one(float(scores[0]), columns)
        for name, known, unseen in self._look_up:
            get, values = known.get, columns[name]
            if isinstance(values, Coded):
                scores += values.look_up(get, default=unseen)
            else:
                scores += [get(value, unseen) for value in values]
        if not scores.dot(scores) < math.inf:  # numbers so far out that their squares overflow
            scores = np.nan_to_num(scores, nan=_MOST, posinf=_MOST)
        return scores

    def _one(self, score: float, columns: Mapping[str, Sequence[Any]]) -> NDArray[np.float64]:
        """Add the categories of a single row: the same sum without arrays."""
        for name, known, unseen in self._look_up:
            score += known.get(columns[name][0], unseen)
        return np.array((score if score < math.inf else _MOST,))

    def explain(self, row: Mapping[str, Any]) -> list[Strangeness]:
        """Say by how much the score would fall if one number were as the others let expect.

        Of a number, ``(P z)_i ** 2 / (2 P_ii)`` with ``P`` the inverse of the correlations: that
        is what its distance from its conditional mean adds. Of a category, how much more
        surprising its value is than the most common one.
        """
        found = [self._rarity.explain(name, row[name]) for name in self._rarity.names]
        if self._names:
            found += self._numbers(row)
        return strangest(found)

    def _numbers(self, row: Mapping[str, Any]) -> list[Strangeness]:
        model = self.model
        whiten = np.array(model.whiten, dtype=np.float64).reshape(len(model.numbers), -1)
        inverse = whiten @ whiten.T
        own = np.maximum(np.diagonal(inverse), np.finfo(np.float64).tiny)
        values = names_of(row, model.numbers)
        standard = np.nan_to_num((values - model.mean) / model.scale, nan=0.0)
        pull = inverse @ standard
        middle = (standard - pull / own) * model.scale + model.mean
        spread = np.asarray(model.scale) / np.sqrt(own)
        adds = np.where(np.isnan(values), 0.0, pull**2 / own / 2.0)
        return [
            Strangeness(
                feature=name,
                value=row[name],
                adds=float(more),
                usual=self._usual(place, float(middle[place]), 2.0 * float(spread[place])),
            )
            for place, (name, more) in enumerate(zip(model.numbers, adds, strict=True))
        ]

    def _usual(self, place: int, middle: float, half: float) -> str:
        """Say where a number would be expected; no further out than training went."""
        low, high = middle - half, middle + half
        if self.model.low:
            least, most = self.model.low[place], self.model.high[place]
            if high <= least:
                return f"about {least:,.4g}, the least of training, given its other numbers"
            if low >= most:
                return f"about {most:,.4g}, the most of training, given its other numbers"
            low, high = max(low, least), min(high, most)
        return f"{low:,.4g} to {high:,.4g} given its other numbers"
