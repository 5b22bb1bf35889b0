"""What a run's evidence says, in a few sentences, for somebody who reads nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from gleis.contracts.contract import Task
from gleis.contracts.evidence import Evidence
from gleis.contracts.fairness import AttributeFairness
from gleis.contracts.figure import Figure
from gleis.contracts.run import Run
from gleis.contracts.verdict import Verdict
from gleis.evidence.metrics import PRIMARY_LOSS
from gleis.governance.figure_text import figure_text

_DISPARITIES = (
    "statistical_parity_difference",
    "selection_rate_difference",
    "mean_difference",
    "accuracy_difference",
)
"""Which one is told where no gate asks for another, the first that is there."""


def summarise(run: Run, verdict: Verdict, task: Task) -> list[str]:
    """Return sentences: quality, people, damage, worst part, leaks, simpler models.

    What the evidence has no section of is not mentioned here; the sections say why.
    """
    evidence, loss = run.evidence, PRIMARY_LOSS[task]
    return [
        *_quality(run, loss),
        *_simpler(evidence, loss),
        *_fairness(evidence, verdict),
        *_worst(evidence, loss),
        *_robustness(evidence, loss),
        *_leakage(evidence),
    ]


def _quality(run: Run, loss: str) -> Iterator[str]:
    own, theirs = run.evidence.figures.get(loss), run.evidence.baseline.get(loss)
    gain = run.evidence.gain.get(loss)
    if own is None:
        return
    against = ""
    if theirs and gain:
        against = f", the heuristic's {figure_text(theirs)}: {_better(gain)}"
    yield (
        f"On {run.evidence.rows:,} rows it had not seen, its {loss} is {figure_text(own)}{against}."
    )


def _simpler(evidence: Evidence, loss: str) -> Iterator[str]:
    known = [each for each in evidence.simpler if loss in each.gain and loss in each.figures]
    if known:
        closest = min(known, key=lambda rival: rival.gain[loss].value)
        yield (
            f"Of the simpler models {closest.name} comes closest "
            f"({loss} {figure_text(closest.figures[loss])}): {_better(closest.gain[loss])}."
        )


def _fairness(evidence: Evidence, verdict: Verdict) -> Iterator[str]:
    if evidence.fairness is None:
        return
    asked = [gate.gate for gate in verdict.gates]
    for attribute in evidence.fairness.attributes:
        if len(attribute.attributes) > 1:
            continue
        name = _told(attribute, asked)
        if name is None:
            yield (
                f"Whether groups of {attribute.name} are treated alike is unknown: too few rows."
            )
            continue
        unknown = f" Unknown: {', '.join(attribute.unknown)}." if attribute.unknown else ""
        figure = figure_text(attribute.figures[name])
        yield f"Between groups of {attribute.name}, {name} is {figure}.{unknown}"


def _told(attribute: AttributeFairness, asked: list[str]) -> str | None:
    prefix = f"fairness.{attribute.name}."
    wanted = [name.removeprefix(prefix) for name in asked if name.startswith(prefix)]
    known = [name for name in (*wanted, *_DISPARITIES) if name in attribute.figures]
    return known[0] if known else next(iter(attribute.figures), None)


def _worst(evidence: Evidence, loss: str) -> Iterator[str]:
    worst = evidence.worst_slice
    if worst is None or loss not in worst.figures:
        return
    where = " and ".join(worst.conditions)
    sure = "" if worst.p_value <= 0.05 else ", which may be chance"
    yield (
        f"It is worst where {where} ({worst.rows:,} rows): {loss} "
        f"{figure_text(worst.figures[loss])}{sure}."
    )


def _robustness(evidence: Evidence, loss: str) -> Iterator[str]:
    drop = f"{loss}_drop"
    tried = evidence.robustness.perturbations if evidence.robustness else ()
    known = [one for one in tried if drop in one.figures]
    if known:
        worst = max(known, key=lambda one: one.figures[drop].value)
        yield (
            f"Of the damage that was done to its inputs, {worst.name} does most harm: {loss} is "
            f"{figure_text(worst.figures[drop])} worse."
        )


def _leakage(evidence: Evidence) -> Iterator[str]:
    if evidence.leakage is None:
        return
    certain = [leak for leak in evidence.leakage.leaks if leak.certain]
    if certain:
        yield f"The figures are too good to be true: {certain[0].reason}"
    elif evidence.leakage.leaks:
        count = len(evidence.leakage.leaks)
        signs = "one sign deserves" if count == 1 else f"{count} signs deserve"
        yield f"No certain leak was found; {signs} a look."
    else:
        yield "No leak was found."


def _better(gain: Figure) -> str:
    if gain.low > 0:
        return f"better by {figure_text(gain)}"
    if gain.high < 0:
        turned = Figure(value=-gain.value, low=-gain.high, high=-gain.low)
        return f"worse by {figure_text(turned)}"
    return f"not surely better, gain {figure_text(gain)}"
