"""A verdict as lines of a table, for the terminal, the card and the report."""

from __future__ import annotations

from typing import NamedTuple

from gleis.contracts.verdict import Verdict
from gleis.governance.figure_text import figure_text


class VerdictRow(NamedTuple):
    """One gate as text."""

    gate: str
    asked: str
    measured: str
    """Value and interval, or ``unknown``."""
    status: str
    """``pass``, ``fail`` or ``unknown``."""
    reason: str


def verdict_rows(verdict: Verdict) -> list[VerdictRow]:
    """Return one row a gate, in the order they were judged."""
    return [
        VerdictRow(
            gate=gate.gate,
            asked=gate.asked,
            measured="unknown" if gate.measured is None else figure_text(gate.measured),
            status=gate.status,
            reason=gate.reason,
        )
        for gate in verdict.gates
    ]


def verdict_sentence(verdict: Verdict) -> str:
    """Say in one sentence whether the model may ship, and why not.

    Examples
    --------
    >>> from gleis.contracts.verdict import GateResult
    >>> gate = GateResult(gate="f1", asked="> 0", measured=None, status="pass", reason="")
    >>> verdict_sentence(Verdict(gates=(gate, gate)))
    'Passed: 2 of 2 gates hold.'
    """
    if verdict.passed:
        return verdict_headline(verdict)
    return f"{verdict_headline(verdict).rstrip('.')}: {'; '.join(verdict.reasons)}."


def verdict_headline(verdict: Verdict) -> str:
    """Say whether the model may ship, without the reasons.

    Examples
    --------
    >>> verdict_headline(Verdict(gates=()))
    'Passed: 0 of 0 gates hold.'
    """
    count = len(verdict.gates)
    if verdict.passed:
        return f"Passed: {count} of {count} gates hold."
    return f"Blocked by {len(verdict.reasons)} of {count} gates."
