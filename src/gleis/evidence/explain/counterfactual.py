"""What would have had to be otherwise for another answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import CannotExplainError
from gleis.contracts.explanation import Counterfactual, Counterfactuals, Fidelity
from gleis.evidence.explain.asked_row import read_row
from gleis.evidence.explain.counterfactual_search import CounterfactualSearch
from gleis.evidence.explain.diverse import choose_diverse
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.options import check_whole
from gleis.evidence.explain.scope import Scope
from gleis.evidence.explain.want import Want, read_want

Array = NDArray[Any]


def counterfactual(
    model: Explainable,
    row: Mapping[str, Any],
    *,
    to: str | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    count: int = 4,
    immutable: Iterable[str] = (),
) -> Counterfactuals:
    r"""Find small changes of a row to which the model gives another answer.

    The distance of a change is :math:`\sum_j |x'_j - x_j| / \mathrm{MAD}_j` over numbers, with the
    median absolute deviation in the background, and 1 for each category that changes. Single
    changes are tried first, then pairs, then more, and known rows that get the answer already; in
    all that is found, changes that are not needed are undone, and numbers moved back as far as the
    answer stays and then rounded. Of these, a set is chosen that is near, close to known rows, and
    diverse (``choose_diverse``). The model itself is asked about each once more.

    Parameters
    ----------
    model : Explainable
        What is in its ``immutable`` is not touched.
    row : mapping
        Feature -> value.
    to : str, optional
        The class wanted; default: any other.
    at_least, at_most : float, optional
        Of a regression: the value wanted.
    count : int
        Ways to the other answer, 1 or more.
    immutable : iterable of str
        More features that may not change.

    Returns
    -------
    Counterfactuals
        The nearest first. ``note`` says why there are fewer, if so.

    Raises
    ------
    InvalidRowError
        The row lacks a feature, has the answer already, or something is named that there is not.
    CannotExplainError
        Nothing may change, no change that was tried gives the answer, or a feature is text.

    References
    ----------
    Wachter, S., Mittelstadt, B., Russell, C. (2018). Counterfactual explanations without opening
    the black box. Harvard Journal of Law & Technology 31, equations 1 to 4.
    Brughmans, D., Leyman, P., Martens, D. (2024). NICE: an algorithm for nearest instance
    counterfactual explanations. Data Mining and Knowledge Discovery 38, 2665-2703.
    """
    check_whole("count", count, 1)
    asked = read_row(model, row)
    explained, _ = model.explained(row, None)
    want = read_want(model, explained, to, at_least, at_most)
    scope = Scope(asked, (*model.immutable, *immutable))
    search = CounterfactualSearch(scope, want, count)
    rows = search.find()
    if not len(rows):
        raise _none_exists(search, want)
    cost = scope.distance(rows) + search.off(rows)
    chosen = choose_diverse(cost, _apart(scope, rows), count)
    rows = rows[chosen][np.argsort(scope.distance(rows[chosen]), kind="stable")]
    scores = model.predict(model.decode(rows))
    found = tuple(_counterfactual(scope, want, *pair) for pair in zip(rows, scores, strict=True))
    missing = f"{len(found)} of {count}: there is no other way that differs enough"
    return Counterfactuals(
        explained=explained,
        found=found,
        immutable=scope.immutable,
        fidelity=_fidelity(scope, want, rows, scores),
        note=missing if len(found) < count else "",
    )


def _apart(scope: Scope, rows: Array) -> Array:
    """Return the distances between changed rows, (n, n): in values and in what they change."""
    known = np.nan_to_num(rows)
    gaps = np.abs(known[:, None] - known[None])
    values = np.where(scope.asked.seen.numeric, np.minimum(gaps / scope.spread, 1), gaps > 0)
    changed = scope.steps(rows) > 0
    found: Array = (values + (changed[:, None] != changed[None])).sum(axis=2)
    return found


def _counterfactual(scope: Scope, want: Want, row: Array, score: Array) -> Counterfactual:
    model = scope.asked.model
    classes = model.contract.classes
    names = model.contract.names
    answer = model.answers_of(score[None])[0]
    changes = {
        names[j]: (scope.asked.value(j, float(scope.row[j])), scope.asked.value(j, float(row[j])))
        for j in np.flatnonzero(scope.steps(row[None])[0]).tolist()
    }
    column = want.to if want.to is not None else int(answer)
    return Counterfactual(
        changes=changes,
        prediction=classes[int(answer)] if classes else float(answer),
        score=float(score if score.ndim == 0 else score[column]),
        distance=float(scope.distance(row[None])[0]),
    )


def _fidelity(scope: Scope, want: Want, rows: Array, scores: Array) -> tuple[Fidelity, ...]:
    given, inside = want.given(scores), scope.inside(rows)
    checks = (("flips the answer", given), ("changes only what may change, in range", inside))
    held = tuple(
        Fidelity(measure=name, value=float(ok.mean()), asked=">= 1", holds=bool(ok.all()))
        for name, ok in checks
    )
    changes = (scope.steps(rows) > 0).sum(axis=1)
    return (*held, Fidelity(measure="changed features, at most", value=float(changes.max())))


def _none_exists(search: CounterfactualSearch, want: Want) -> CannotExplainError:
    scope = search.scope
    names = scope.asked.model.contract.names
    free = ", ".join(names[j] for j in scope.features)
    kept = f" ({', '.join(scope.immutable)} stay as they are)" if scope.immutable else ""
    return CannotExplainError(
        f"No change of {free}{kept} gives {want.said}: of {search.tried:,} changed rows the "
        f"nearest lacks {search.nearest:.3g} of the score",
        remedy="Let more features change, or ask for another answer.",
    )
