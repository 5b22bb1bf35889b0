"""What each feature contributed to one answer."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from gleis.contracts.errors import GleisError, InvalidRowError
from gleis.serving.classes import Shown
from gleis.serving.rows import Row
from gleis.serving.service import Service
from gleis.serving.taken_apart import Apart, Parts, take_apart


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, taken apart."""

    prediction: Shown
    score: float | UnsetType = UNSET
    probabilities: dict[str, float] | UnsetType = UNSET
    model: str
    version: int
    fallback: bool
    """True if the baseline answers in the model's place; then it is what is explained."""
    flags: list[str]
    method: str
    explained: str | None
    """The class whose score is taken apart; None for a regression."""
    link: str
    """From the score to ``value``: identity, logit, log, or centred log-ratio (several classes)."""
    value: float
    """The score through the link."""
    base_value: float
    """The same where no feature is known."""
    contributions: dict[str, float]
    """Feature -> what it adds; with ``base_value`` they add up to ``value``."""


class Explainer:
    """Explains what one service answers.

    Rules are taken apart by all sets of the few columns they look at and linear models in closed
    form, both against the package's sample rows; trees by the training weights in their nodes.

    Parameters
    ----------
    service : Service
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._contract = service.contract
        self._prepared: dict[bool, Apart] = {}

    def explain(self, row: Row, of: str | None = None) -> Explanation:
        """Take the answer to a row apart; nothing is logged.

        Parameters
        ----------
        row : mapping
            As for a prediction.
        of : str, optional
            The class to explain; default: the likeliest, or the positive one of two.

        Raises
        ------
        RequestError
            The row breaks the contract, or there is no such class.
        CannotExplainError
            The model cannot be taken apart here.
        """
        batch = self.service.answer([row])
        answer = self.service.render(batch, [""])[0]
        scores = np.atleast_1d(np.asarray(batch.scores[0], dtype=np.float64))
        column = self._column(scores, of)
        parts = self._apart(batch.fallback).parts(batch.features, column)
        _check(parts, float(scores[column]))
        classes = self._contract.classes
        wide = self._contract.task == "multiclass"
        return Explanation(
            prediction=answer.prediction,
            score=answer.score,
            probabilities=answer.probabilities,
            model=answer.model,
            version=answer.version,
            fallback=answer.fallback,
            flags=answer.flags,
            method="shap",
            explained=classes[column if wide else 1] if classes else None,
            link=parts.link,
            value=parts.base + float(parts.values.sum()),
            base_value=parts.base,
            contributions=dict(zip(self._contract.names, parts.values.tolist(), strict=True)),
        )

    def _apart(self, fallback: bool) -> Apart:
        if fallback not in self._prepared:
            package = self.service.package
            model: Any = package.baseline if fallback else package.model
            background = package.examples.features
            self._prepared[fallback] = take_apart(model, self._contract, background)
        return self._prepared[fallback]

    def _column(self, scores: NDArray[np.float64], of: str | None) -> int:
        """Return which score is explained."""
        if of is None:
            return int(scores.argmax())
        classes = self._contract.classes or ()
        wide = self._contract.task == "multiclass"
        explained = classes if wide else classes[1:]
        if of not in explained:
            raise InvalidRowError(
                "class does not name a class that has a score",
                seen=of,
                remedy=f"Send one of {', '.join(explained)}, or leave it out."
                if explained
                else "Leave it out: a regression has no classes.",
                field="class",
            )
        return classes.index(of) if wide else 0


def _check(parts: Parts, score: float) -> None:
    """An explanation that is not of the score is worse than none."""
    if not abs(parts.score - score) <= parts.tolerance * max(1.0, abs(score)):
        raise GleisError(
            "The explanation does not add up to the score",
            seen=f"{parts.score} instead of {score}",
            remedy="This is a defect of gleis: please report it with the package.",
        )
