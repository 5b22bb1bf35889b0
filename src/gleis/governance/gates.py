"""The gates: what the evidence must show before a model may ship."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from gleis.contracts.evidence import Evidence
from gleis.contracts.figure import Figure
from gleis.contracts.rivals import Rival
from gleis.contracts.verdict import GateResult, Verdict
from gleis.evidence.metrics import PRIMARY_LOSS
from gleis.governance.figure_names import FAIRNESS, find_attribute, named_figures, why_absent
from gleis.governance.figure_text import end_text, figure_text
from gleis.governance.gate_rules import BETTER, LEAKAGE, SIMPLER, Gate, parse_gates

Status = Literal["pass", "fail", "unknown"]
_NOT_A_NUMBER = "it was measured as not a number"


def judge(evidence: Evidence, gates: Mapping[str, str | Sequence[str]]) -> Verdict:
    """Hold the evidence against the gates.

    A threshold is held against the interval's unfavourable end: ``>=`` against the lower one,
    ``<=`` against the upper one; ``by value`` at the end of a rule asks for the value instead.
    ``better than`` asks that the whole interval of the paired difference lies above 0. An unknown
    figure blocks. Where no gate asks for better than the baseline, the task's loss must be: a
    model that does not beat the heuristic does not ship.

    Parameters
    ----------
    evidence : Evidence
    gates : mapping of str to str or sequence of str
        ``[gates]``: figure to rule, or rules.

    Raises
    ------
    ConfigError
        If a rule cannot be read.

    Examples
    --------
    >>> auc = Figure(value=0.683, low=0.672, high=0.694)
    >>> gain = Figure(value=0.025, low=0.021, high=0.029)
    >>> evidence = Evidence(
    ...     rows=9000, figures={"roc_auc": auc}, baseline={}, gain={"log_loss": gain})
    >>> verdict = judge(evidence, {"roc_auc": ">= 0.60"})
    >>> verdict.passed, verdict.gates[0].reason
    (True, 'roc_auc 0.683 (0.672 to 0.694): asked >= 0.60, the lower end 0.672 holds')
    """
    parsed = list(parse_gates(gates))
    if not any(gate.rival == "baseline" for gate in parsed):
        implied = Gate(
            name=_loss(evidence), rule=BETTER, relation="better", rival="baseline", strict=True
        )
        parsed.append(implied)
    figures = named_figures(evidence)
    return Verdict(gates=tuple(_answer(evidence, figures, gate) for gate in parsed))


def judge_baseline(evidence: Evidence) -> Verdict:
    """Let the baseline through: it is what the others are held against.

    Examples
    --------
    >>> judge_baseline(Evidence(rows=10, figures={}, baseline={}, gain={})).passed
    True
    """
    loss = _loss(evidence)
    measured = evidence.figures.get(loss)
    seen = f", {loss} {figure_text(measured)} on {evidence.rows} test rows" if measured else ""
    return Verdict(
        gates=(
            GateResult(
                gate="baseline",
                asked="exists",
                measured=measured,
                status="pass",
                reason=f"the heuristic is version 1{seen}; a learned model must beat it",
            ),
        )
    )


def _loss(evidence: Evidence) -> str:
    """Name the task's loss; the evidence does not name the task, its figures do."""
    known = dict.fromkeys(PRIMARY_LOSS.values())
    held = [name for name in known if name in evidence.gain or name in evidence.figures]
    return held[0] if held else PRIMARY_LOSS["binary"]


def _answer(evidence: Evidence, figures: Mapping[str, Figure], gate: Gate) -> GateResult:
    if gate.name == LEAKAGE:
        return _answer_leakage(evidence, gate)
    if gate.relation == "better":
        return _answer_better(evidence, gate)
    figure = figures.get(gate.name)
    if figure is None:
        return _unknown(gate, why_absent(evidence, gate.name))
    if not _is_known(figure):
        return _unknown(gate, _NOT_A_NUMBER)
    measured = f"{gate.name} {figure_text(figure)}: asked {gate.rule}"
    return _hold(gate, figure, measured, _left_out(evidence, gate.name))


def _answer_better(evidence: Evidence, gate: Gate) -> GateResult:
    """Hold the paired difference to a rival against the bound."""
    name = _loss(evidence) if gate.name == SIMPLER else gate.name
    rival, doubt = _rival(evidence, gate, name)
    gain = rival.gain.get(name) if rival else None
    if rival is None or gain is None:
        return _unknown(gate, doubt)
    if not _is_known(gain):
        return _unknown(gate, _NOT_A_NUMBER)
    own, theirs = evidence.figures.get(name), rival.figures.get(name)
    pair = f" {figure_text(own)} against {_whose(gate, rival)} {figure_text(theirs)}" \
        if own and theirs else ""  # fmt: skip
    return _hold(gate, gain, f"{name}{pair}: asked {gate.rule}, gain {figure_text(gain)}", "")


