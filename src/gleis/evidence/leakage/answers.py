"""Features that tell too much: the target in other words, a name of the row, or one too good."""

from __future__ import annotations

import numpy as np
import polars as pl

from gleis.config.settings import Settings
from gleis.contracts.leakage import Leak
from gleis.evidence.leakage.alone import Alone, predict_alone
from gleis.evidence.leakage.sides import Finding, Sides
from gleis.evidence.leakage.words import listed

NEAR_ONE = 0.98
"""ROC AUC, accuracy or R2 of one feature alone that is worth a word."""
PERFECT = 0.9995
"""From here on it is certain, where the next feature is below ``PLAIN``."""
PLAIN = 0.9
_SAME_ORDER = 0.99999
_FEW = 3
"""More features than this that are so good are a property of the task."""
_MIN_ROWS = 100
_MIN_CLASS = 20
_ID_ROWS = 50


def find_answers(sides: Sides, settings: Settings, seed: int) -> Finding:
    """Look at each feature alone.

    Parameters
    ----------
    sides : Sides
    settings : Settings
        ``[split]``.
    seed : int

    Returns
    -------
    Finding
        - ``target``, certain: a feature that is one-to-one with the target, or in its very order.
        - ``id``: a whole number or a text that is another one in every row. Certain where it is
          a counter that predicts the target, and the split is not by time: then the table is
          sorted by it.
        - ``predictor``: a feature that alone reaches 0.98, 0.05 above the next. Certain where
          it makes no error to speak of and all but two others are below 0.9.
    """
    alone = predict_alone(sides, seed)
    found: dict[str, Leak] = {}
    for column in sides.contract.features:
        leak = _target(sides, column.name, alone) or _id(sides, settings, column.name, alone)
        if leak is not None:
            found[column.name] = leak
    for leak in _predictors(sides, alone, set(found)):
        found[leak.column or ""] = leak
    best = max(alone.quality, key=lambda name: alone.quality[name])
    said = (
        f"Features one by one, on {alone.rows:,} rows: the best alone is {best}, "
        f"{alone.name} {alone.quality[best]:.3f}"
        + ("." if found else "; none is the target in other words, or a name.")
    )
    return Finding((said,), tuple(found.values()))


def _target(sides: Sides, name: str, alone: Alone) -> Leak | None:
    target = sides.contract.target
    if alone.ordered.get(name, 0.0) >= _SAME_ORDER and len(np.unique(sides.y)) >= 10:
        what = f"{name} puts the rows in the very order of {target}"
    elif _one_to_one(sides, name):
        what = f"{name} is {target} in other words: each value of one goes with one of the other"
    else:
        return None
    return Leak(
        kind="target",
        column=name,
        certain=True,
        reason=f"{what}. {_exclude(name)}",
    )


def _one_to_one(sides: Sides, name: str) -> bool:
    """Say whether values and answers go together in pairs, each in several rows."""
    answers = pl.Series("y", sides.y)
    kinds = answers.n_unique()
    values = sides.rows[name]
    if values.n_unique() - (values.null_count() > 0) != kinds or kinds * 2 > answers.len():
        return False
    pairs = pl.DataFrame({"x": values, "y": answers}).drop_nulls("x")
    return pairs.height >= answers.len() / 2 and kinds == pairs.n_unique()


def _id(sides: Sides, settings: Settings, name: str, alone: Alone) -> Leak | None:
    values = sides.rows[name]
    if values.len() < _ID_ROWS or values.dtype.is_float() or values.n_unique() < values.len():
        return None
    counter = values.dtype.is_integer() and _is_counter(values)
    if not counter and values.dtype.is_integer() and name != settings.project.id:
        return None  # amounts in cents may well be all different
    telling = counter and settings.split.by != "time" and _tells(sides, name, alone)
    said = f"{name} has another value in each of {values.len():,} rows, as a name has"
    if telling:
        said += (
            f", and predicts {sides.contract.target} ({alone.name} {alone.quality[name]:.3f} "
            "alone): the table is sorted by it"
        )
    return Leak(kind="id", column=name, certain=telling, reason=f"{said}. {_exclude(name)}")


def _is_counter(values: pl.Series) -> bool:
    low, high = values.min(), values.max()
    return float(high) - float(low) < 1.05 * values.len()  # type: ignore[arg-type]


def _tells(sides: Sides, name: str, alone: Alone) -> bool:
    """Say whether the figure is above chance by more than four standard errors and 0.05."""
    rows = alone.rows
    if sides.contract.task == "binary":
        rarer = min((sides.y == 1).mean(), (sides.y != 1).mean()) * rows
        error = 1 / np.sqrt(12 * max(float(rarer), 1.0))
    else:
        error = 1 / np.sqrt(rows)
    return bool(alone.quality[name] - alone.chance > 0.05 + 4 * error)


def _predictors(sides: Sides, alone: Alone, known: set[str]) -> list[Leak]:
    rest = {name: value for name, value in alone.quality.items() if name not in known}
    high = sorted((name for name in rest if rest[name] >= NEAR_ONE), key=lambda name: -rest[name])
    others = [value for name, value in rest.items() if name not in high]
    next_best = max([alone.chance, *others])
    if not high or len(high) > _FEW or min(rest[n] for n in high) - next_best < 0.05:
        return []
    leaks = []
    for name in high:
        certain = rest[name] >= PERFECT and next_best < PLAIN and _enough(sides, alone)
        beside = [other for other in high if other != name]
        said = (
            f"{name} alone predicts {sides.contract.target} with {alone.name} {rest[name]:.4f}; "
            f"the next feature{f' beside {listed(beside)}' if beside else ''} reaches "
            f"{next_best:.3f}. Is it known when the model is asked? If not: {_exclude(name)}"
        )
        leaks.append(Leak(kind="predictor", column=name, certain=certain, reason=said))
    return leaks


def _enough(sides: Sides, alone: Alone) -> bool:
    if sides.contract.task == "regression":
        return alone.rows >= _MIN_ROWS
    counts = np.bincount(sides.y.astype(np.intp))
    return alone.rows >= _MIN_ROWS and int(counts[counts > 0].min()) >= _MIN_CLASS


def _exclude(name: str) -> str:
    return f'[features] exclude = ["{name}"].'
