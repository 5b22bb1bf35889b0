"""What is known about a model, as figures with intervals."""

from __future__ import annotations

import msgspec

from gleis.contracts.explanation import Importance, Surrogate
from gleis.contracts.fairness import Fairness
from gleis.contracts.figure import Figure
from gleis.contracts.leakage import Leakage
from gleis.contracts.rivals import Rival
from gleis.contracts.robustness import Robustness, WorstSlice


class SliceFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the rows where ``column`` equals ``value``."""

    column: str
    value: str
    rows: int
    figures: dict[str, Figure]
    """Empty where the slice is too small, or has one class only: unknown, not good."""


class CalibrationBin(msgspec.Struct, frozen=True, kw_only=True):
    """One bin of the reliability diagram."""

    low: float
    high: float
    rows: int
    predicted: float
    """Mean score."""
    observed: float
    """Share of positives."""


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """Whether another form of the model answers as the fitted estimator does."""

    accepted: bool
    """If not, the fitted estimator itself answers."""
    rows: int = 0
    """Rows on which both were asked."""
    cuts: int = 0
    """Distinct thresholds whose floating-point neighbours are among the rows."""
    difference: float | None = None
    """Largest absolute difference of two scores; None if they were not compared."""
    flipped: int = 0
    """Rows that got another label."""
    reason: str = ""
    """Why it was refused, a sentence."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a run measured on rows the model has not seen."""

    rows: int
    """Test rows."""
    figures: dict[str, Figure]
    baseline: dict[str, Figure]
    """The same figures of the baseline on the same rows."""
    gain: dict[str, Figure]
    """Paired difference, signed so that positive means better than the baseline."""
    slices: tuple[SliceFigures, ...] = ()
    calibration: tuple[CalibrationBin, ...] = ()
    compiled: Parity | None = None
    """Whether the compiled form answers requests; None for a heuristic."""
    onnx: Parity | None = None
    """Whether the ONNX form may be handed out; None if none was made."""
    notes: tuple[str, ...] = ()
    """Plain sentences: rows left out, slices too small."""
    fairness: Fairness | None = None
    """None where no protected column is named."""
    robustness: Robustness | None = None
    worst_slice: WorstSlice | None = None
    leakage: Leakage | None = None
    simpler: tuple[Rival, ...] = ()
    """Simpler models, fitted on the same training rows."""
    champion: Rival | None = None
    """The model that is live, on the same test rows; None if no gate asks for it."""
    importance: tuple[Importance, ...] = ()
    surrogate: Surrogate | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """All that a reader must know beside the figures: the notes, and the signs of leaks."""
        leaks = self.leakage.leaks if self.leakage is not None else ()
        return (*self.notes, *(leak.reason for leak in leaks))
