"""A small tree that answers almost as the model does, as rules a person can read."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import InvalidRowError
from gleis.contracts.explanation import Condition, Fidelity, Surrogate
from gleis.contracts.ports import Columns
from gleis.evidence.bootstrap import resamples
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.grids import chosen
from gleis.evidence.explain.options import check_share
from gleis.evidence.explain.small_tree import SmallTree, Way, grow

Floats = NDArray[np.float64]

ASKED_R2 = 0.5
"""Share of the variance of the model's scores that the rules must explain on new rows, at the lower
end of its interval."""
_MOST_ROWS = 5_000
_HELD_OUT = 0.2
_REPLICATES = 200
_DEEPEST = 4
_CODED = ("category", "boolean")
_LISTED = 6
"""Categories that a rule names; of more it says how many."""


def surrogate(
    model: Explainable,
    rows: Columns,
    *,
    of: str | None = None,
    depth: int | None = None,
    min_leaf: float = 0.02,
) -> Surrogate:
    """Fit a small regression tree to the model's scores.

    It is fitted to 60% of the rows. Another 20% choose its depth, the smallest that is good
    enough, and the rest, of which it has seen nothing, say how well it stands for the model.

    Parameters
    ----------
    model : Explainable
    rows : mapping
        Feature -> values, each (n_rows,); of more than 5,000 rows as many are sampled.
    of : str, optional
        The class; default: the positive one of two, the last one of several.
    depth : int, optional
        Questions on the way to a rule's end, 1 to 4: rules stay readable.
    min_leaf : float
        Share of the rows that a rule covers at least.

    Returns
    -------
    Surrogate
        If its R2 on rows the tree has not seen may be below 0.5 it says of itself that it does
        not hold, and ``explain`` does not show it.

    Raises
    ------
    InvalidRowError
        There is no such class, the depth is not 1 to 4, or ``min_leaf`` is no share.
    CannotExplainError
        Fewer than two rows.

    References
    ----------
    Craven, M. W. and Shavlik, J. W. (1996). Extracting tree-structured representations of trained
    networks. Advances in Neural Information Processing Systems 8, 24-30 (a tree fitted to a
    model's answers, and its fidelity).
    """
    depths = _depths(depth)
    check_share("min_leaf", min_leaf)
    column = model.column(of)
    matrix = model.encode(rows)
    matrix = matrix[chosen(len(matrix), model.seed, _MOST_ROWS)]
    scores = model.scores(matrix, column)
    order = np.random.default_rng(model.seed).permutation(len(matrix))
    held = max(1, round(_HELD_OUT * len(matrix)))
    fresh, choosing, kept = order[:held], order[held : 2 * held], order[2 * held :]
    if not len(kept):
        choosing, kept = fresh, order[held:]
    tree = grow(
        matrix[kept],
        scores[kept],
        categories=[each.kind in _CODED for each in model.contract.features],
        depth=depths[-1],
        min_leaf=max(1, math.ceil(min_leaf * len(kept))),
    )
    tree = _shallowest(tree, depths, matrix[choosing], scores[choosing], model.seed)
    return Surrogate(
        of=model.class_of(column),
        rules=tuple(
            (_conditions(model, way, matrix), value, count) for way, value, count in tree.leaves()
        ),
        rows=len(kept),
        fidelity=(_fidelity(scores[fresh], tree.predict(matrix[fresh]), model.seed),),
    )


def _depths(depth: int | None) -> range:
    if depth is None:
        return range(1, _DEEPEST + 1)
    if depth not in range(1, _DEEPEST + 1):
        raise InvalidRowError(
            f"depth is not a whole number from 1 to {_DEEPEST}",
            seen=depth,
            remedy="Leave it out: a tree that is deeper cannot be read.",
            field="depth",
        )
    return range(depth, depth + 1)


def _shallowest(
    tree: SmallTree, depths: range, matrix: Floats, scores: Floats, seed: int
) -> SmallTree:
    """Cut the tree where it is good enough already: greedy trees grow from the top."""
    for depth in depths[:-1]:
        cut = tree.cut(depth)
        if _fidelity(scores, cut.predict(matrix), seed).holds:
            return cut
    return tree


def r2(truth: Floats, found: Floats, weights: Floats) -> Floats:
    r"""Return :math:`1 - \sum w (t - f)^2 / \sum w (t - \bar t)^2` for each line of weights.

    Parameters
    ----------
    truth, found : ndarray, (n_rows,)
    weights : ndarray, (n_lines, n_rows)

    Returns
    -------
    ndarray, (n_lines,)
        1 at most; NaN where the truth does not vary.
    """
    mean = weights @ truth / weights.sum(axis=1)
    left = weights @ (truth - found) ** 2
    spread = weights @ truth**2 - weights.sum(axis=1) * mean**2
    with np.errstate(divide="ignore", invalid="ignore"):
        share: Floats = 1 - left / np.where(spread > 1e-24, spread, np.nan)
    return share


def _fidelity(truth: Floats, found: Floats, seed: int) -> Fidelity:
    value = float(r2(truth, found, np.ones((1, len(truth))))[0])
    drawn = np.concatenate(
        [r2(truth, found, block) for block in resamples(len(truth), _REPLICATES, seed)]
    )
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (value, value)
    return Fidelity(
        measure="R2 on rows the tree has not seen",
        value=value,
        low=float(min(low, value)),
        high=float(max(high, value)),
        asked=f">= {ASKED_R2:g} (its lower end)",
        holds=bool(low >= ASKED_R2),
    )


def _conditions(model: Explainable, way: Way, matrix: Floats) -> tuple[Condition, ...]:
    """Join what is asked of one feature on the way to a leaf into one condition."""
    places = dict.fromkeys(split.feature for split, _ in way)
    return tuple(_condition(model, place, way, matrix) for place in places)


def _condition(model: Explainable, place: int, way: Way, matrix: Floats) -> Condition:
    asked = [(split, left) for split, left in way if split.feature == place]
    name = model.contract.names[place]
    missing = all(split.missing_left == left for split, left in asked)
    missing = missing and bool(np.isnan(matrix[:, place]).any())
    if asked[0][0].codes is not None:
        seen = known = np.unique(matrix[:, place][~np.isnan(matrix[:, place])])
        for split, left in asked:
            known = known[np.isin(known, split.codes or ()) == left]
        others = [str(model.coding.value(name, c)) for c in seen[~np.isin(seen, known)].tolist()]
        values = [model.coding.value(name, code) for code in known.tolist()]
        return Condition(
            feature=name,
            text=_listed(name, [str(value) for value in values], others, missing),
            categories=tuple(values),
            category=values[0] if len(values) == 1 else None,
            missing=missing,
        )
    lows = [
        split.threshold for split, left in asked if not left and not math.isnan(split.threshold)
    ]
    highs = [split.threshold for split, left in asked if left and not math.isnan(split.threshold)]
    low, high = max(lows, default=None), min(highs, default=None)
    return Condition(
        feature=name, text=_between(name, low, high, missing), low=low, high=high, missing=missing
    )


def _between(name: str, low: float | None, high: float | None, missing: bool) -> str:
    if low is None and high is None:
        return f"{name} is missing" if missing else f"{name} is known"
    if low is None:
        text = f"{name} <= {high:.6g}"
    elif high is None:
        text = f"{name} > {low:.6g}"
    else:
        text = f"{low:.6g} < {name} <= {high:.6g}"
    return f"{text} or missing" if missing else text


def _listed(name: str, values: list[str], others: list[str], missing: bool) -> str:
    """Name the categories, or those that are left out if they are fewer."""
    if not values:
        return f"{name} is missing"
    if 0 < len(others) < len(values):
        text = (
            f"{name} is not {others[0]}"
            if len(others) == 1
            else f"{name} is none of {_few(others)}"
        )
    else:
        text = f"{name} is {values[0]}" if len(values) == 1 else f"{name} is one of {_few(values)}"
    return f"{text} or missing" if missing else text


def _few(values: list[str]) -> str:
    more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
    return ", ".join(values[:_LISTED]) + more
