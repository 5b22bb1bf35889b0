"""How the answers of one version are distributed: scores, classes, outlier scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gleis.contracts.prediction import Batch
from gleis.contracts.profile import NumberSketch
from gleis.serving.histogram import FEW, Histogram
from gleis.serving.service import Service
from gleis.store.counters import Cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHARES = tuple(step / 20 for step in range(1, 20))
_OF_THRESHOLD = (
    1 / 16,
    1 / 8,
    1 / 4,
    3 / 8,
    1 / 2,
    5 / 8,
    3 / 4,
    7 / 8,
    1,
    5 / 4,
    3 / 2,
    2,
    3,
    4,
    8,
)
"""Edges of the outlier score in multiples of the package's threshold."""


class Drawn:
    """Counts what a service answered.

    Parameters
    ----------
    service : Service
    cell : callable (family, *labels) -> ndarray of float64, (1,)
        The cell of a counter.
    histogram : callable (family, labels, edges) -> Histogram
    """

    def __init__(
        self,
        service: Service,
        cell: Callable[..., Cells],
        histogram: Callable[[str, tuple[str, ...], Sequence[float]], Histogram],
    ) -> None:
        version = str(service.version.number)
        classes = service.contract.classes or ()
        self._classes = [cell("gleis_answers", version, name) for name in classes]
        self._several = service.contract.task == "multiclass"
        self._scores = histogram("gleis_score", (version,), _score_edges(service))
        edges = _outlier_edges(service)
        self._outliers = histogram("gleis_outlier_score", (version,), edges) if edges else None

    def add(self, batch: Batch) -> None:
        """Count a batch that it answered."""
        if self._several:
            self._add_several(batch.scores)
        else:
            scores = batch.scores if batch.rows <= FEW else np.asarray(batch.scores)
            self._scores.add(scores)
            if self._classes:
                self._add_binary(scores)
        if self._outliers is not None and batch.outliers is not None:
            self._outliers.add(batch.outliers)

    def _add_binary(self, scores: Sequence[float] | NDArray[np.float64]) -> None:
        if isinstance(scores, np.ndarray):
            positive = int(np.count_nonzero(scores >= 0.5))
        else:
            positive = sum(score >= 0.5 for score in scores)
        self._classes[1][0] += positive
        self._classes[0][0] += len(scores) - positive

    def _add_several(self, scores: Sequence[Sequence[float]]) -> None:
        if len(scores) <= FEW:
            for row in scores:
                likeliest = max(row)
                self._scores.add((likeliest,))
                self._classes[row.index(likeliest)][0] += 1
            return
        table = np.asarray(scores)
        self._scores.add(table.max(axis=1))
        counts = np.bincount(table.argmax(axis=1), minlength=len(self._classes))
        for cells, count in zip(self._classes, counts.tolist(), strict=True):
            cells[0] += count


def _score_edges(service: Service) -> tuple[float, ...]:
    """Twentieths for probabilities; for values the bins of the package's reference profile."""
    if service.contract.task != "regression":
        return _SHARES
    sketch = service.package.reference.scores.columns["score"]
    return sketch.edges if isinstance(sketch, NumberSketch) else ()


def _outlier_edges(service: Service) -> tuple[float, ...]:
    """Multiples of the package's threshold; none without an outlier model."""
    model = service.package.outliers
    if model is None or not math.isfinite(model.threshold):
        return ()
    edges = {part * model.threshold for part in _OF_THRESHOLD}
    return tuple(sorted({*edges, model.threshold}))
