"""What mitigations cost and what they give, side by side."""

from __future__ import annotations

import msgspec

from gleis.contracts.figure import Figure
from gleis.contracts.mitigation import Constraint, When


class SweepPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One fit, measured on the test rows."""

    mitigation: str | None
    """None for the model as it is."""
    when: When | None = None
    constraint: Constraint | None = None
    strength: float = 0.0
    by_group: bool = False
    """Whether it decides by group."""
    quality: dict[str, Figure]
    disparities: dict[str, Figure]
    """Those that were asked for."""
    frontier: bool = False
    """Whether none of the others is as good and fairer, or as fair and better."""
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The mitigation, or ``no mitigation``."""
        return self.mitigation or "no mitigation"


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A mitigation that cannot be applied here."""

    mitigation: str
    reason: str
    """A sentence."""


class FairnessSweep(msgspec.Struct, frozen=True, kw_only=True):
    """Every mitigation at several strengths."""

    attribute: str
    """The protected columns, joined by ``*``."""
    quality: str
    """Figure of quality that the frontier weighs."""
    greater_is_better: bool
    figure: str
    """Disparity that it weighs."""
    train_rows: int
    test_rows: int
    points: tuple[SweepPoint, ...]
    """The model as it is first."""
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...] = ()
