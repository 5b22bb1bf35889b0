"""Which other answer is asked for, and how far scores are from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import InvalidRowError
from gleis.contracts.explanation import Explained
from gleis.evidence.explain.explainable import Explainable

Array = NDArray[Any]


@dataclass(frozen=True)
class Want:
    """Another answer."""

    model: Explainable
    now: int
    """The class the row gets; 0 of a regression."""
    to: int | None
    """The class asked for; None: any other."""
    low: float = -np.inf
    """Of a regression: the value asked for is at least this ..."""
    high: float = np.inf
    """... and at most this."""

    def given(self, scores: Array) -> Array:
        """Return which rows get the answer, (n_rows,) bool."""
        if self.model.contract.task == "regression":
            found: Array = (scores >= self.low) & (scores <= self.high)
            return found
        answers = self.model.answers_of(scores)
        return np.asarray(answers != self.now if self.to is None else answers == self.to)

    def lacking(self, scores: Array) -> Array:
        """Return how much the score lacks, (n_rows,); at most 0 where the answer is given."""
        if self.model.contract.task == "regression":
            found: Array = np.maximum(self.low - scores, scores - self.high)
            return found
        if scores.ndim == 1:
            short: Array = scores - 0.5 if self.now == 1 else 0.5 - scores
            return short
        asked = scores.copy()
        if self.to is None:
            other = np.delete(asked, self.now, axis=1).max(axis=1)
            more: Array = asked[:, self.now] - other
            return more
        asked[:, self.to] = -np.inf
        rest: Array = asked.max(axis=1) - scores[:, self.to]
        return rest

    @property
    def said(self) -> str:
        """What is asked for, in words."""
        if self.model.contract.task == "regression":
            ends = [f"at least {self.low:g}"] if self.low > -np.inf else []
            ends += [f"at most {self.high:g}"] if self.high < np.inf else []
            return f"a value of {' and '.join(ends)}"
        classes = self.model.contract.classes or ()
        return f"the answer {classes[self.to]}" if self.to is not None else "another answer"


def read_want(
    model: Explainable,
    explained: Explained,
    to: str | None,
    at_least: float | None,
    at_most: float | None,
) -> Want:
    """Check what is asked for.

    Parameters
    ----------
    model : Explainable
    explained : Explained
        The answer the row gets.
    to : str or None
        A class.
    at_least, at_most : float or None
        Of a regression.

    Raises
    ------
    InvalidRowError
        There is no such class, the row has the answer already, or a regression is asked for no
        value.
    """
    if model.contract.task == "regression":
        return _values(model, explained, to, at_least, at_most)
    for name, value in (("at_least", at_least), ("at_most", at_most)):
        if value is not None:
            raise InvalidRowError(
                f"{name} is for a regression", seen=value, remedy="Say to = a class.", field=name
            )
    classes = model.contract.classes or ()
    now = classes.index(str(explained.prediction))
    if to is None:
        return Want(model, now, 1 - now if len(classes) == 2 else None)
    if to not in classes:
        raise InvalidRowError(
            "to does not name a class", seen=to, remedy=f"Say one of {', '.join(classes)}.",
            field="to",
        )  # fmt: skip
    if classes.index(to) == now:
        raise InvalidRowError(
            "The row gets this answer already", seen=to, remedy="Ask for another.", field="to"
        )
    return Want(model, now, classes.index(to))


def _values(
    model: Explainable,
    explained: Explained,
    to: str | None,
    at_least: float | None,
    at_most: float | None,
) -> Want:
    remedy = "Say at_least, at_most or both: the value that is wanted instead."
    if to is not None:
        raise InvalidRowError("A regression has no classes", seen=to, remedy=remedy, field="to")
    if at_least is None and at_most is None:
        raise InvalidRowError("Which value is wanted is not said", remedy=remedy, field="at_least")
    low = -np.inf if at_least is None else at_least
    high = np.inf if at_most is None else at_most
    if not low <= high:
        raise InvalidRowError(
            "at_least is more than at_most",
            seen=f"{at_least} and {at_most}",
            remedy="Exchange them.",
            field="at_least",
        )
    if low <= explained.score <= high:
        raise InvalidRowError(
            "The row gets such a value already",
            seen=explained.score,
            remedy="Ask for another.",
            field="at_least",
        )
    return Want(model, 0, None, low, high)
