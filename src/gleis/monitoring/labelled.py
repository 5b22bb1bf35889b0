"""Predictions whose truth is known, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract, Task
from gleis.contracts.errors import DataError
from gleis.data.target import label_to_target
from gleis.store.log.logged import Matched


class Labelled(msgspec.Struct, frozen=True):
    """Predictions and their truth, row by row; every list is as long as ``ids``."""

    ids: list[str]
    targets: list[float]
    """Class index, or value (regression)."""
    scores: list[Any]
    """float, or a list of floats (multiclass)."""
    times: list[datetime]
    """When the predicted thing happened, or else when it was predicted."""

    def arrays(self, task: Task) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Return targets (n_rows,) and scores (n_rows,) or (n_rows, n_classes)."""
        kind = np.float64 if task == "regression" else np.int64
        return np.array(self.targets, dtype=kind), np.array(self.scores, dtype=np.float64)

    def join(self, later: Labelled) -> Labelled:
        """Return these rows followed by others."""
        return Labelled(
            self.ids + later.ids,
            self.targets + later.targets,
            self.scores + later.scores,
            self.times + later.times,
        )

    def latest(self, rows: int) -> Labelled:
        """Return the last rows."""
        return Labelled(
            self.ids[-rows:], self.targets[-rows:], self.scores[-rows:], self.times[-rows:]
        )

    def mend(self, corrected: Mapping[str, float]) -> None:
        """Correct targets by id, in place; unknown ids are passed over."""
        for i, name in enumerate(self.ids) if corrected else ():
            self.targets[i] = corrected.get(name, self.targets[i])


class LabelsRead(NamedTuple):
    """What the log's matches say."""

    rows: Labelled
    """Rows labelled for the first time."""
    corrected: dict[str, float]
    """Target by id of rows labelled again; the last one counts."""
    unusable: int
    """Labels that are no class of the contract, or no number; they stay in the log."""


def read_matches(matched: Sequence[Matched], contract: Contract) -> LabelsRead:
    """Turn matches of the log into numbers the metrics know."""
    rows, corrected, unusable = Labelled([], [], [], []), dict[str, float](), 0
    targets = Targets(contract)
    for one in matched:
        target = targets.of(one.value)
        if target is None:
            unusable += 1
            continue
        if one.relabelled:
            corrected[one.prediction_id] = target
            continue
        rows.ids.append(one.prediction_id)
        rows.targets.append(target)
        rows.scores.append(one.score)
        rows.times.append(one.event_time or one.predicted_at)
    return LabelsRead(rows, corrected, unusable)


class Targets:
    """What labels mean, each way of writing one looked up once.

    Parameters
    ----------
    contract : Contract

    Examples
    --------
    >>> late = Contract(task="binary", features=(), target="late", classes=("0", "1"))
    >>> targets = Targets(late)
    >>> targets.of("1"), targets.of(True), targets.of("perhaps")
    (1.0, 1.0, None)
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._known: dict[tuple[type, Any], float | None] = {}

    def of(self, value: str | int | float | bool) -> float | None:
        """Return the target; None if it is no class of the contract, or no number."""
        key = (type(value), value)
        if key not in self._known:
            self._known[key] = self._find(value)
        return self._known[key]

    def _find(self, value: str | int | float | bool) -> float | None:
        try:
            return float(label_to_target(value, self._contract))
        except DataError:  # counted and shown; the label itself stays in the log
            return None
