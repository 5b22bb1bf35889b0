"""Other models on the same test rows: simpler ones, and the one that is live."""

from __future__ import annotations

import msgspec

from gleis.contracts.figure import Figure


class Rival(msgspec.Struct, frozen=True, kw_only=True):
    """A model the candidate is compared with, row by row."""

    name: str
    """``linear``, ``shallow_tree``, or the champion's version: ``v3``."""
    description: str
    """A sentence: what it is."""
    figures: dict[str, Figure]
    gain: dict[str, Figure]
    """Paired difference, signed so that positive means the candidate is better."""
    notes: tuple[str, ...] = ()