def _rival(evidence: Evidence, gate: Gate, name: str) -> tuple[Rival | None, str]:
    """Return who is to be beaten; of the simpler models, the one that comes closest."""
    if gate.rival == "champion":
        if evidence.champion is None:
            return None, "the run was not compared with a champion"
        return evidence.champion, " ".join(evidence.champion.notes) or _undefined(evidence)
    heuristic = Rival(
        name="baseline",
        description="the heuristic",
        figures=evidence.baseline,
        gain=evidence.gain,
    )
    if gate.rival == "baseline":
        return heuristic, "there is no difference to the baseline on the test rows"
    if not evidence.simpler:
        return None, "the run fitted no simpler models"
    rivals = (*evidence.simpler, heuristic)
    if doubtful := [rival for rival in rivals if not _is_known(rival.gain.get(name))]:
        notes = " ".join(doubtful[0].notes) or _undefined(evidence)
        return None, f"{doubtful[0].name}: {notes}"
    return min(rivals, key=lambda rival: rival.gain[name].low), ""


def _undefined(evidence: Evidence) -> str:
    return f"the difference is not defined on the {evidence.rows} test rows"


def _whose(gate: Gate, rival: Rival) -> str:
    if gate.rival == "champion":
        return f"that of the champion ({rival.name})"
    return "the baseline's" if rival.name == "baseline" else f"that of {rival.name}"


def _hold(gate: Gate, figure: Figure, measured: str, besides: str) -> GateResult:
    rising = gate.relation in (">=", ">", "better")
    end = figure.value if gate.by_value else figure.low if rising else figure.high
    holds = {
        ">=": end >= gate.bound,
        "<=": end <= gate.bound,
        ">": end > gate.bound,
        "<": end < gate.bound,
        "better": end > gate.bound if gate.strict else end >= gate.bound,
        "none": False,
    }[gate.relation]
    which = "the value" if gate.by_value else f"the {'lower' if rising else 'upper'} end"
    said = f"{which} {end_text(figure, end, gate.bound)} {'holds' if holds else 'does not hold'}"
    return _result(gate, figure, "pass" if holds else "fail", f"{measured}, {said}{besides}")


def _is_known(figure: Figure | None) -> bool:
    """Say whether a figure may decide: whatever made the evidence, one with NaN must not."""
    return figure is not None and all(map(math.isfinite, (figure.value, figure.low, figure.high)))


def _left_out(evidence: Evidence, name: str) -> str:
    """Name the groups that a disparity does not speak of: they are unknown, never fair."""
    if evidence.fairness is None or not name.startswith(FAIRNESS):
        return ""
    attribute = find_attribute(evidence.fairness, name)
    if attribute is None or not attribute.unknown:
        return ""
    least = evidence.fairness.min_group
    return f"; unknown, with fewer than {least} test rows: {', '.join(attribute.unknown)}"


def _answer_leakage(evidence: Evidence, gate: Gate) -> GateResult:
    if evidence.leakage is None:
        return _unknown(gate, "the run did not look for leaks")
    certain = [leak for leak in evidence.leakage.leaks if leak.certain]
    if certain:
        said = "; ".join(leak.reason.rstrip(".") for leak in certain)
        return _result(gate, None, "fail", f"leakage: asked none, found {len(certain)}: {said}")
    if evidence.leakage.unchecked:
        said = "; ".join(sentence.rstrip(".") for sentence in evidence.leakage.unchecked)
        return _unknown(gate, f"not all could be looked for: {said}")
    warnings = len(evidence.leakage.leaks)
    seen = f"{warnings} warnings" if warnings != 1 else "1 warning"
    checks = f"{len(evidence.leakage.checked)} checks"
    reason = f"leakage: asked none, found none that is certain; {checks}, {seen}"
    return _result(gate, None, "pass", reason)


def _unknown(gate: Gate, doubt: str) -> GateResult:
    reason = f"{gate.name} is unknown: {doubt.rstrip('.')}; an unknown figure blocks"
    return _result(gate, None, "unknown", reason)


def _result(gate: Gate, measured: Figure | None, status: Status, reason: str) -> GateResult:
    return GateResult(
        gate=gate.name, asked=gate.rule, measured=measured, status=status, reason=reason
    )
