"""Signs that a test score is too good to be true."""

from __future__ import annotations

from typing import Literal

import msgspec

from gleis.contracts.figure import Figure

LeakKind = Literal["group", "time", "duplicates", "predictor", "target", "id", "late"]


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """One sign."""

    kind: LeakKind
    """``group``: rows of one group on both sides of the split. ``time``: training later than
    testing. ``duplicates``: the same or nearly the same rows on both sides. ``predictor``: a
    feature that alone predicts the target. ``target``, ``id``: the answer or a name among the
    features. ``late``: a feature known only after the decision."""
    column: str | None
    certain: bool
    """A certain one fails the gate ``leakage = "none"``; another one is a warning."""
    reason: str
    """A sentence with the figures."""
    figures: dict[str, Figure] = {}
    """Such as ``random.accuracy`` and ``grouped.accuracy``: the honest figure beside the other."""


class Leakage(msgspec.Struct, frozen=True, kw_only=True):
    """All signs, and what was looked for."""

    checked: tuple[str, ...]
    """Sentences: what was looked for, with which columns."""
    leaks: tuple[Leak, ...] = ()
    unchecked: tuple[str, ...] = ()
    """Sentences: what should have been looked for and could not be, and why. What does not apply,
    such as time without a time column, is not here."""
