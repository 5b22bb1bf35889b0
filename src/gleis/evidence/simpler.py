"""Simpler models on the same rows: what the candidate's complexity buys.

The only place of this room that imports scikit-learn, when a simpler model is fitted.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Contract, Task
from gleis.contracts.rivals import Rival
from gleis.evidence.bootstrap import bootstrap_figures
from gleis.evidence.metrics import metrics_of
from gleis.evidence.simple_columns import N_CATEGORIES, Encoder, for_linear, for_tree
from gleis.evidence.weighted import Floats

TRAIN_ROWS = 20_000
"""Training rows that are enough for a simpler model."""
DEPTH = 3
"""Of the shallow tree: at most eight leaves."""
_FEWEST_IN_LEAF = 20
_NEWTON = 400
"""Coefficients up to which a logistic regression is fitted by Newton's method."""

_DESCRIPTIONS: dict[str, str] = {
    "linear": "{model} on standardised numbers, the mean where one is missing, and one column for "
    "each of the {top} most frequent categories.",
    "shallow_tree": "A decision tree of depth {depth} at most, categories in the order of their "
    "mean target, probabilities by Laplace's rule.",
}


def compare_simpler(
    y: NDArray[np.generic],
    scores: Floats,
    rows: pl.DataFrame,
    y_train: NDArray[np.generic],
    train: pl.DataFrame,
    contract: Contract,
    *,
    n_replicates: int,
    seed: int,
    n_train: int | None = None,
    itself: str | None = None,
    notes: Sequence[str] = (),
    clusters: NDArray[np.intp] | None = None,
) -> tuple[Rival, ...]:
    """Fit a linear model and a shallow tree, and hold the candidate against them, row by row.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Class index or value, of the test rows.
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
        The candidate's.
    rows : polars.DataFrame, n_rows high
        Test rows.
    y_train : ndarray, (n_rows of ``train``,)
    train : polars.DataFrame, as many rows
        Training rows; of many a sample is enough.
    contract : Contract
    n_replicates : int
        Bootstrap replicates behind each interval.
    seed : int
    n_train : int, optional
        How many training rows there are, if ``train`` is a sample of them: a note says so.
    itself : str, optional
        ``linear`` or ``shallow_tree`` if the candidate is one: it is not compared with itself.
    notes : sequence of str
        Said of each rival.
    clusters : ndarray of intp, (n_test,), optional
        Group of each test row: whole groups are drawn for the intervals.

    Returns
    -------
    tuple of Rival
        ``gain`` is paired: positive where the candidate is better, in every metric of the task. A
        rival that could not be fitted has no figures, and a note says why.

    References
    ----------
    Hand, D. J. (2006). Classifier technology and the illusion of progress. Statistical Science 21,
    on why. Provost, F. & Domingos, P. (2003). Tree induction for probability-based ranking. Machine
    Learning 52, section 3.1, on Laplace's rule: ``(n_k + 1) / (n + K)`` in a leaf. Hoerl, A. E. &
    Kennard, R. W. (1970). Ridge regression. Technometrics 12, eq. 2.1.
    """
    said = list(_notes(train.height, n_train or train.height, itself))
    said += notes
    found = []
    for name in ("linear", "shallow_tree"):
        if name == itself:
            continue
        made = _answer(name, train, y_train, rows, contract, seed)
        if isinstance(made, str):
            found.append(_rival(name, contract.task, {}, {}, [*said, made]))
            continue
        compared = bootstrap_figures(
            y,
            scores,
            metrics_of(contract.task),
            n_replicates=n_replicates,
            seed=[seed, *b"rivals"],
            baseline_scores=made,
            clusters=clusters,
        )
        found.append(_rival(name, contract.task, compared.baseline, compared.gain, said))
    return tuple(found)


def simplicity_of(estimator: Any) -> str | None:
    """Say whether a fitted scikit-learn estimator is ``linear`` or a ``shallow_tree`` itself.

    Looks at the last step of a pipeline. Anything else is None.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> simplicity_of(Ridge()), simplicity_of(object())
    ('linear', None)
    """
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[-1][1]
    name = type(estimator).__name__
    if name.startswith("DecisionTree") and hasattr(estimator, "tree_"):
        return "shallow_tree" if estimator.get_depth() <= DEPTH else None
    module = type(estimator).__module__
    linear = module.startswith("sklearn.linear_model") or name in ("LinearSVR", "LinearSVC")
    return "linear" if linear else None


