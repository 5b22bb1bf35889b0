"""Bins of the score, within which a label is taken to be missing by chance."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Task
from gleis.contracts.profile import NumberSketch, Profile
from gleis.evidence.decisions import decide

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

_CONFIDENCE = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95, 0.99)
_CLASSES = 6
"""Classes told apart at most; with more, bins are of the confidence only."""


class ScoreBins(msgspec.Struct, frozen=True, kw_only=True):
    """Where scores are cut.

    Binary and regression: about 16 bins of equally many test rows, and for classes the decision's
    own border, 0.5: who acts on the decision labels one side of it. Several classes: the most
    probable class, and how probable it is.

    Examples
    --------
    >>> ScoreBins(edges=(0.2, 0.5), classes=1).code(np.array([0.1, 0.2, 0.3, 0.9])).tolist()
    [0, 0, 1, 2]
    """

    edges: tuple[float, ...]
    """A score belongs to the bin below an edge if it is at most the edge."""
    classes: int
    """Classes that have bins of their own; 1 without."""

    @property
    def number(self) -> int:
        """How many bins there are."""
        return (len(self.edges) + 1) * self.classes

    def code(self, scores: Floats) -> Codes:
        """Return the bin of each row, (n_rows,)."""
        if scores.ndim == 1:
            return np.searchsorted(np.array(self.edges), scores, side="left").astype(np.int64)
        best = np.searchsorted(np.array(self.edges), scores.max(axis=1), side="left")
        own = decide(scores) if self.classes > 1 else np.zeros(len(scores), dtype=np.int64)
        # Neighbours are other classes at the same confidence, not the next class's least.
        codes: Codes = (best * self.classes + own).astype(np.int64)
        return codes


def make_bins(scores: Profile, task: Task) -> ScoreBins:
    """Cut where the reference's sketch of the scores cuts, at every other edge."""
    if task == "multiclass":
        n_classes = len(scores.columns)
        return ScoreBins(edges=_CONFIDENCE, classes=n_classes if n_classes <= _CLASSES else 1)
    sketch = next(iter(scores.columns.values()))
    edges = set(sketch.edges[1:-1:2]) if isinstance(sketch, NumberSketch) else set()
    if task == "binary":
        edges.add(0.5)
    return ScoreBins(edges=tuple(sorted(edges)), classes=1)
