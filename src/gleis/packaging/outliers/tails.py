"""ECOD: how far out in the tails of each column a row is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gleis.contracts.errors import PackageError
from gleis.contracts.outliers import EcodOutliers, Strangeness, Tail
from gleis.packaging.compiled.form import Linear
from gleis.packaging.compiled.symbols import Number, Step, feature_arrays
from gleis.packaging.outliers.kernel_scorer import KernelScorer
from gleis.packaging.outliers.rarity import Rarity, number_of, strangest

if TYPE_CHECKING:
    from numpy.typing import NDArray


class EcodScorer:
    """The sum over columns of ``-log`` of a number's tail, and of a category's ``-log p``.

    A new value counts as one more row: of ``n`` values of training, ``k`` of them not above ``x``,
    the left tail is ``(k + 1) / (n + 1)``, and the right one likewise. The smaller tail counts;
    of a column whose skewness is exactly 0 both do, as in the authors' implementation. A row scores
    as theirs scores it when it is asked about this row alone.

    Parameters
    ----------
    model : EcodOutliers
    numeric : sequence of str
        See ``outlier_scorer``.
    kernel : {"native", "plain"}, optional
        See ``KernelScorer``.

    Raises
    ------
    PackageError
        The arrays do not fit together.

    References
    ----------
    .. [1] Li, Zhao, Hu, Botta, Ionescu and Chen (2022). ECOD: Unsupervised Outlier Detection Using
       Empirical Cumulative Distribution Functions. IEEE TKDE, equations 3 to 6. The authors'
       implementation, PyOD, takes the larger of the tails in each column, the paper the larger
       sum; this is PyOD's.
    """

    def __init__(
        self,
        model: EcodOutliers,
        numeric: Sequence[str] = (),
        kernel: Literal["native", "plain"] | None = None,
    ) -> None:
        self.model = model
        self.threshold = model.threshold
        self._rarity = Rarity(model)
        self._tails = {name: _Curve(name, tail) for name, tail in model.tails.items()}
        steps = [curve.steps for curve in self._tails.values()] + [()] * len(self._rarity.names)
        features = [Number(place, some) for place, some in enumerate(steps)]
        arrays = feature_arrays(features, ()) | {
            "coef": np.ones((1, len(features))),
            "init": np.zeros(1),
        }
        node = Linear(id="0", outputs=1)
        names = tuple(self._tails)
        self._kernel = KernelScorer(names, self._rarity, node, arrays, numeric, kernel)

    def score(
        self, columns: Mapping[str, Sequence[Any]], numbers: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Score rows; see ``OutlierScorer``."""
        return self._kernel.sums(columns, numbers)

    def explain(self, row: Mapping[str, Any]) -> list[Strangeness]:
        """Say what each column adds to the score beyond what its least strange value adds."""
        found = [curve.explain(row[name]) for name, curve in self._tails.items()]
        found += [self._rarity.explain(name, row[name]) for name in self._rarity.names]
        return strangest(found)


class _Curve:
    """What a number adds to the score, between and at the values that are kept."""

    def __init__(self, name: str, tail: Tail) -> None:
        self._name, self._tail = name, tail
        try:
            self._values = np.frombuffer(tail.values, "<f8")
            self._below = np.frombuffer(tail.below, "<i4").astype(np.float64)
            self._upto = np.frombuffer(tail.upto, "<i4").astype(np.float64)
        except ValueError as error:
            raise _broken(name) from error
        if not len(self._values) == len(self._below) == len(self._upto):
            raise _broken(name)
        self._adds = self._levels()
        edges = np.empty(2 * len(self._values))
        edges[::2], edges[1::2] = self._values, np.nextafter(self._values, np.inf)
        table = (tail.missing, 0.0, *self._adds.tolist())
        self.steps = (Step("bin", table=tuple(edges.tolist())), Step("table", table=table))
        """A value's place among the kept ones and between them, then what it adds there."""

    def explain(self, value: Any) -> Strangeness:
        number, tail = number_of(value), self._tail
        if math.isnan(number):
            usual = f"missing in 1 of {math.exp(tail.missing):,.0f} rows"
            adds = max(0.0, tail.missing - math.log(2.0))
            return Strangeness(feature=self._name, value=value, adds=adds, usual=usual)
        place = int(np.searchsorted(self._values, number, side="right"))
        at = place > 0 and self._values[place - 1] == number
        adds = self._adds[2 * place - 1 if at else 2 * place] - self._adds.min()
        return Strangeness(
            feature=self._name, value=value, adds=float(adds), usual=self._usual(number, place)
        )

    def _levels(self) -> NDArray[np.float64]:
        """Return what a value adds: below all, at the first, between it and the second, ..."""
        known, (left, right) = self._tail.known, self._counts()
        far = -np.log((left + 1.0) / (known + 1.0)), -np.log((right + 1.0) / (known + 1.0))
        found: NDArray[np.float64] = far[0] + far[1] if self._tail.symmetric else np.maximum(*far)
        return np.maximum(found, 0.0)

    def _counts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how many training values are not above, and not below: (2 n_values + 1,) each."""
        size, known = 2 * len(self._values) + 1, self._tail.known
        left, right = np.empty(size), np.empty(size)
        # Between two kept values there may be others: the middle of what is possible.
        between = (np.append(0.0, self._upto) + np.append(self._below, known)) / 2.0
        left[::2], right[::2] = between, known - between
        left[1::2], right[1::2] = self._upto, known - self._below
        return left, right

    def _usual(self, number: float, place: int) -> str:
        """Say between which values nine of ten lie, and how rare one so far out is."""
        if not len(self._values):
            return "always missing"
        low, high = (
            self._values[
                min(int(np.searchsorted(self._upto, share * self._tail.known)), self._last)
            ]
            for share in (0.05, 0.95)
        )
        left, right = (counts[2 * place] for counts in self._counts())
        rare = min(left, right)
        side = "low" if left < right else "high"
        how = f"1 of {self._tail.known / rare:,.0f}" if rare >= 1 else "none"
        return f"{low:,.4g} to {high:,.4g} in 9 of 10 rows, so {side} in {how}"

    @property
    def _last(self) -> int:
        return len(self._values) - 1


def _broken(name: str) -> PackageError:
    return PackageError(
        f"The outlier model of the package is not whole: {name}",
        remedy="Do not load it; build the package again with gleis run.",
        field="outliers.json",
    )
