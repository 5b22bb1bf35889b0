"""The gate: another form of a model answers as the fitted estimator does, or it is refused."""

from __future__ import annotations

from dataclasses import dataclass
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
    """Ends the comparison: there is nothing to compare."""


@dataclass
class _Tally:
    """What has been compared so far."""

    contract: Contract
    rows: int = 0
    largest: float = 0.0
    beyond: bool = False
    flipped: int = 0

    def add(self, answer: Scores, expected: Scores) -> None:
        """Compare the scores of some rows."""
        if answer.shape != expected.shape:
            raise _DiffersError(
                f"Its scores have shape {answer.shape} instead of {expected.shape}."
            )
        # A pair of scores that are not numbers is equal.
        both = np.isnan(expected) & np.isnan(answer)
        apart = np.where(both, 0.0, np.abs(answer - expected))
        self.rows += len(expected)
        self.largest = max(self.largest, float(np.nanmax(apart, initial=0.0)))
        allowed: Any = TOLERANCE
        if self.contract.task == "regression":
            allowed = TOLERANCE * np.maximum(1.0, np.abs(np.where(both, 0.0, expected)))
        self.beyond = self.beyond or not bool((apart <= allowed).all())
        if self.contract.task != "regression":
            self.flipped += int((_labels(answer) != _labels(expected)).sum())

    @property
    def reason(self) -> str:
        """Why the form is refused; empty if it is not."""
        if not self.beyond and not self.flipped:
            return ""
        what = f"{self.flipped:,} labels flipped" if self.flipped else "no label flipped"
        return f"It is up to {self.largest:.2g} off on {self.rows:,} rows, {what}."


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
    tally = _Tally(contract)
    try:
        refused = _refusals(form, fitted, tally, reference, examples)
        rows = draw_rows(contract, reference, examples, cuts, refused)
        _compare_all(form, fitted, rows, tally)
        if trees is not None:
            aimed = aim(trees, Inputs(trees.structure.inputs).matrix(_plain(rows)))
            _compare_all(form, fitted, aimed_rows(rows, aimed, contract), tally)
    except _DiffersError as differs:
        return Parity(accepted=False, rows=tally.rows, cuts=total, reason=str(differs))
    return Parity(
        accepted=not tally.reason,
        rows=tally.rows,
        cuts=total,
        difference=tally.largest if np.isfinite(tally.largest) else None,
        flipped=tally.flipped,
        reason=tally.reason,
    )


def _refusals(
    form: Model, fitted: Model, tally: _Tally, reference: Reference, examples: Examples
) -> frozenset[Variant]:
    """Find what the fitted estimator refuses, and hold the form to it."""
    contract = tally.contract
    usual = part(draw_rows(contract, reference, examples, {}), 0, 1)
    refused: list[Variant] = []
    for group in variants(contract):
        together = vary(usual, group, contract)
        if (expected := _ask(fitted, together)) is None:
            refused += _one_by_one(form, fitted, usual, group, tally)
        elif (answer := _ask(form, together)) is not None:
            tally.add(answer, expected)
        else:
            _one_by_one(form, fitted, usual, group, tally)
    return frozenset(refused)


def _one_by_one(
    form: Model, fitted: Model, usual: Rows, group: list[Variant], tally: _Tally
) -> list[Variant]:
    refused = []
    nullable = {column.name for column in tally.contract.features if column.nullable}
    for name, value in group:
        row = vary(usual, [(name, value)], tally.contract)
        expected, answer = _ask(fitted, row), _ask(form, row)
        if expected is not None and answer is not None:
            tally.add(answer, expected)
        elif expected is not None and (value is not None or name in nullable):
            # Elsewhere a missing value never gets as far as the model.
            raise _DiffersError(f"It refuses {name} = {value!r}, which the estimator answers.")
        elif expected is None:
            refused.append((name, value))
            if answer is not None and np.isfinite(answer).all():
                raise _DiffersError(
                    f"It answers {name} = {value!r}, which the fitted estimator refuses."
                )
    return refused


def _compare_all(form: Model, fitted: Model, rows: Rows, tally: _Tally) -> None:
    count = len(next(iter(rows.values())))
    for start in range(0, count, _CHUNK):
        chunk = part(rows, start, start + _CHUNK)
        expected = _ask(fitted, chunk)
        if expected is None:
            raise _DiffersError(
                "The fitted estimator refuses rows as the reference profile has them."
            )
        tally.add(_answer(form, chunk), expected)
        if start == 0:
            for r in range(min(_ALONE, count)):
                one = part(chunk, r, r + 1)
                tally.add(_answer(form, one), expected[r : r + 1])


def _answer(form: Model, rows: Rows) -> Scores:
    answer = _ask(form, rows)
    if answer is None:
        raise _DiffersError("It raises on rows that the fitted estimator answers.")
    return answer


def _ask(model: Model, rows: Rows) -> Scores | None:
    try:
        return model.predict(_plain(rows))
    except _RAISED:
        return None


def _plain(rows: Rows) -> Rows:
    """Polars takes objects as lists only."""
    return {name: v.tolist() if v.dtype == object else v for name, v in rows.items()}


def _labels(scores: Scores) -> NDArray[Any]:
    labels: NDArray[Any] = scores.argmax(axis=1) if scores.ndim > 1 else scores >= 0.5
    return labels
