"""What a sweep of mitigations is asked to try."""

from __future__ import annotations

import msgspec

from gleis.contracts.mitigation import MITIGATIONS

STRENGTHS = (0.25, 0.5, 0.75, 1.0)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which fits, and what they are weighed by."""

    figure: str | None = None
    """Disparity that the frontier weighs; by default the first of the task."""
    quality: str | None = None
    """Figure of quality that it weighs; by default the first of the task."""
    strengths: tuple[float, ...] = STRENGTHS
    methods: tuple[str, ...] = tuple(MITIGATIONS)
