"""Shapley values of any model by permutations, with the ``shap`` package.

The only place of this room that imports it, when a model cannot be taken apart.
"""

from __future__ import annotations

import importlib.util

import numpy as np

from gleis.contracts.errors import CannotExplainError
from gleis.evidence.explain.apart import Parts
from gleis.evidence.explain.coding import Matrix
from gleis.evidence.explain.explainable import Explainable

_BACKGROUND = 100
_ROUNDS = 10
"""Permutations, each forth and back."""
_EXACT = 1e-9


def permutation_parts(model: Explainable, matrix: Matrix, column: int) -> Parts:
    """Estimate what each feature adds to scores, each row by itself.

    An unknown feature has the values of up to 100 background rows. The parts of a permutation add
    up to the score, so their mean does.

    Parameters
    ----------
    model : Explainable
    matrix : ndarray, (n_rows, n_features)
        As ``model.encode`` makes it.
    column : int
        Of the scores.

    Raises
    ------
    CannotExplainError
        ``shap`` may not be asked, or is not installed.

    References
    ----------
    Strumbelj, E. and Kononenko, I. (2014). Explaining prediction models and individual predictions
    with feature contributions. Knowledge and Information Systems 41, 647-665, algorithm 1.
    """
    if not model.permutations:
        raise CannotExplainError(
            model.refusal,
            remedy="Ask for lime or anchor here; or run gleis explain with the extra "
            "gleis[explain], whose permutations explain any model.",
        )
    if importlib.util.find_spec("shap") is None:
        raise CannotExplainError(
            model.refusal,
            remedy="Ask for lime or anchor; or pip install 'gleis[explain]', whose permutations "
            "explain any model.",
        )
    import shap

    background = model.background_matrix
    chosen = np.random.default_rng(model.seed).permutation(len(background))[:_BACKGROUND]
    masker = shap.maskers.Independent(background[chosen], max_samples=_BACKGROUND)
    explainer = shap.explainers.Permutation(
        lambda rows: model.scores(np.asarray(rows, dtype=np.float64), column),
        masker,
        seed=model.seed,
    )
    width = matrix.shape[1]
    found = explainer(matrix, max_evals=_ROUNDS * (2 * width + 1), silent=True)
    values = np.asarray(found.values, dtype=np.float64).reshape(matrix.shape)
    base = float(np.ravel(found.base_values)[0])
    return Parts("identity", base, values, base + values.sum(axis=1), _EXACT)
