"""A recorded run held against the gates as they are now."""

from __future__ import annotations

import msgspec

from gleis.config.settings import Settings
from gleis.contracts.run import Run
from gleis.contracts.verdict import Verdict
from gleis.governance.gate_checks import check_gates
from gleis.governance.gates import judge
from gleis.governance.verdict_text import verdict_sentence


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict, and whether it is the recorded one."""

    run: str
    verdict: Verdict
    sentence: str
    """Whether it may ship, and why not."""
    changed: str = ""
    """A sentence where the gates have changed since the run was judged; else empty."""


def judge_again(run: Run, settings: Settings) -> Judged:
    """Hold the recorded evidence of a run against today's ``[gates]``; nothing is recorded.

    Parameters
    ----------
    run : Run
        A baseline keeps its recorded verdict: it is what the others are held against.
    settings : Settings

    Raises
    ------
    ConfigError
        If a gate could never be answered.
    """
    recorded = run.verdict
    if run.kind == "baseline" and recorded is not None:
        return _judged(run, recorded, "")
    check_gates(settings)
    verdict = judge(run.evidence, settings.gates)
    if recorded is None:
        return _judged(run, verdict, "The run has no recorded verdict.")
    before, now = _asked(recorded), _asked(verdict)
    if before == now:
        return _judged(run, recorded, "")
    was = "passed" if recorded.passed else "blocked"
    moved = sorted(before ^ now)
    names = ", ".join(dict.fromkeys(name for name, _ in moved))
    return _judged(
        run,
        verdict,
        f"The gates have changed since this run was judged ({names}); this holds its recorded "
        f"evidence against today's. The record says {was}, and stays.",
    )


def _judged(run: Run, verdict: Verdict, changed: str) -> Judged:
    return Judged(run=run.id, verdict=verdict, sentence=verdict_sentence(verdict), changed=changed)


def _asked(verdict: Verdict) -> set[tuple[str, str]]:
    return {(gate.gate, gate.asked) for gate in verdict.gates}
