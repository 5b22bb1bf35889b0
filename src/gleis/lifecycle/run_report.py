"""The report of a run: verdict first, then the evidence; one HTML file, no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import vl_convert

from gleis.contracts.contract import Task
from gleis.contracts.evidence import Evidence
from gleis.contracts.figure import Figure
from gleis.contracts.run import Run
from gleis.contracts.verdict import Verdict
from gleis.contracts.wording import Wording
from gleis.evidence import charts
from gleis.evidence.calibration_fit import IDEALS
from gleis.evidence.explain.beeswarm import beeswarm_chart
from gleis.evidence.explain.model_charts import importance_chart
from gleis.evidence.fairness.charts import disparities_chart, groups_chart
from gleis.evidence.metrics import METRICS, PRIMARY_LOSS, SLICE_METRICS
from gleis.evidence.robustness.charts import damage_chart, rivals_chart, worst_slice_chart
from gleis.governance.figure_text import known_text
from gleis.governance.verdict_text import verdict_headline
from gleis.lifecycle.backtests.report import EXPORTS, PAGES, spec
from gleis.lifecycle.gate_marks import gate_mark
from gleis.lifecycle.run_fairness import RATES, is_asked, order_rates, split_disparities
from gleis.lifecycle.run_summary import summarise


class Subject(NamedTuple):
    """What the run is of."""

    task: Task
    target: str
    version: int | None
    """None if it was not registered."""
    standing: str
    """``is champion``, ``is not live`` ..."""
    names: Wording = Wording()
    """What features are called."""


class Row(NamedTuple):
    """One figure of several models side by side."""

    name: str
    better: str
    """``higher``, ``lower``, or ``near 1``."""
    ideal: bool
    """Whether it is neither better when higher nor when lower; then it is compared with nobody."""
    figures: tuple[Figure | None, ...]


def write_run_report(
    run: Run, verdict: Verdict, changed: str, subject: Subject, path: Path
) -> Path:
    """Write the report of a run.

    Parameters
    ----------
    run : Run
    verdict : Verdict
        Of the gates as they are now.
    changed : str
        A sentence if that is not the recorded verdict; else empty.
    subject : Subject
    path : Path
        The HTML file; its folder is made.
    """
    evidence, loss = run.evidence, PRIMARY_LOSS[subject.task]
    drawn = _charts(evidence, subject.task, subject.names)
    page = PAGES.get_template("run.html").render(
        run=run,
        evidence=evidence,
        verdict=verdict,
        headline=verdict_headline(verdict),
        changed=changed,
        subject=subject,
        loss=loss,
        summary=summarise(run, verdict, subject.task),
        quality=_quality(evidence),
        slice_figures=[*SLICE_METRICS[subject.task]],
        worst_slices=_worst_slices(evidence, subject.task),
        asked={gate.gate for gate in verdict.gates},
        charts={name: spec(chart) for name, chart in drawn.items()},
        library=vl_convert.javascript_bundle(EXPORTS),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def _charts(evidence: Evidence, task: Task, names: Wording) -> dict[str, Any]:
    drawn: dict[str, Any] = {"figures": charts.figures_chart(evidence)}
    for attribute in evidence.fairness.attributes if evidence.fairness else ():
        if len(attribute.attributes) == 1 and any(group.figures for group in attribute.groups):
            drawn[f"people-{attribute.name}"] = groups_chart(attribute)
    if evidence.fairness is not None and any(a.figures for a in evidence.fairness.attributes):
        drawn["people"] = disparities_chart(evidence.fairness)
    for found in evidence.importance:
        draw = beeswarm_chart if found.points else importance_chart
        drawn[f"importance-{found.method}"] = draw(found, names)
    if evidence.robustness is not None:
        drawn["damage"] = damage_chart(evidence.robustness, PRIMARY_LOSS[task])
    if evidence.simpler:
        drawn["rivals"] = rivals_chart(evidence.simpler, PRIMARY_LOSS[task])
    if evidence.calibration:
        drawn["calibration"] = charts.calibration_chart(evidence)
    return drawn | _slices(evidence, task)


def _slices(evidence: Evidence, task: Task) -> dict[str, Any]:
    drawn: dict[str, Any] = {}
    worst, loss, ranked = evidence.worst_slice, PRIMARY_LOSS[task], SLICE_METRICS[task][0]
    if worst is not None and loss in worst.figures:
        drawn["worst-slice"] = worst_slice_chart(worst, evidence.figures, loss)
    for column in dict.fromkeys(part.column for part in evidence.slices):
        if any(part.column == column and ranked in part.figures for part in evidence.slices):
            drawn[f"slices-{column}"] = charts.slices_chart(evidence, ranked, column)
    return drawn


def _quality(evidence: Evidence) -> list[Row]:
    champion = evidence.champion
    rows = []
    for name in dict.fromkeys((*evidence.figures, *evidence.baseline)):
        ideal = name in IDEALS
        if ideal:
            better = f"near {IDEALS[name]:g}"
        else:
            better = "higher" if METRICS[name].greater_is_better else "lower"
        figures = [evidence.figures.get(name)]
        if evidence.gain:
            figures += [evidence.baseline.get(name), evidence.gain.get(name)]
        if champion is not None:
            figures += [champion.figures.get(name), champion.gain.get(name)]
        rows.append(Row(name, better, ideal, tuple(figures)))
    return rows


def _worst_slices(evidence: Evidence, task: Task, most: int = 8) -> list[Any]:
    ranked = SLICE_METRICS[task][0]
    known = [part for part in evidence.slices if ranked in part.figures]
    sign = METRICS[ranked].sign
    return sorted(known, key=lambda part: sign * part.figures[ranked].value)[:most]


PAGES.filters |= {
    "known": known_text,
    "mark": gate_mark,
    "rates": order_rates,
    "disparities": split_disparities,
    "is_asked": is_asked,
}
PAGES.globals["shown_rates"] = RATES
