"""The gates: what the evidence must show before a model may ship."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from gleis.contracts.contract import Task
from gleis.contracts.errors import ConfigError
from gleis.contracts.evidence import Evidence, SliceFigures
from gleis.contracts.figure import Figure
from gleis.contracts.verdict import GateResult, Verdict
from gleis.evidence.metrics import PRIMARY_LOSS, SLICE_METRICS, find_metric
from gleis.governance.figure_text import end_text, figure_text

BETTER = "better than baseline"
_SLICES = "slices."
_RULE = re.compile(r"(>=|<=|>|<)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_FORMS = 'Write ">= 0.6", "<= 0.2", "> 0", "< 1" or "better than baseline".'


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """One line of ``[gates]``, understood."""

    name: str
    """A figure, ``roc_auc``, or one of a slice, ``slices.carrier.UA.roc_auc``."""
    rule: str
    """As it was written."""
    relation: Literal[">=", "<=", ">", "<", "better"]
    bound: float = 0.0
    """What the interval's unfavourable end is held against."""


def parse_gate(name: str, rule: str) -> Gate:
    """Read one gate.

    Parameters
    ----------
    name : str
        Name of the figure.
    rule : str
        ``>= x``, ``<= x``, ``> x``, ``< x`` or ``better than baseline``.

    Raises
    ------
    ConfigError
        If the rule is anything else; the gate and the rule are named.

    Examples
    --------
    >>> parse_gate("roc_auc", ">= 0.60").bound
    0.6
    """
    text = " ".join(rule.split())
    if text == BETTER:
        return Gate(name=name, rule=text, relation="better")
    match = _RULE.fullmatch(text)
    if match is None:
        raise ConfigError(
            f"gates.{name} is not a rule", seen=rule, remedy=_FORMS, field=f"gates.{name}"
        )
    relation: Literal[">=", "<=", ">", "<"] = match[1]  # type: ignore[assignment]
    return Gate(name=name, rule=text, relation=relation, bound=float(match[2]))


def check_gates(gates: Mapping[str, str], task: Task, slices: Sequence[str] | None = None) -> None:
    """Refuse gates that no evidence could ever answer, before any training starts.

    Parameters
    ----------
    gates : mapping of str to str
        ``[gates]``: figure to rule.
    task : str
    slices : sequence of str, optional
        ``[evidence] slices``; where given, a gate on another column is refused.

    Raises
    ------
    ConfigError
        Unreadable rule, unknown figure (the nearest one is offered), unknown slice column.
    """
    for name, rule in gates.items():
        gate = parse_gate(name, rule)
        if name.startswith(_SLICES):
            _check_slice_gate(gate, task, slices)
        else:
            find_metric(name, task, key=f"gates.{name}")


def judge(evidence: Evidence, gates: Mapping[str, str]) -> Verdict:
    """Hold the evidence against the gates.

    A threshold is held against the interval's unfavourable end: ``>=`` against the lower one,
    ``<=`` against the upper one. ``better than baseline`` asks that the whole interval of the
    paired difference lies above 0. An unknown figure blocks. Where no gate asks for better
    than the baseline, the task's loss must be: a model that does not beat the heuristic does
    not ship.

    Parameters
    ----------
    evidence : Evidence
    gates : mapping of str to str
        ``[gates]``: figure to rule.

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
    parsed = [parse_gate(name, rule) for name, rule in gates.items()]
    if not any(gate.relation == "better" for gate in parsed):
        parsed.append(Gate(name=_loss(evidence), rule=BETTER, relation="better"))
    return Verdict(gates=tuple(_answer(evidence, gate) for gate in parsed))


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


def _check_slice_gate(gate: Gate, task: Task, slices: Sequence[str] | None) -> None:
    key = f"gates.{gate.name}"
    path, _, figure = gate.name.removeprefix(_SLICES).rpartition(".")
    column, _, value = path.partition(".")
    if not (column and value):
        raise ConfigError(
            f"{key} does not name a slice",
            seen=gate.name,
            remedy='Write "slices.COLUMN.VALUE.FIGURE", such as "slices.carrier.UA.roc_auc".',
            field=key,
        )
    known = SLICE_METRICS[task]
    if figure not in known:
        raise ConfigError(
            f"{key}: slices of a {task} task have no figure of this name",
            seen=figure,
            remedy=f"Known: {', '.join(known)}.",
            field=key,
        )
    if gate.relation == "better":
        raise ConfigError(
            f"{key}: slices are not compared with the baseline",
            seen=gate.rule,
            remedy="Write a threshold, or ask it of all rows.",
            field=key,
        )
    if slices is not None and not any(path.startswith(f"{name}.") for name in slices):
        raise ConfigError(
            f"{key}: the column is not in evidence.slices",
            seen=column,
            remedy=f"Add it under [evidence], or use one of: {', '.join(slices) or 'none yet'}.",
            field=key,
        )


def _loss(evidence: Evidence) -> str:
    """Name the task's loss; the evidence does not name the task, its figures do."""
    known = dict.fromkeys(PRIMARY_LOSS.values())
    held = [name for name in known if name in evidence.gain or name in evidence.figures]
    return held[0] if held else PRIMARY_LOSS["binary"]


