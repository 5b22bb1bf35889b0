"""An isolation forest that answers row by row from its arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gleis.contracts.errors import PackageError
from gleis.contracts.outliers import ForestOutliers, Strangeness
from gleis.packaging.compiled.form import Trees
from gleis.packaging.compiled.grove import Tree, lay_out
from gleis.packaging.compiled.symbols import Number, Step, feature_arrays
from gleis.packaging.outliers.kernel_scorer import KernelScorer
from gleis.packaging.outliers.rarity import Rarity, strangest

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ARRAYS = {
    "feature": "<i2",
    "cut": "<f4",
    "left": "<u2",
    "right": "<u2",
    "missing_left": "u1",
}


class ForestScorer:
    """``2 ** (-E(h) / c(n))`` of the mean path length ``h``: near 1 strange, below 0.5 usual.

    Equal to minus scikit-learn's ``score_samples``.

    Parameters
    ----------
    model : ForestOutliers
    numeric : sequence of str
        See ``outlier_scorer``.
    kernel : {"native", "plain"}, optional
        See ``KernelScorer``.

    Raises
    ------
    PackageError
        The forest's arrays do not fit together.

    References
    ----------
    .. [1] Liu, Ting and Zhou (2008). Isolation Forest. ICDM, 413-422, equations 1 and 2.
    """

    def __init__(
        self,
        model: ForestOutliers,
        numeric: Sequence[str] = (),
        kernel: Literal["native", "plain"] | None = None,
    ) -> None:
        self.model = model
        self.threshold = model.threshold
        self._rarity = Rarity(model)
        width = len(model.numbers) + len(self._rarity.names)
        features = [Number(place, (Step("float32"),)) for place in range(width)]
        arrays = lay_out(_trees(model)) | feature_arrays(features, ()) | {"init": np.zeros(1)}
        node = Trees(id="0", outputs=1)
        self._kernel = KernelScorer(model.numbers, self._rarity, node, arrays, numeric, kernel)
        self._longest = len(model.sizes) * float(_average_path(np.array([model.samples]))[0])
        usual = [min(known.values()) for _, known, _ in self._rarity.look_up]
        self._usual = np.array([*model.usual, *usual])

    def score(
        self, columns: Mapping[str, Sequence[Any]], numbers: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Score rows; see ``OutlierScorer``."""
        return self._scores(self._kernel.sums(columns, numbers))

    def explain(self, row: Mapping[str, Any]) -> list[Strangeness]:
        """Say by how much the score would fall if one feature alone were as usual.

        Of a number that is the median of training, of a category its most common value.
        """
        here = self._kernel.inputs(row)
        changed = np.tile(here, (len(here) + 1, 1))
        np.fill_diagonal(changed, self._usual)
        scores = self._scores(self._kernel.sums_of(changed))
        falls = (scores[-1] - scores[:-1]).tolist()
        found = [
            Strangeness(
                feature=name,
                value=row[name],
                adds=max(0.0, fall),
                usual=f"{usual:,.4g} in the middle",
            )
            for name, fall, usual in zip(self.model.numbers, falls, self.model.usual, strict=False)
        ]
        for name, fall in zip(self._rarity.names, falls[len(self.model.numbers) :], strict=True):
            rare = self._rarity.explain(name, row[name])
            found.append(
                Strangeness(feature=name, value=row[name], adds=max(0.0, fall), usual=rare.usual)
            )
        return strangest(found)

    def _scores(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._longest == 0.0:  # grown on a single row
            return np.full(len(sums), 0.5)
        found: NDArray[np.float64] = np.exp2(-sums / self._longest)
        return found


def _trees(model: ForestOutliers) -> list[Tree]:
    arrays = {name: _array(model, name) for name in _ARRAYS}
    ends = np.cumsum(model.sizes)
    if any(len(array) != ends[-1] for array in arrays.values()) or min(model.sizes) < 1:
        raise _broken("sizes")
    return [
        _tree({name: array[end - size : end] for name, array in arrays.items()})
        for size, end in zip(model.sizes, ends.tolist(), strict=True)
    ]


def _tree(arrays: Mapping[str, NDArray[Any]]) -> Tree:
    """Return a tree whose leaves hold the path length; a walk down it ends."""
    leaf = arrays["feature"] < 0
    here = np.arange(len(leaf))
    left, right = (arrays[name].astype(np.int64) for name in ("left", "right"))
    inner = ~leaf
    children = np.concatenate([left[inner], right[inner]])
    if len(np.unique(children)) != len(leaf) - 1 or children.max(initial=0) >= len(leaf):
        raise _broken("left")
    if (left[inner] <= here[inner]).any() or (right[inner] <= here[inner]).any():
        raise _broken("right")
    depth = np.zeros(len(leaf))
    for node in np.flatnonzero(inner).tolist():  # parents come before their children
        depth[left[node]] = depth[right[node]] = depth[node] + 1
    # As scikit-learn adds them: nodes of the path, what the rows of the leaf stand for, minus one.
    length = depth + 1.0 + _average_path(np.where(leaf, right, 1)) - 1.0
    return Tree(
        feature=arrays["feature"].astype(np.int64),
        threshold=arrays["cut"].astype(np.float64),
        left=np.where(leaf, -1, left),
        right=np.where(leaf, -1, right),
        default_left=arrays["missing_left"] == 1,
        value=np.where(leaf, length, 0.0)[:, None],
        cover=np.where(leaf, right, 0).astype(np.float64),
    )


def _average_path(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean path length of an unsuccessful search among so many rows: equation 1."""
    n = np.maximum(rows, 3).astype(np.float64)
    many = 2.0 * (np.log(n - 1.0) + np.euler_gamma) - 2.0 * (n - 1.0) / n
    return np.where(rows <= 1, 0.0, np.where(rows == 2, 1.0, many))


def _array(model: ForestOutliers, name: str) -> NDArray[Any]:
    try:
        return np.frombuffer(getattr(model, name), dtype=_ARRAYS[name])
    except ValueError as error:
        raise _broken(name) from error


def _broken(name: str) -> PackageError:
    return PackageError(
        "The isolation forest of the package is not whole",
        seen=name,
        remedy="Do not load it; build the package again with gleis run.",
        field="outliers.json",
    )
