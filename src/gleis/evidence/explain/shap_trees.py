"""Exact Shapley values of sums of trees, in polynomial time."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.explain.forest import Edges, Forest, read_edges
from gleis.evidence.explain.shap_native import NativeShap, library
from gleis.evidence.explain.shap_plain import PlainShap

Array = NDArray[Any]


class TreeShap:
    r"""Path-dependent Shapley values: an unknown feature is decided by the training weights below.

    For a leaf with value :math:`v` and players :math:`1..m` on its way, let :math:`o_i` be 1 if
    the row turns there as the way does, else 0, and :math:`z_i` the share of training weight that
    does. Its part of the game is :math:`v \prod_{i \in S} o_i \prod_{i \notin S} z_i`, of
    which player :math:`j` gets

    .. math:: v (o_j - z_j) \int_0^1 \prod_{i \ne j} (o_i t + z_i (1 - t)) dt

    (Owen's multilinear extension). The integrand is a polynomial of degree :math:`m - 1`, so
    Gauss-Legendre quadrature with :math:`\lceil m / 2 \rceil` points is exact; all terms are
    positive, so nothing cancels.

    Parameters
    ----------
    forest : Forest
    kernel : {"native", "plain"}, optional
        Default: the one in C where it was built. Both give the same figures, but for the last
        digits.

    References
    ----------
    Lundberg, S. M. et al. (2020). From local explanations to global understanding with explainable
    AI for trees. Nature Machine Intelligence 2, 56-67, algorithm 1 (the game).
    Owen, G. (1972). Multilinear extensions of games. Management Science 18, 64-79: the Shapley
    value as an integral along the diagonal.

    Examples
    --------
    One split: rows with ``x0`` at most 0 go left, as half of the training rows did.

    >>> forest = Forest(
    ...     feature=np.array([0, 0, 0]), threshold=np.array([0.0, np.inf, np.inf]),
    ...     default_left=np.ones(3, bool), kind=np.zeros(3, int), at=np.zeros(3, int),
    ...     size=np.zeros(3, int), bits=np.zeros(0, np.uint32),
    ...     left=np.array([1, 1, 2]), right=np.array([2, 1, 2]),
    ...     value=np.array([[0.0], [10.0], [20.0]]), cover=np.array([4.0, 2.0, 2.0]),
    ...     roots=np.array([0]), target=np.array([0]), n_features=1, n_outputs=1,
    ... )
    >>> shap = TreeShap(forest)
    >>> shap.base.tolist(), shap.values(np.array([[-3.0], [7.0]])).ravel().tolist()
    ([15.0], [-5.0, 5.0])
    """

    def __init__(self, forest: Forest, kernel: Literal["native", "plain"] | None = None) -> None:
        edges = read_edges(forest)
        native = kernel == "native" or (kernel is None and library() is not None)
        self._kernel: NativeShap | PlainShap = (
            NativeShap(forest, edges) if native else PlainShap(forest)
        )
        self.base: NDArray[np.float64] = _base(forest, edges)
        """(n_outputs,) sums where nothing is known: the mean over training weights."""

    def values(self, x: Array) -> NDArray[np.float64]:
        """Return what each feature adds to the sums.

        Parameters
        ----------
        x : ndarray, (n_rows, n_features)
            Codes for categories, NaN for what is missing.

        Returns
        -------
        ndarray, (n_rows, n_features, n_outputs)
            With ``base`` a row adds up to the sums of the leaves it reaches.
        """
        return self._kernel.values(x)


def _base(forest: Forest, edges: Edges) -> Array:
    leaves = np.flatnonzero((forest.left == np.arange(len(forest.left))) & (edges.level >= 0))
    reached = edges.reached[leaves, None] * np.asarray(forest.value, dtype=np.float64)[leaves]
    place = forest.target[edges.tree[leaves], None] + np.arange(reached.shape[1])
    return np.bincount(place.ravel(), reached.ravel(), forest.n_outputs)
