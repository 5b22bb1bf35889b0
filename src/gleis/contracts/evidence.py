"""What is known about a model, as figures with intervals."""

from __future__ import annotations

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A number and the interval it is known to."""

    value: float
    low: float
    """Lower end of the interval (percentile bootstrap unless said otherwise)."""
    high: float
    level: float = 0.95
    """Coverage of the interval."""


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
    notes: tuple[str, ...] = ()
    """Plain sentences: rows left out, slices too small."""
