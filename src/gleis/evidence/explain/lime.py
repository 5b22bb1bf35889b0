"""What each feature adds to one score nearby: a linear function fitted to the model's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import CannotExplainError
from gleis.contracts.explanation import Contributions, Explained, Fidelity
from gleis.evidence.explain.asked_row import AskedRow, read_row
from gleis.evidence.explain.discretise import in_range, is_value, places
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.local_fit import LocalFit, fit_locally
from gleis.evidence.explain.options import check_number, check_share, check_whole
from gleis.evidence.explain.perturb import Neighbours, neighbours

Array = NDArray[Any]
_CERTAIN = 3.0
"""Standard errors from which a feature's effect is not taken for chance."""
_WIDTH = 0.75
"""Of the kernel, in parts of the root of the number of features."""


def lime(
    model: Explainable,
    row: Mapping[str, Any],
    *,
    of: str | None = None,
    samples: int = 5000,
    kept: float = 0.5,
    ranges: bool | None = None,
    alpha: float = 1.0,
    least_r2: float = 0.25,
    seed: int | None = None,
) -> Contributions:
    r"""Explain one score by a linear function that answers like the model around the row.

    Neighbours of the row are drawn, the model is asked about them in one go, and

    .. math:: \arg\min_{b, c} \sum_i \pi_i (f(x_i) - b - z_i c)^2 + \alpha \lVert c \rVert^2

    is solved, where :math:`z_{ij}` says whether the neighbour's feature lies in the same range (a
    quarter of the background), or is the same category, as the row's, and :math:`\pi_i =
    \exp(-d_i^2 / 2 \sigma^2)`, with the distance :math:`d_i` between :math:`z_i` and the row's and
    :math:`\sigma = 0.75 \sqrt{n}` of n features.

    What cannot be told from chance, within three standard errors of 0, is left out and adds 0.

    A neighbour keeps each value of the row with chance ``kept``, as published for words and parts
    of images; 0 is what was published for tables. If the fit foretells held-out neighbours too
    badly, neighbours are drawn once more, nearer.

    Parameters
    ----------
    model : Explainable
    row : mapping
        Feature -> value.
    of : str, optional
        The class to explain; default: the likeliest, or the positive one of two.
    samples : int
        Neighbours, 100 or more.
    kept : float
        In [0, 1).
    ranges : bool, optional
        True: numbers are cut into ranges. False: they are taken as they are, in standard
        deviations. Default: ranges, unless only the numbers as they are foretell well enough.
    alpha : float
        Shrinks the coefficients; 0 or more.
    least_r2 : float
        Below this R2 on held-out neighbours it is no explanation.
    seed : int, optional
        Default: that of the model.

    Returns
    -------
    Contributions
        ``base_value`` and contributions add up to ``value``, the linear function at the row, not
        to the score; the gap between them is stated.

    Raises
    ------
    InvalidRowError
        The row lacks a feature, or there is no such class.
    CannotExplainError
        No linear function answers like the model around the row, or a feature is text.

    References
    ----------
    Ribeiro, M. T., Singh, S., Guestrin, C. (2016). "Why should I trust you?" Explaining the
    predictions of any classifier. KDD, equation 2 and algorithm 1.
    """
    check_whole("samples", samples, 100)
    check_share("kept", kept)
    check_number("alpha", alpha, least=0)
    asked = read_row(model, row)
    explained, column = model.explained(row, of)
    found = -np.inf
    for nearness in (kept, (1 + kept) / 2):
        draw = np.random.default_rng(model.seed if seed is None else seed)
        near = _near(asked, samples, nearness, draw)
        scores = model.scores(near.rows, column)
        for cut in (True, False) if ranges is None else (ranges,):
            values = near.same.astype(float) if cut else _plain(asked, near)
            fit = fit_locally(values, scores, _weights(values), alpha, certain=_CERTAIN)
            if fit.r2 >= least_r2:
                parts = fit.coef * values[0]
                conditions = _conditions(asked) if cut else {}
                return _contributions(asked, explained, fit, parts, conditions, least_r2)
            found = max(found, fit.r2)
    raise CannotExplainError(
        "No linear function answers like the model around this row: on held-out neighbours its "
        f"R2 is {found:.2f}, asked is >= {least_r2}",
        remedy="Ask for shap or anchor, which allow for features that work together.",
    )


def _near(
    asked: AskedRow,
    count: int,
    kept: float,
    draw: np.random.Generator,
) -> Neighbours:
    alike = asked.seen.codes == asked.seen.codes_of(asked.numbers[None])
    return neighbours(
        asked.numbers, asked.background, alike, asked.seen.varies, count=count, kept=kept, draw=draw
    )


def _plain(asked: AskedRow, near: Neighbours) -> Array:
    """Return numbers in standard deviations from the background's mean; a missing one is the mean.

    Of categories, and of numbers that the row lacks, it says whether they are as the row's.
    """
    values = near.same.astype(float)
    for j in np.flatnonzero(asked.seen.numeric & ~np.isnan(asked.numbers)).tolist():
        known = asked.seen.known(j)
        spread = float(known.std()) if len(known) else 0.0
        if spread > 0:
            values[:, j] = np.nan_to_num((near.rows[:, j] - known.mean()) / spread, nan=0.0)
    return values


def _weights(values: Array) -> Array:
    off = values - values[0]
    apart = np.einsum("ij,ij->i", off, off)
    width = _WIDTH**2 * values.shape[1]
    found: Array = np.exp(-apart / (2 * width))
    return found


def _conditions(asked: AskedRow) -> dict[str, str]:
    found = {}
    for j, name in enumerate(asked.model.contract.names):
        number = float(asked.numbers[j])
        if asked.seen.numeric[j] and not np.isnan(number):
            edges = asked.seen.edges(j)
            at = int(places(asked.numbers[j : j + 1], edges)[0])
            bounds = np.concatenate([[-np.inf], edges, [np.inf]])
            found[name] = in_range(name, bounds[at], bounds[at + 1]).text
        else:
            found[name] = is_value(name, asked.value(j, number)).text
    return found


def _contributions(
    asked: AskedRow,
    explained: Explained,
    fit: LocalFit,
    parts: Array,
    conditions: dict[str, str],
    least_r2: float,
) -> Contributions:
    total = fit.intercept + float(parts.sum())
    return Contributions(
        method="lime",
        explained=explained,
        link="identity",
        value=total,
        base_value=fit.intercept,
        contributions=dict(zip(asked.model.contract.names, parts.tolist(), strict=True)),
        conditions=conditions,
        fidelity=(
            Fidelity(measure="local R2", value=fit.r2, asked=f">= {least_r2:g}"),
            Fidelity(measure="gap to the score", value=abs(total - explained.score)),
        ),
    )
