from __future__ import annotations

from gleis.contracts.figure import Figure
from gleis.contracts.verdict import GateResult, Verdict
from gleis.governance.verdict_text import verdict_rows, verdict_sentence

GOOD = GateResult(
    gate="roc_auc",
    asked=">= 0.6",
    measured=Figure(value=0.683, low=0.672, high=0.694),
    status="pass",
    reason="roc_auc holds",
)
BAD = GateResult(gate="f1", asked="> 0", measured=None, status="unknown", reason="f1 is unknown")


def test_rows():
    first, second = verdict_rows(Verdict(gates=(GOOD, BAD)))
    assert first == ("roc_auc", ">= 0.6", "0.683 (0.672 to 0.694)", "pass", "roc_auc holds")
    assert second.measured == "unknown"


def test_sentence():
    assert verdict_sentence(Verdict(gates=(GOOD,))) == "Passed: 1 of 1 gates hold."
    blocked = verdict_sentence(Verdict(gates=(GOOD, BAD)))
    assert blocked == "Blocked by 1 of 2 gates: f1 is unknown."