def _rival(
    name: str, task: Task, figures: Mapping[str, Any], gain: Mapping[str, Any], notes: Sequence[str]
) -> Rival:
    model = "Ridge regression" if task == "regression" else "Logistic regression"
    text = _DESCRIPTIONS[name].format(model=model, top=N_CATEGORIES, depth=DEPTH)
    return Rival(
        name=name, description=text, figures=dict(figures), gain=dict(gain), notes=tuple(notes)
    )


def _notes(n_used: int, n_train: int, itself: str | None) -> Iterator[str]:
    if n_used < n_train:
        yield f"Fitted on {n_used:,} of {n_train:,} training rows, a random sample."
    if itself is not None:
        said = "linear" if itself == "linear" else f"a tree of depth {DEPTH} at most"
        yield f"The model is {said} itself and was not compared with another such one."


def _answer(
    name: str,
    train: pl.DataFrame,
    y_train: NDArray[np.generic],
    rows: pl.DataFrame,
    contract: Contract,
    seed: int,
) -> Floats | str:
    """Fit, and return the scores of the test rows, or why there are none."""
    if contract.task != "regression" and len(np.unique(y_train)) < 2:
        return "It was not fitted: its training rows hold one class only."
    encoder_of = for_linear if name == "linear" else for_tree
    fitted = {
        column.name: encoder_of(train[column.name], column, y_train) for column in contract.features
    }
    encoders = {feature: encode for feature, encode in fitted.items() if encode.width}
    if not encoders:
        return "It was not fitted: no feature varies in its training rows."
    x_train = _stack(encoders, train)
    estimator = _estimator(name, contract, seed, x_train.shape)
    with warnings.catch_warnings():
        # A wide model may stop a little short of its optimum; its figures are what it is judged by.
        warnings.filterwarnings("ignore", "lbfgs failed to converge")
        estimator.fit(x_train, y_train)
    x = _stack(encoders, rows)
    if contract.task == "regression":
        return np.asarray(estimator.predict(x), dtype=np.float64)
    scores = np.zeros((len(x), len(contract.classes or ())))
    found = _smooth(estimator, x) if name == "shallow_tree" else estimator.predict_proba(x)
    scores[:, np.asarray(estimator.classes_, dtype=np.intp)] = found
    return scores[:, 1].copy() if contract.task == "binary" else scores


def _smooth(tree: Any, x: Floats) -> Floats:
    """Return a tree's probabilities by Laplace's rule: a pure leaf is not certain."""
    leaves = tree.apply(x)
    rows = tree.tree_.n_node_samples[leaves][:, None]
    shares = tree.tree_.value[leaves, 0, :]
    found: Floats = (shares * rows + 1.0) / (rows + shares.shape[1])
    return found


def _estimator(name: str, contract: Contract, seed: int, shape: tuple[int, ...]) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    n_train, width = shape
    task, classes = contract.task, contract.classes or ()
    if name == "shallow_tree":
        tree = DecisionTreeRegressor if task == "regression" else DecisionTreeClassifier
        fewest = max(1, min(_FEWEST_IN_LEAF, n_train // _FEWEST_IN_LEAF))
        return tree(max_depth=DEPTH, min_samples_leaf=fewest, random_state=seed)
    if task == "regression":
        return Ridge(alpha=1.0, solver="cholesky")
    # Newton's steps are few and exact, and cost the square of the coefficients.
    small = width * (1 if len(classes) <= 2 else len(classes)) <= _NEWTON
    solver = "newton-cholesky" if small else "lbfgs"
    return LogisticRegression(C=1.0, solver=solver, max_iter=100, tol=1e-3)


def _stack(encoders: Mapping[str, Encoder], rows: pl.DataFrame) -> Floats:
    return np.column_stack([encode(rows[name]) for name, encode in encoders.items()])
