"""Prejudice remover: a logistic regression that pays for what its answers tell of the group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from gleis.evidence.mitigation.encoding import column_encoder
from gleis.evidence.mitigation.mitigator import Mitigator
from gleis.evidence.mitigation.tables import visible

_TINY = 1e-12


def prejudice_index(
    scores: NDArray[np.float64], codes: NDArray[np.int64]
) -> tuple[float, NDArray[np.float64]]:
    """Return the mutual information of answer and group, in nats a row, and its gradient.

    ``sum_s P(s) sum_y P(y|s) ln(P(y|s) / P(y))``, where ``P(1|s)`` is the mean score of group
    ``s`` and ``P(1)`` the mean of all: 0 if all groups have the same mean score.

    Parameters
    ----------
    scores : ndarray, (n_rows,)
        Strictly between 0 and 1.
    codes : ndarray of int, (n_rows,)
        Group of each row; every group has rows.

    Returns
    -------
    index : float
    gradient : ndarray, (n_rows,)
        By each score, times the number of rows.

    References
    ----------
    T. Kamishima, S. Akaho, H. Asoh and J. Sakuma, "Fairness-aware classifier with prejudice
    remover regularizer", ECML PKDD 2012, equations 8 to 10: ``R_PR`` is the index times the rows.
    """
    sizes = np.bincount(codes)
    share = np.clip(np.bincount(codes, weights=scores) / sizes, _TINY, 1.0 - _TINY)
    overall = float(np.clip(scores.mean(), _TINY, 1.0 - _TINY))
    yes, no = np.log(share / overall), np.log((1.0 - share) / (1.0 - overall))
    index = float((sizes / codes.size) @ (share * yes + (1.0 - share) * no))
    return index, (yes - no)[codes]


class PrejudiceRemover(Mitigator):
    """Logistic regression with a penalty on the prejudice index.

    Minimises ``sum log loss + eta strength R_PR + |w|^2 / (2 C)`` over encoded columns. The paper
    gives each group weights of its own; here all share theirs, so that the group is needed at the
    fit only. A model of its own: what ``build_model`` returns is not used.

    Parameters
    ----------
    protected, bands, hidden, strength
        As ``Mitigator`` says.
    eta : float
        Weight of the penalty at full strength.
    C : float
        Inverse of the weight of the squared coefficients, as in ``LogisticRegression``.

    References
    ----------
    As ``prejudice_index`` says; equation 7 for the objective.
    """

    def __init__(
        self,
        *,
        protected: Sequence[str] = (),
        bands: Mapping[str, Sequence[float]] | None = None,
        hidden: Sequence[str] = (),
        strength: float = 1.0,
        eta: float = 30.0,
        C: float = 1.0,  # noqa: N803
    ) -> None:
        self.protected = protected
        self.bands = bands
        self.hidden = hidden
        self.strength = strength
        self.eta = eta
        self.C = C

    def fit(self, X: Any, y: Any, groups: Any = None) -> PrejudiceRemover:  # noqa: N803
        """Encode the columns and minimise the objective."""
        _, codes, _ = self._find_groups(X, groups)
        shown = visible(X, self.hidden)
        classes, labels = np.unique(np.asarray(y), return_inverse=True)
        encoder = column_encoder(shown)
        matrix = np.asarray(encoder.fit_transform(shown), dtype=np.float64)
        # A logistic regression to start from, and whose form the result takes.
        linear = LogisticRegression(C=self.C, max_iter=1000).fit(matrix, labels)
        start = np.append(linear.coef_.ravel(), linear.intercept_)
        found = minimize(
            self.objective,
            start,
            args=(matrix, labels, codes),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 2000, "ftol": 1e-12, "gtol": 1e-8},
        )
        linear.coef_, linear.intercept_ = found.x[None, :-1], found.x[-1:]
        linear.classes_ = classes
        self.estimator_ = Pipeline([("columns", encoder), ("model", linear)])
        self.index_ = prejudice_index(expit(matrix @ found.x[:-1] + found.x[-1]), codes)[0]
        return self

    def notes(self) -> tuple[str, ...]:
        """Say what is left of the prejudice, and whose model this is."""
        return (f"Prejudice index on the training rows: {self.index_:.2g} nats.",)

    def objective(
        self,
        weights: NDArray[np.float64],
        matrix: NDArray[np.float64],
        labels: NDArray[np.int64],
        codes: NDArray[np.int64],
    ) -> tuple[float, NDArray[np.float64]]:
        """Return what is minimised, a mean over rows, and its gradient by the weights.

        Parameters
        ----------
        weights : ndarray, (n_columns + 1,)
            Coefficients, then the intercept.
        matrix : ndarray, (n_rows, n_columns)
        labels : ndarray of int, (n_rows,)
            0 or 1.
        codes : ndarray of int, (n_rows,)
            Group of each row.
        """
        rows = labels.size
        margin = matrix @ weights[:-1] + weights[-1]
        scores = np.clip(expit(margin), _TINY, 1.0 - _TINY)
        losses = np.logaddexp(0.0, margin) - labels * margin
        index, by_score = prejudice_index(scores, codes)
        eta = self.eta * self.strength
        by_margin = (scores - labels + eta * by_score * scores * (1.0 - scores)) / rows
        ridge = weights[:-1] / (self.C * rows)
        value = losses.mean() + eta * index + 0.5 * float(weights[:-1] @ ridge)
        return float(value), np.append(matrix.T @ by_margin + ridge, by_margin.sum())
