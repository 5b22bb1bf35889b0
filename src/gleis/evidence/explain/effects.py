"""How the score moves with one feature: partial dependence, and a line for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import CannotExplainError, InvalidRowError
from gleis.contracts.explanation import Effect, Fidelity, Value
from gleis.contracts.ports import Columns
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.extrapolation import WORTH_SAYING, outside
from gleis.evidence.explain.grids import Grid, grid_of, rows_of
from gleis.evidence.explain.lines import lines_of, moved_row
from gleis.evidence.explain.options import check_whole
from gleis.evidence.explain.surfaces import surface_of
from gleis.evidence.explain.tree_recursion import as_grown, tree_dependence

Floats = NDArray[np.float64]

_Z = 1.959963984540054
"""97.5% quantile of the normal distribution."""


def pdp(
    model: Explainable,
    rows: Columns,
    *,
    feature: str,
    of: str | None = None,
    grid: int | Sequence[Value] = 20,
    by: Literal["rows", "trees"] = "rows",
    beside: str | None = None,
) -> Effect:
    r"""Return the mean score over rows, all of them set to each value of one feature.

    .. math:: f_S(z) = \frac{1}{n} \sum_i f(z, x_{i, C})

    Trees are walked once for all values (see ``tree_lines``), which gives the same scores as
    asking the model about every row at every value.

    Parameters
    ----------
    model : Explainable
    rows : mapping
        Feature -> values, each (n_rows,); of more than 2,000 rows as many are sampled.
    feature : str
    of : str, optional
        The class; default: the positive one of two, the last one of several.
    grid : int or sequence
        How many values of a number, or the values themselves; see ``grid_of``.
    by : str
        ``rows``: mean of the scores, with a 95% interval of the mean. ``trees``: by recursion over
        the trees with their training weights, on the scale where the model is a sum (log-odds
        for a probability), without rows and without an interval.
    beside : str, optional
        A second feature: the mean is taken with both set to each pair of values, too, and how much
        of it is not a sum of two curves is said.

    Returns
    -------
    Effect
        Its notes say how much of it lies outside what was seen.

    Raises
    ------
    InvalidRowError
        There is no such feature or class, or the grid holds no value of it.
    CannotExplainError
        Fewer than two rows; the feature does not vary; over 100 categories; ``trees`` of a model
        that is no sum of trees.

    References
    ----------
    Friedman, J. H. (2001). Greedy function approximation: a gradient boosting machine. Annals of
    Statistics 29, 1189-1232, equation 53, and section 8.2 for trees.
    Friedman, J. H. and Popescu, B. E. (2008). Predictive learning via rule ensembles. Annals of
    Applied Statistics 2, 916-954, equation 44 (two features; here over the grid).
    """
    if by not in {"rows", "trees"}:
        raise InvalidRowError(
            "by is neither rows nor trees", seen=by, remedy="Leave it out.", field="by"
        )
    column = model.column(of)
    matrix = rows_of(model, rows)
    at = grid_of(model, matrix, feature, grid)
    if by == "trees":
        if beside is not None:
            raise InvalidRowError(
                "Two features are set over rows", seen=by, remedy="Leave by out.", field="by"
            )
        return _by_trees(model, matrix, at, column)
    lines, gap = lines_of(model, matrix, (at.place,), at.numbers[:, None], column)
    mean = lines.mean(axis=0)
    half = _Z * lines.std(axis=0, ddof=1) / np.sqrt(len(lines))
    fidelity, notes = _caveats(model, matrix, at)
    effect = Effect(
        method="pdp",
        feature=feature,
        of=model.class_of(column),
        grid=at.values,
        values=tuple(mean.tolist()),
        low=tuple((mean - half).tolist()),
        high=tuple((mean + half).tolist()),
        rows=len(matrix),
        rug=at.rug,
        counts=at.counts,
        fidelity=(*gap, *fidelity),
        notes=notes,
    )
    return effect if beside is None else surface_of(model, matrix, effect, at, beside, column)


def ice(
    model: Explainable,
    rows: Columns,
    *,
    feature: str,
    of: str | None = None,
    grid: int | Sequence[Value] = 20,
    lines: int = 200,
) -> Effect:
    """Return how the score of each row moves as one feature is set to each value.

    Lines that are not parallel show that the feature's effect depends on others, which a mean
    hides.

    Parameters
    ----------
    model, rows, feature, of, grid
        As for ``pdp``.
    lines : int
        How many are kept, spread evenly over the rows; mean and band are of all rows.

    Returns
    -------
    Effect
        ``low`` and ``high`` hold 95% of the rows.

    Raises
    ------
    InvalidRowError, CannotExplainError
        As for ``pdp``.

    References
    ----------
    Goldstein, A. et al. (2015). Peeking inside the black box: visualizing statistical learning
    with plots of individual conditional expectation. J. Comput. Graph. Stat. 24, 44-65.
    """
    check_whole("lines", lines, 1)
    column = model.column(of)
    matrix = rows_of(model, rows)
    at = grid_of(model, matrix, feature, grid)
    found, gap = lines_of(model, matrix, (at.place,), at.numbers[:, None], column)
    low, high = np.quantile(found, [0.025, 0.975], axis=0)
    kept = np.unique(np.linspace(0, len(found) - 1, min(lines, len(found))).astype(int))
    fidelity, notes = _caveats(model, matrix, at)
    return Effect(
        method="ice",
        feature=feature,
        of=model.class_of(column),
        grid=at.values,
        values=tuple(found.mean(axis=0).tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        lines=tuple(tuple(line) for line in found[kept].tolist()),
        rows=len(matrix),
        rug=at.rug,
        counts=at.counts,
        fidelity=(*gap, *fidelity),
        notes=notes,
    )


def _by_trees(model: Explainable, matrix: Floats, at: Grid, column: int) -> Effect:
    grown = as_grown(model.model)
    if grown is None:
        raise CannotExplainError(
            "The model is no sum of trees with their training weights",
            remedy='Ask for by = "rows".',
            field="by",
        )
    moved, places = moved_row(model, grown, matrix, (at.place,), at.numbers[:, None])
    values, link = tree_dependence(grown, moved, places, column)
    return Effect(
        method="pdp",
        feature=at.feature,
        of=model.class_of(column),
        grid=at.values,
        values=tuple(values.tolist()),
        rows=len(matrix),
        link=link,
        rug=at.rug,
        counts=at.counts,
        notes=("The mean is over the training weights of the trees, not over rows.",),
    )


def _caveats(
    model: Explainable, matrix: Floats, at: Grid
) -> tuple[tuple[Fidelity, ...], tuple[str, ...]]:
    """Return how much of the curve lies outside what was seen, and say it where it matters."""
    shares = outside(matrix, at)
    worst = int(shares.argmax())
    fidelity = Fidelity(measure="outside what was seen", value=float(shares[worst]))
    if shares[worst] < WORTH_SAYING:
        return (fidelity,), ()
    names = [
        model.contract.names[j]
        for j in np.argsort(-shares, kind="stable")[:3]
        if shares[j] >= WORTH_SAYING
    ]
    return (fidelity,), (
        f"{at.feature} goes together with {' and '.join(names)}: up to {shares[worst]:.0%} of the "
        "rows behind this curve never occur like that. ALE does not leave what was seen.",
    )
