"""How much the model relies on each feature: what is lost when its values are shuffled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract, Task
from gleis.contracts.errors import DataError, InvalidRowError
from gleis.contracts.explanation import Importance
from gleis.contracts.figure import Figure
from gleis.contracts.ports import Columns
from gleis.evidence.bootstrap import resamples
from gleis.evidence.checks import check_scores
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.grids import chosen, place_of
from gleis.evidence.explain.options import check_whole
from gleis.evidence.losses import row_loss
from gleis.evidence.metrics import PRIMARY_LOSS

Array = NDArray[Any]
Floats = NDArray[np.float64]

_REPLICATES = 200
_MOST_REPEATS = 100
_AT_ONCE = 1 << 22
"""Numbers in one matrix that the model is asked about."""
_SURE = 0.95


def permutation(
    model: Explainable,
    rows: Columns,
    *,
    target: Sequence[Any] | None = None,
    repeats: int = 5,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Importance:
    """Return the rise of the primary loss when a feature's values are shuffled among the rows.

    All features are shuffled in the same orders, and the loss is compared row by row, so that
    differences are paired. A feature that another one says the missing values of is shuffled
    together with it: its value would be known from the other otherwise.

    Parameters
    ----------
    model : Explainable
    rows : mapping
        Feature -> values, each (n_rows,), and the target if it is not given apart; of more than
        2,000 rows as many are sampled. Rows that the model was not trained on show what
        it relies on, others what it has learned by heart.
    target : sequence, optional
        (n_rows,) true classes as in the data, or values.
    repeats : int
        Orders, 1 to 100.
    groups : mapping, optional
        Name -> features shuffled together; by default each by itself, with its missing marks.

    Returns
    -------
    Importance
        The most important first, with 95% bootstrap intervals over rows and orders. Features that
        say the same share their importance, or hide each other's.

    Raises
    ------
    DataError
        There is no target, or it breaks the contract.
    InvalidRowError
        A group names no feature, or ``repeats`` is not 1 to 100.
    CannotExplainError
        Fewer than two rows.

    References
    ----------
    Breiman, L. (2001). Random forests. Machine Learning 45, 5-32, section 10.
    Fisher, A., Rudin, C. and Dominici, F. (2019). All models are wrong, but many are useful.
    J. Mach. Learn. Res. 20(177), equation 3.5, as a difference.
    """
    y = true_answers(model.contract, rows, target)
    matrix = model.encode(rows)
    if len(y) != len(matrix):
        raise DataError(
            f"There are {len(y):,} true answers of {len(matrix):,} rows",
            remedy="Give one a row.",
            field="target",
        )
    check_whole("repeats", repeats, 1)
    if repeats > _MOST_REPEATS:
        raise InvalidRowError(
            f"More than {_MOST_REPEATS} orders say no more than fewer",
            seen=repeats,
            remedy="Ask for 5, as is usual.",
            field="repeats",
        )
    kept = chosen(len(matrix), model.seed)
    matrix, y = matrix[kept], y[kept]
    places = _places(model, matrix, groups)
    draw = np.random.default_rng(model.seed)
    orders = np.array([draw.permutation(len(y)) for _ in range(repeats)])
    losses, shuffled = shuffled_losses(model, matrix, y, list(places.values()), orders)
    figures = rises(losses, shuffled, model.contract.task, seed=model.seed)
    ranked = sorted(zip(places, figures, strict=True), key=lambda each: -each[1].value)
    return Importance(
        method="permutation",
        unit=f"rise of {PRIMARY_LOSS[model.contract.task]}",
        features=dict(ranked),
        rows=len(y),
    )


def shuffled_losses(
    model: Explainable,
    matrix: Floats,
    y: Array,
    groups: Sequence[Sequence[int]],
    orders: NDArray[np.int64],
) -> tuple[Floats, Floats]:
    """Return the loss of every row as it is, and with each group shuffled in each order.

    Parameters
    ----------
    model : Explainable
    matrix : ndarray, (n_rows, n_features)
    y : ndarray, (n_rows,)
        Class index or value.
    groups : sequence of sequence of int
        Columns of the matrix that are shuffled together.
    orders : ndarray of int, (n_repeats, n_rows)
        Permutations: row ``i`` gets the values of row ``orders[r, i]``.

    Returns
    -------
    losses : ndarray, (n_rows,)
        Log loss in nats, or squared error.
    shuffled : ndarray, (n_groups, n_repeats, n_rows)
    """
    scores = model.predict_matrix(matrix)
    check_scores(y, scores, model.contract.task)
    losses = row_loss(y, scores, model.contract.task)
    shuffled = np.empty((len(groups), *orders.shape))
    repeated, flat = np.tile(matrix, (len(orders), 1)), orders.ravel()
    size = max(1, _AT_ONCE // repeated.size)
    for start in range(0, len(groups), size):
        part = groups[start : start + size]
        many = np.stack([repeated] * len(part))
        for copy, group in zip(many, part, strict=True):
            copy[:, list(group)] = matrix[flat][:, list(group)]
        found = model.predict_matrix(many.reshape(-1, matrix.shape[1]))
        answers = np.tile(y, len(part) * len(orders))
        lost = row_loss(answers, found, model.contract.task)
        shuffled[start : start + size] = lost.reshape(len(part), *orders.shape)
    return losses, shuffled


def rises(losses: Floats, shuffled: Floats, task: Task, *, seed: int) -> list[Figure]:
    """Return the rise of the primary loss of each group, with its interval.

    Parameters
    ----------
    losses : ndarray, (n_rows,)
    shuffled : ndarray, (n_groups, n_repeats, n_rows)
    task : str
        The root of the mean is taken for a regression.
    seed : int
        Of the bootstrap, over rows and orders at once.

    Examples
    --------
    >>> losses = np.zeros(4)
    >>> [figure.value for figure in rises(losses, np.full((1, 2, 4), 4.0), "regression", seed=0)]
    [2.0]
    """
    groups, repeats, n_rows = shuffled.shape
    columns = np.column_stack([losses, shuffled.reshape(-1, n_rows).T])
    whole = _of_mean(columns.mean(axis=0), task)
    values = (whole[1:].reshape(groups, repeats) - whole[0]).mean(axis=1)
    draw = np.random.default_rng([seed, repeats])
    drawn = []
    for weights in resamples(n_rows, _REPLICATES, seed):
        means = _of_mean(weights @ columns / n_rows, task)
        rise = means[:, 1:].reshape(len(weights), groups, repeats) - means[:, :1, None]
        taken = draw.multinomial(repeats, np.full(repeats, 1 / repeats), size=len(weights))
        drawn.append((rise * taken[:, None, :]).sum(axis=2) / repeats)
    low, high = np.quantile(np.concatenate(drawn), [(1 - _SURE) / 2, (1 + _SURE) / 2], axis=0)
    return [
        Figure(value=float(v), low=float(min(lo, v)), high=float(max(hi, v)))
        for v, lo, hi in zip(values, low, high, strict=True)
    ]


def true_answers(contract: Contract, rows: Columns, target: Sequence[Any] | None) -> Array:
    """Return what was true of each row as numbers, (n_rows,): class index or value.

    Parameters
    ----------
    contract : Contract
    rows : mapping
        Holds the target's column if ``target`` is None.
    target : sequence, optional

    Raises
    ------
    DataError
        There is no target, or a value is missing, no known class, or no number.
    """
    given = rows.get(contract.target) if target is None else target
    if given is None:
        raise DataError(
            "What a model loses cannot be said without the true answers",
            remedy=f"Give {contract.target} with the rows, or as target.",
            field=contract.target,
        )
    listed = getattr(given, "to_list", None) or getattr(given, "tolist", None)
    values = [*(listed() if listed is not None else given)]
    try:
        if contract.classes is None:
            found = np.array(values, dtype=np.float64)
            if not np.isfinite(found).all():
                raise ValueError("a value is missing or infinite")
            return found
        places = {label: place for place, label in enumerate(contract.classes)}
        return np.array([places[_label(value)] for value in values])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{contract.target} holds what is no true answer: {error}",
            remedy=f"The classes are {', '.join(contract.classes)}."
            if contract.classes
            else "Give a number a row.",
            field=contract.target,
        ) from error


def _label(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _of_mean(mean: Floats, task: Task) -> Floats:
    return np.sqrt(mean) if task == "regression" else mean


def _places(
    model: Explainable, matrix: Floats, groups: Mapping[str, Sequence[str]] | None
) -> dict[str, list[int]]:
    if groups is not None:
        return {name: [place_of(model, one) for one in group] for name, group in groups.items()}
    names, marks = model.contract.names, marks_of_missing(matrix)
    found = {}
    for j, name in enumerate(names):
        if j not in marks:
            own = [mark for mark, of in marks.items() if of == j]
            found[" + ".join([name, *(names[mark] for mark in own)])] = [j, *own]
    return found


def marks_of_missing(matrix: Floats) -> dict[int, int]:
    """Return columns that say exactly where another one is missing: mark -> that column.

    Examples
    --------
    >>> marks_of_missing(np.array([[1.0, 0.0], [np.nan, 1.0], [2.0, 0.0]]))
    {1: 0}
    """
    missing = np.isnan(matrix)
    some = np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0))
    found = {}
    for mark in np.flatnonzero(((matrix == 0) | (matrix == 1)).all(axis=0)):
        for column in some:
            here = missing[:, column]
            if (here == (matrix[:, mark] == 1)).all() or (here == (matrix[:, mark] == 0)).all():
                found[int(mark)] = int(column)
                break
    return found