def _answer(evidence: Evidence, gate: Gate) -> GateResult:
    figure, doubt = _find(evidence, gate)
    if figure is None:
        reason = f"{gate.name} is unknown: {doubt}; an unknown figure blocks"
        return _result(gate, None, "unknown", reason)
    rising = gate.relation in (">=", ">", "better")
    end = figure.low if rising else figure.high
    holds = {
        ">=": end >= gate.bound,
        "<=": end <= gate.bound,
        ">": end > gate.bound,
        "<": end < gate.bound,
        "better": end > 0,
    }[gate.relation]
    side = f"the {'lower' if rising else 'upper'} end {end_text(figure, end, gate.bound)}"
    reason = f"{_measured(evidence, gate, figure)}, {side} {'holds' if holds else 'does not hold'}"
    return _result(gate, figure, "pass" if holds else "fail", reason)


def _measured(evidence: Evidence, gate: Gate, figure: Figure) -> str:
    if gate.relation != "better":
        return f"{gate.name} {figure_text(figure)}: asked {gate.rule}"
    own, rival = evidence.figures.get(gate.name), evidence.baseline.get(gate.name)
    pair = (
        f" {figure_text(own)} against the baseline's {figure_text(rival)}" if own and rival else ""
    )
    return f"{gate.name}{pair}: asked {BETTER}, gain {figure_text(figure)}"


def _find(evidence: Evidence, gate: Gate) -> tuple[Figure | None, str]:
    """Return the figure a gate is held against, or None and why there is none."""
    if gate.name.startswith(_SLICES):
        figure, doubt = _find_in_slices(evidence.slices, gate.name)
    elif gate.relation == "better":
        figure = evidence.gain.get(gate.name)
        doubt = "there is no difference to the baseline on the test rows"
    else:
        figure = evidence.figures.get(gate.name)
        doubt = f"it is not defined on the {evidence.rows} test rows"
    # Whatever made the evidence: a comparison with NaN must not decide.
    if figure is not None and any(map(math.isnan, (figure.value, figure.low, figure.high))):
        return None, "it was measured as not a number"
    return figure, doubt


def _find_in_slices(slices: Sequence[SliceFigures], name: str) -> tuple[Figure | None, str]:
    for part in slices:
        prefix = f"{_SLICES}{part.column}.{part.value}."
        if name.startswith(prefix) and (figure := part.figures.get(name.removeprefix(prefix))):
            return figure, ""
        if name.startswith(prefix) and "." not in name.removeprefix(prefix):
            return None, f"the slice has {part.rows} test rows, or one class only"
    return None, "there is no such slice in the test rows"


def _result(
    gate: Gate, measured: Figure | None, status: Literal["pass", "fail", "unknown"], reason: str
) -> GateResult:
    return GateResult(
        gate=gate.name, asked=gate.rule, measured=measured, status=status, reason=reason
    )
