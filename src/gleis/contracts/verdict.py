"""What the gates say of the evidence."""

from __future__ import annotations

from typing import Literal

import msgspec

from gleis.contracts.figure import Figure


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """One gate: asked, measured, answered."""

    gate: str
    """The figure's name, as in ``[gates]``."""
    asked: str
    """The rule, as in ``[gates]``."""
    measured: Figure | None
    """The figure the rule was held against; None where it is unknown."""
    status: Literal["pass", "fail", "unknown"]
    reason: str
    """A sentence with the figures."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """All gates together; an unknown one blocks."""

    gates: tuple[GateResult, ...]

    @property
    def passed(self) -> bool:
        """True if every gate passes."""
        return all(gate.status == "pass" for gate in self.gates)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it was blocked; empty if it passed."""
        return tuple(gate.reason for gate in self.gates if gate.status != "pass")
