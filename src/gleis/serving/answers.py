"""What a client reads about each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from gleis.contracts.contract import Contract
from gleis.contracts.prediction import Batch, Reason
from gleis.serving.classes import ClassLabels, Shown


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer to one row."""

    prediction_id: str
    """Names this prediction for ever; send the truth with it."""
    prediction: Shown
    """The class, or the value of a regression."""
    score: float | UnsetType = UNSET
    """Probability of the positive class (binary), or the value."""
    probabilities: dict[str, float] | UnsetType = UNSET
    """Probability of each class (multiclass)."""
    model: str
    version: int
    fallback: bool
    """True if the baseline answered in the model's place."""
    reason: Reason | UnsetType = UNSET
    """Why it did: ``error``, ``timeout``, ``outlier``, ``unavailable`` or ``features``; absent if
    it did not."""
    flags: list[str]
    """What was unusual about the row: ``"distance: out of range"``."""


class Renderer:
    """Writes answers from a batch and its prediction ids.

    Parameters
    ----------
    contract : Contract
    name : str
        Name of the model.
    """

    def __init__(self, contract: Contract, name: str) -> None:
        self._task = contract.task
        self._classes = contract.classes or ()
        self._shown = ClassLabels(self._classes).shown
        self._name = name

    def render(self, batch: Batch, ids: Sequence[str]) -> list[Answer]:
        """Return an answer for each row.

        Parameters
        ----------
        batch : Batch
        ids : sequence of str, (n_rows,)
            Prediction ids, as the log gave them.
        """
        reason = batch.reason or UNSET
        name, version, fallback = self._name, batch.version, batch.fallback
        answered = zip(
            ids, batch.scores, self._predictions(batch.scores), _flags_by_row(batch), strict=True
        )
        if self._task == "multiclass":
            return [
                Answer(
                    prediction_id=prediction_id,
                    prediction=prediction,
                    probabilities=dict(zip(self._classes, score, strict=True)),
                    model=name,
                    version=version,
                    fallback=fallback,
                    reason=reason,
                    flags=flags,
                )
                for prediction_id, score, prediction, flags in answered
            ]
        return [
            Answer(
                prediction_id=prediction_id,
                prediction=prediction,
                score=score,
                model=name,
                version=version,
                fallback=fallback,
                reason=reason,
                flags=flags,
            )
            for prediction_id, score, prediction, flags in answered
        ]

    def _predictions(self, scores: Sequence[Any]) -> Sequence[Shown]:
        """Return the class of each row, or the value of a regression."""
        if self._task == "regression":
            return scores
        shown = self._shown
        if self._task == "binary":
            return [shown[score >= 0.5] for score in scores]
        return [shown[max(range(len(score)), key=score.__getitem__)] for score in scores]


def _flags_by_row(batch: Batch) -> list[list[str]]:
    """Turn flag -> positions into flags of each row."""
    found: list[list[str]] = [[] for _ in range(batch.rows)]
    for flag, positions in batch.flags.items():
        for position in positions:
            found[position].append(flag)
    return found
