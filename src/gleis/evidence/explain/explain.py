"""One way to ask for every explanation."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from gleis.contracts.errors import CannotExplainError, InvalidRowError
from gleis.contracts.explanation import Explanation
from gleis.evidence.explain.explainable import Explainable
from gleis.evidence.explain.methods import LOCAL, MODEL, Function


def explain(
    model: Explainable, rows: Mapping[str, Any] | None, method: str, **options: Any
) -> Explanation:
    """Explain an answer, or a model.

    Parameters
    ----------
    model : Explainable
    rows : mapping
        For a method of one row: feature -> value. For a method of the model: feature -> values,
        each (n_rows,); None takes the background.
    method : str
        A key of ``methods.LOCAL`` or ``methods.MODEL``.
    **options
        What the method takes, such as ``of`` (a class), ``feature``, ``seed``.

    Returns
    -------
    Explanation
        Its ``fidelity`` says how far it can be relied on.

    Raises
    ------
    InvalidRowError
        There is no such method, option, class or feature.
    CannotExplainError
        The model cannot be explained this way, or the explanation failed its own check: then it
        is not shown.
    """
    function = _function(method)
    _check_options(function, method, options)
    if method in LOCAL:
        row = dict(rows or {})
        explained = function(model.knowing({k: [v] for k, v in row.items()}), row, **options)
    else:
        asked = model.background if rows is None else rows
        explained = function(model.knowing(asked), asked, **options)
    return _checked(explained)


def options_of(method: str) -> dict[str, Any]:
    """Return what a method can be told beside model and rows: name -> default.

    ``inspect.Parameter.empty`` where there is none: it must be given.
    """
    found = inspect.signature(_function(method)).parameters.values()
    return {p.name: p.default for p in list(found)[2:]}


def _function(method: str) -> Function:
    known = LOCAL | MODEL
    if method not in known:
        raise InvalidRowError(
            "There is no such method of explaining",
            seen=method,
            remedy=f"Ask for one of {', '.join(known)}.",
            field="method",
        )
    return known[method]


def _check_options(function: Function, method: str, options: Mapping[str, Any]) -> None:
    known = options_of(method)
    for name in options:
        if name not in known:
            raise InvalidRowError(
                f"{method} has no option {name}",
                remedy=f"Its options: {', '.join(known)}." if known else "It has none.",
                field=name,
            )
    for name, default in known.items():
        if default is inspect.Parameter.empty and name not in options:
            raise InvalidRowError(f"{method} needs {name}", remedy=f"Say which {name}.", field=name)


def _checked(explanation: Explanation) -> Explanation:
    """Let no explanation out that says of itself that it is none."""
    for check in explanation.fidelity:
        if not check.holds:
            raise CannotExplainError(
                f"The {explanation.method} explanation fails its own check, so it is not shown: "
                f"{check.measure} is {check.value:.6g}, asked is {check.asked}",
                remedy="Try another method.",
            )
    return explanation
