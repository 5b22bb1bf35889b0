"""What a client reads about each row."""

from __future__ import annotations

from collections.abc import Sequence

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
    """Why it did: ``error``, ``timeout``, ``outlier`` or ``unavailable``; absent if it did not."""
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
        flags = _flags_by_row(batch)
        multiclass = self._task == "multiclass"
        reason = batch.reason or UNSET
        return [
            Answer(
                prediction_id=prediction_id,
                prediction=self._prediction(score),
                score=UNSET if multiclass else score,
                probabilities=(
                    dict(zip(self._classes, score, strict=True)) if multiclass else UNSET
                ),
                model=self._name,
                version=batch.version,
                fallback=batch.fallback,
                reason=reason,
                flags=flags[position] if flags else [],
            )
            for position, (prediction_id, score) in enumerate(zip(ids, batch.scores, strict=True))
        ]

    def _prediction(self, score: float | list[float]) -> Shown:
        if isinstance(score, list):
            return self._shown[max(range(len(score)), key=score.__getitem__)]
        return self._shown[score >= 0.5] if self._task == "binary" else score


def _flags_by_row(batch: Batch) -> list[list[str]]:
    """Turn flag -> positions into flags of each row; empty if there are none at all."""
    if not batch.flags:
        return []
    found: list[list[str]] = [[] for _ in range(batch.rows)]
    for flag, positions in batch.flags.items():
        for position in positions:
            found[position].append(flag)
    return found
