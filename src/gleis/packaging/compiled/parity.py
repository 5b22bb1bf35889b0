"""The gate: another form of a model answers as the fitted estimator does, or it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.errors import GleisError
from gleis.contracts.evidence import Parity
from gleis.contracts.ports import Model
from gleis.contracts.profile import Reference
from gleis.packaging.compiled.cuts import aim, find_cuts
from gleis.packaging.compiled.form import Form
from gleis.packaging.compiled.inputs import Inputs
from gleis.packaging.compiled.probes import (
    Rows,
    Variant,
    aimed_rows,
    draw_rows,
    part,
    variants,
    vary,
)
from gleis.packaging.examples import Examples

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores

TOLERANCE = 1e-9
"""Largest difference of two scores."""
_CHUNK = 5_000
_ALONE = 32
"""Rows that are also asked one by one: a lone row takes another way through the code."""
_RAISED = (
    GleisError,
    ValueError,
    TypeError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
)


class _DiffersError(Exception):
    """Ends the comparison."""

    def __init__(self, reason: str, **figures: Any) -> None:
        super().__init__(reason)
        self.figures = figures


def check_parity(
    form: Model,
    fitted: Model,
    contract: Contract,
    reference: Reference,
    examples: Examples,
    trees: Form | None,
) -> Parity:
    """Ask both on rows that cover every category, missing and unseen value, and every cut.

    Parameters
    ----------
    form : Model
        The other form: compiled, or ONNX.
    fitted : Model
        The fitted estimator.
    contract : Contract
    reference : Reference
        From which rows are drawn.
    examples : Examples
    trees : Form, optional
        Where thresholds are read: the estimator's compiled form, before the gate.

    Returns
    -------
    Parity
        Accepted if no two scores are more than 1e-9 apart, no label differs, and what the fitted
        estimator refuses is refused.
    """
    cuts = find_cuts(trees) if trees is not None else {}
    total = sum(len(values) for values in cuts.values())
    try:
        refused, tried = _refusals(form, fitted, contract, reference, examples)
        rows = draw_rows(contract, reference, examples, cuts, refused)
        count, largest = _compare_all(form, fitted, rows, contract)
        if trees is not None:
            aimed = aim(trees, Inputs(trees.structure.inputs).matrix(_plain(rows)))
            more = aimed_rows(rows, aimed, contract)
            found, off = _compare_all(form, fitted, more, contract)
            count, largest = count + found, max(largest, off)
    except _DiffersError as differs:
        return Parity(accepted=False, cuts=total, reason=str(differs), **differs.figures)
    return Parity(accepted=True, rows=count + tried, cuts=total, difference=largest)


def _refusals(
    form: Model, fitted: Model, contract: Contract, reference: Reference, examples: Examples
) -> tuple[frozenset[Variant], int]:
    """Find what the fitted estimator refuses, and hold the form to it."""
    usual = part(draw_rows(contract, reference, examples, {}), 0, 1)
    refused: list[Variant] = []
    count = 0
    for group in variants(contract):
        count += len(group)
        together = vary(usual, group, contract)
        if (expected := _ask(fitted, together)) is not None:
            _compare(form, expected, together, contract)
        else:
            refused += _one_by_one(form, fitted, usual, group, contract)
    return frozenset(refused), count


def _one_by_one(
    form: Model, fitted: Model, usual: Rows, group: list[Variant], contract: Contract
) -> list[Variant]:
    refused = []
    for change in group:
        row = vary(usual, [change], contract)
        expected = _ask(fitted, row)
        if expected is not None:
            _compare(form, expected, row, contract)
            continue
        refused.append(change)
        if (answer := _ask(form, row)) is not None and np.isfinite(answer).all():
            name, value = change
            raise _DiffersError(
                f"It answers {name} = {value!r}, which the fitted estimator refuses."
            )
    return refused


def _compare_all(form: Model, fitted: Model, rows: Rows, contract: Contract) -> tuple[int, float]:
    count = len(next(iter(rows.values())))
    largest = 0.0
    for start in range(0, count, _CHUNK):
        chunk = part(rows, start, start + _CHUNK)
        expected = _ask(fitted, chunk)
        if expected is None:
            raise _DiffersError(
                "The fitted estimator refuses rows as the reference profile has them."
            )
        largest = max(largest, _compare(form, expected, chunk, contract))
        if start == 0:
            for r in range(min(_ALONE, count)):
                one = part(chunk, r, r + 1)
                largest = max(largest, _compare(form, expected[r : r + 1], one, contract))
    return count, largest


def _ask(model: Model, rows: Rows) -> Scores | None:
    try:
        return model.predict(_plain(rows))
    except _RAISED:
        return None


def _plain(rows: Rows) -> Rows:
    """Polars takes objects as lists only."""
    return {name: v.tolist() if v.dtype == object else v for name, v in rows.items()}


def _compare(form: Model, expected: Scores, rows: Rows, contract: Contract) -> float:
    """Return the largest difference; raise if it is too large or a label differs."""
    answer = _ask(form, rows)
    if answer is None:
        raise _DiffersError("It raises on rows that the fitted estimator answers.")
    if answer.shape != expected.shape:
        raise _DiffersError(f"Its scores have shape {answer.shape} instead of {expected.shape}.")
    # Values are compared with what they are, not with what is left of them: a pair of NaN is equal.
    apart = np.where(np.isnan(expected) & np.isnan(answer), 0.0, np.abs(answer - expected))
    largest = float(apart.max(initial=0.0))
    flipped = 0
    if contract.task != "regression":
        flipped = int((_labels(answer) != _labels(expected)).sum())
    allowed = TOLERANCE
    if contract.task == "regression":
        allowed = TOLERANCE * max(1.0, float(np.nanmax(np.abs(expected), initial=0.0)))
    if not largest <= allowed or flipped:
        shown = largest if np.isfinite(largest) else None
        what = f"{flipped} labels flipped" if flipped else "no label flipped"
        raise _DiffersError(
            f"It is up to {largest:.2g} off on {len(expected):,} rows, {what}.",
            rows=len(expected),
            difference=shown,
            flipped=flipped,
        )
    return largest


def _labels(scores: Scores) -> NDArray[Any]:
    labels: NDArray[Any] = scores.argmax(axis=1) if scores.ndim > 1 else scores >= 0.5
    return labels
