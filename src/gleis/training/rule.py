"""The baseline: the project's rule, or the majority or mean, as a table that can be served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.errors import ProjectError
from gleis.data.module import ProjectModule
from gleis.data.target import class_labels
from gleis.packaging.derive import derive_rule
from gleis.packaging.rule import Rule, constant_rule
from gleis.training.prepare import Prepared

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores


def make_rule(module: ProjectModule, prepared: Prepared) -> Rule:
    """Turn the project's ``baseline`` into a rule without code.

    The rule sees what a request carries (the features) and, if it asks for it, the labelled
    training rows as ``history``; its answers are tabulated over all rows.

    Raises
    ------
    ProjectError
        If ``baseline`` fails, answers something else than one prediction a row, or cannot be
        written as a table.
    """
    train = prepared.split.train
    if module.baseline is None:
        return constant_rule(_average(prepared.target[train], prepared.contract))
    answers = _call(module, prepared)
    scores = _as_scores(answers, prepared)
    return derive_rule(prepared.features, scores, prepared.contract.names)


def _call(module: ProjectModule, prepared: Prepared) -> pl.Series | NDArray[Any]:
    """Ask the project; what it raises names its line already."""
    history = prepared.part(prepared.split.train)
    answers = module.baseline(prepared.features, history) if module.baseline else None
    return _checked(answers, prepared.rows.height)


def _checked(answers: Any, rows: int) -> pl.Series | NDArray[Any]:
    values = answers if isinstance(answers, pl.Series) else np.asarray(answers)
    if len(values) != rows:
        raise ProjectError(
            f"baseline() answered {len(values)} predictions for {rows} rows",
            remedy="Return one prediction a row, in the order of the rows.",
            field="baseline",
        )
    series = values if isinstance(values, pl.Series) else None
    missing = series.null_count() if series is not None else 0
    if missing:
        raise ProjectError(
            f"baseline() left {missing} predictions missing",
            remedy="Fill them, say with the overall rate: .fill_null(history['y'].mean()).",
            field="baseline",
        )
    return values


def _as_scores(answers: pl.Series | NDArray[Any], prepared: Prepared) -> Scores:
    """Turn answers (probabilities, class labels or values) into scores."""
    contract = prepared.contract
    values = answers.to_numpy() if isinstance(answers, pl.Series) else answers
    if contract.classes is None:
        return _numbers(values)
    if values.ndim == 2:
        return _probabilities(values, len(contract.classes))
    if contract.task == "binary" and not _are_classes(values, contract.classes):
        scores = _numbers(values)
        if ((scores < 0) | (scores > 1)).any():
            raise ProjectError(
                "baseline() answered numbers that are neither probabilities nor classes",
                seen=float(scores[(scores < 0) | (scores > 1)][0]),
                remedy=f"Return probabilities in [0, 1] or one of {list(contract.classes)}.",
                field="baseline",
            )
        return scores
    return _from_classes(class_labels(pl.Series(values)).to_numpy(), prepared)


def _are_classes(values: NDArray[Any], classes: tuple[str, ...]) -> bool:
    """Say whether every value is a class; probabilities with fractions are not."""
    if values.dtype.kind == "f" and (values % 1 != 0).any():
        return False
    return set(class_labels(pl.Series(values)).to_list()) <= set(classes)


def _from_classes(text: NDArray[Any], prepared: Prepared) -> Scores:
    """Give each class the rule names the class shares seen in training where it named it.

    A bare label has no log loss; its observed hit rate does.
    """
    contract, train = prepared.contract, prepared.split.train
    classes = contract.classes or ()
    unknown = sorted(set(text.tolist()) - set(classes))
    if unknown:
        raise ProjectError(
            "baseline() answered a class that is not among the target's",
            seen=unknown[0],
            remedy=f"The classes are {list(classes)}.",
            field="baseline",
        )
    overall = _shares(prepared.target[train], len(classes))
    scores = np.tile(overall, (len(text), 1))
    for name in set(text.tolist()):
        told = text == name
        seen = prepared.target[train][told[train]]
        if len(seen):
            scores[told] = _shares(seen, len(classes))
    return scores[:, 1] if contract.task == "binary" else scores


def _shares(target: NDArray[Any], classes: int) -> Scores:
    counts = np.bincount(target.astype(np.int64), minlength=classes) + 1.0
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def _average(target: NDArray[Any], contract: Contract) -> float | list[float]:
    if contract.classes is None:
        return float(target.mean())
    shares = np.bincount(target.astype(np.int64), minlength=len(contract.classes)) / len(target)
    return float(shares[1]) if contract.task == "binary" else shares.tolist()


def _numbers(values: NDArray[Any]) -> Scores:
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ProjectError(
            f"baseline() answered something that is not a number: {error}", field="baseline"
        ) from error
    if not np.isfinite(numbers).all():
        raise ProjectError("baseline() answered missing or infinite numbers", field="baseline")
    return np.asarray(numbers, dtype=np.float64)


def _probabilities(values: NDArray[Any], classes: int) -> Scores:
    numbers = _numbers(values)
    if numbers.shape[1] != classes or not np.allclose(numbers.sum(axis=1), 1):
        raise ProjectError(
            f"baseline() must answer {classes} probabilities a row that sum to 1",
            seen=numbers[0].tolist(),
            field="baseline",
        )
    return numbers
