"""Learning fair representations: rows as mixtures of prototypes that do not tell the group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from gleis.evidence.mitigation.encoding import column_encoder
from gleis.evidence.mitigation.mitigator import Mitigator
from gleis.evidence.mitigation.tables import visible

_TINY = 1e-12


class Aims(NamedTuple):
    """What the three terms of the objective weigh."""

    rows: float
    """Squared distance of a row from what its prototypes make of it (``A_x``)."""
    labels: float
    """Log loss (``A_y``)."""
    groups: float
    """Mean distance of two groups' mean mixtures (``A_z``)."""


class Prototypes(BaseEstimator):  # type: ignore[misc]
    """Scores of rows by the prototypes they resemble.

    Parameters
    ----------
    places : ndarray, (n_prototypes, n_columns)
    scores : ndarray, (n_prototypes,)
        Each prototype's own score, between 0 and 1.
    scales : ndarray, (n_columns,)
        What a difference in a column weighs, 0 or more.
    classes : ndarray, (2,)
    """

    def __init__(
        self,
        places: NDArray[np.float64],
        scores: NDArray[np.float64],
        scales: NDArray[np.float64],
        classes: NDArray[Any],
    ) -> None:
        self.places = places
        self.scores = scores
        self.scales = scales
        self.classes = classes

    @property
    def classes_(self) -> NDArray[Any]:
        """Class labels, (2,)."""
        return self.classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier"
        return tags

    def fit(self, X: Any, y: Any = None) -> Prototypes:  # noqa: N803
        """Do nothing: the prototypes are given."""
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return each row's share of each prototype, (n_rows, n_prototypes)."""
        return mixtures(np.asarray(X, dtype=np.float64), self.places, self.scales)[0]

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return the score of each class, (n_rows, 2)."""
        positive = np.clip(self.transform(X) @ self.scores, 0.0, 1.0)
        return np.column_stack([1.0 - positive, positive])

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return class labels, (n_rows,)."""
        return self.classes[(self.predict_proba(X)[:, 1] > 0.5).astype(np.int64)]


def mixtures(
    rows: NDArray[np.float64], places: NDArray[np.float64], scales: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each row's share of each prototype and its distance, both (n_rows, n_prototypes).

    ``M_nk = exp(-d_nk) / sum_j exp(-d_nj)`` with ``d`` the weighted Euclidean distance.
    """
    weighted = rows * scales
    squares = (weighted * rows).sum(axis=1)[:, None] - 2.0 * weighted @ places.T
    squares += ((places * scales) * places).sum(axis=1)
    distances = np.sqrt(np.maximum(squares, 0.0))
    return softmax(-distances, axis=1), distances


class FairRepresentation(Mitigator):
    """Prototypes that keep rows and labels and lose the groups, and the scores they give.

    Minimises ``A_x L_x + A_y L_y + A_z L_z`` by L-BFGS-B with the exact gradient: the mean squared
    distance of a row from its mixture of prototypes, the log loss of ``sum_k M_nk w_k``, and the
    mean over pairs of groups and prototypes of ``|M_gk - M_hk|``, the difference of their mean
    mixtures. Numbers are scaled and text is encoded first. A model of its own: what
    ``build_model`` returns is not used. Needs the groups at the fit only.

    Parameters
    ----------
    protected, bands, hidden, strength
        As ``Mitigator`` says.
    prototypes : int
        How many.
    row_weight, label_weight, group_weight : float
        ``A_x``, ``A_y``, and ``A_z`` at full strength.
    random_state : int
        Seeds the first prototypes.

    References
    ----------
    R. Zemel, Y. Wu, K. Swersky, T. Pitassi and C. Dwork, "Learning fair representations", ICML
    2013, equations 2 to 10; the distance is Euclidean, not squared, as in Fairlearn and AIF360,
    and more than two groups are compared in pairs.
    """

    def __init__(
        self,
        *,
        protected: Sequence[str] = (),
        bands: Mapping[str, Sequence[float]] | None = None,
        hidden: Sequence[str] = (),
        strength: float = 1.0,
        prototypes: int = 10,
        row_weight: float = 0.01,
        label_weight: float = 1.0,
        group_weight: float = 50.0,
        random_state: int | None = 0,
    ) -> None:
        self.protected = protected
        self.bands = bands
        self.hidden = hidden
        self.strength = strength
        self.prototypes = prototypes
        self.row_weight = row_weight
        self.label_weight = label_weight
        self.group_weight = group_weight
        self.random_state = random_state

    def fit(self, X: Any, y: Any, groups: Any = None) -> FairRepresentation:  # noqa: N803
        """Encode the columns and find the prototypes."""
        _, codes, _ = self._find_groups(X, groups)
        shown = visible(X, self.hidden)
        classes, labels = np.unique(np.asarray(y), return_inverse=True)
        encoder = column_encoder(shown)
        matrix = np.asarray(encoder.fit_transform(shown), dtype=np.float64)
        columns, count = matrix.shape[1], self.prototypes
        random = np.random.default_rng(self.random_state)
        first = matrix[random.choice(len(matrix), size=count, replace=len(matrix) < count)]
        first = first + 0.01 * random.standard_normal(first.shape)
        start = np.concatenate([first.ravel(), random.random(count), np.ones(columns)])
        free, unit, positive = (None, None), (0.0, 1.0), (0.0, None)
        aims = Aims(self.row_weight, self.label_weight, self.group_weight * self.strength)
        found = minimize(
            objective,
            start,
            args=(matrix, labels, codes, count, aims),
            jac=True,
            method="L-BFGS-B",
            bounds=[free] * (count * columns) + [unit] * count + [positive] * columns,
            options={"maxiter": 500},
        )
        places, scores, scales = _parts(found.x, count, columns)
        self.estimator_ = Pipeline(
            [("columns", encoder), ("model", Prototypes(places, scores, scales, classes))]
        )
        return self


def objective(
    parts: NDArray[np.float64],
    rows: NDArray[np.float64],
    labels: NDArray[np.int64],
    codes: NDArray[np.int64],
    count: int,
    aims: Aims,
) -> tuple[float, NDArray[np.float64]]:
    """Return what is minimised and its gradient.

    Parameters
    ----------
    parts : ndarray, (count * n_columns + count + n_columns,)
        Prototypes row by row, their scores, the weights of the columns.
    rows : ndarray, (n_rows, n_columns)
    labels : ndarray of int, (n_rows,)
        0 or 1.
    codes : ndarray of int, (n_rows,)
        Group of each row.
    count : int
        Prototypes.
    aims : Aims
    """
    n_rows, columns = rows.shape
    places, scores, scales = _parts(parts, count, columns)
    shares, distances = mixtures(rows, places, scales)
    left = shares @ places - rows
    predicted = np.clip(shares @ scores, _TINY, 1.0 - _TINY)
    losses = -(labels * np.log(predicted) + (1 - labels) * np.log1p(-predicted))
    unlike, by_share = _group_term(shares, codes)
    value = (
        aims.rows * (left**2).sum() / n_rows + aims.labels * losses.mean() + aims.groups * unlike
    )

    by_predicted = aims.labels / n_rows * (predicted - labels) / (predicted * (1.0 - predicted))
    by_left = 2.0 * aims.rows / n_rows * left
    by_share = aims.groups * by_share + by_left @ places.T + np.outer(by_predicted, scores)
    by_distance = -shares * (by_share - (by_share * shares).sum(axis=1, keepdims=True))
    by_square = by_distance / (2.0 * np.maximum(distances, _TINY))
    drawn = by_square.sum(axis=0)[:, None] * places - by_square.T @ rows
    by_places = 2.0 * scales * drawn + shares.T @ by_left
    by_scales = by_square.sum(axis=1) @ rows**2 - 2.0 * ((by_square.T @ rows) * places).sum(axis=0)
    by_scales += by_square.sum(axis=0) @ places**2
    gradient = np.concatenate([by_places.ravel(), shares.T @ by_predicted, by_scales])
    return float(value), gradient


def _group_term(
    shares: NDArray[np.float64], codes: NDArray[np.int64]
) -> tuple[float, NDArray[np.float64]]:
    """Return the mean distance of two groups' mean mixtures, and its gradient by the shares."""
    sizes = np.bincount(codes)
    belongs = np.eye(sizes.size)[codes] / sizes
    means = belongs.T @ shares
    one, other = np.triu_indices(sizes.size, k=1)
    apart = means[one] - means[other]
    sign = np.sign(apart) / apart.size
    by_mean = np.zeros_like(means)
    np.add.at(by_mean, one, sign)
    np.add.at(by_mean, other, -sign)
    return float(np.abs(apart).mean()), belongs @ by_mean


def _parts(
    parts: NDArray[np.float64], count: int, columns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    places = parts[: count * columns].reshape(count, columns)
    return places, parts[count * columns : -columns], parts[-columns:]
