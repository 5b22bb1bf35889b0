"""The page of the model that answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from gleis.contracts.live_figures import LiveFigure
from gleis.serving.protocols.statistics import MODEL
from gleis.serving.statistics.model import Found, ModelStatistics, ProvenFigure
from gleis.web.rendering import Drawn, render

_EVIDENCE, _THRESHOLD = "gleis_drift_evidence", "gleis_drift_threshold"
_LIVE = "gleis_live_performance"
_COLUMNS = {
    "gleis_performance_promised": "promised",
    "gleis_performance": "measured",
    _LIVE: "corrected",
    "gleis_estimated_performance": "estimated",
    "gleis_estimated_performance_low": "low",
    "gleis_estimated_performance_high": "high",
}
"""What stands beside each other in one row of a table."""
_PARTS = {
    "labels": "Labels",
    "fairness": "Fairness",
    "drift": "The monitors of drift",
    "performance": "The monitor of the loss, and answers with labels",
    "estimated_performance": "The estimates, and how they were checked",
    "other": "The loop",
}
_OPENED = {"labels", "fairness"}
_SAID = {"model", "version"}
"""Labels that are the same for the whole page."""
_MOST = 30
"""Columns whose evidence is drawn."""


def model_page(found: ModelStatistics) -> Response:
    """Return the page."""
    evidence = drift_rows(found.live)
    drawn = [
        Drawn(f"figure-{at}", "figure", figure_rows(one))
        for at, one in enumerate(found.evidence.figures)
    ]
    if evidence:
        drawn.append(Drawn("evidence", "evidence", evidence))
    grouped = {part: live_rows(getattr(found.live, part)) for part in _PARTS}
    side_by_side = (*found.live.performance, *found.live.estimated_performance)
    return render(
        "model.html",
        MODEL,
        drawn,
        name=found.model,
        title="model",
        found=found,
        evidence=evidence,
        parts=[(part, text) for part, text in _PARTS.items() if grouped[part]],
        grouped=grouped,
        opened=_OPENED,
        measured=measured_rows(side_by_side),
    )


def figure_rows(proven: ProvenFigure) -> list[dict[str, Any]]:
    """Return a chart's rows: the model's figure, and the baseline's."""
    sides = (("model", proven.model), ("baseline", proven.baseline))
    return [
        {"who": who, "value": side.value, "low": side.low, "high": side.high}
        for who, side in sides
        if side is not None
    ]


def drift_rows(live: Found) -> list[dict[str, Any]]:
    """Return a chart's rows: the strongest evidence, and where it alarms."""
    threshold = next((one.value for one in live.drift if one.name == _THRESHOLD), None)
    strongest = sorted(
        (one for one in live.drift if one.name == _EVIDENCE), key=lambda one: -one.value
    )
    return [
        {
            "subject": one.labels.get("feature", ""),
            "evidence": one.value,
            "threshold": threshold,
            "over": "yes" if threshold is not None and one.value >= threshold else "no",
        }
        for one in strongest[:_MOST]
    ]


def measured_rows(figures: Sequence[LiveFigure]) -> list[dict[str, Any]]:
    """Return a table's rows: each figure on the test rows, by labels, and as it is estimated."""
    found: dict[str, dict[str, Any]] = {}
    for one in figures:
        if _is_column(one):
            row = found.setdefault(one.labels["figure"], dict.fromkeys(_COLUMNS.values()))
            row[_COLUMNS[one.name]] = one.value
    return [{"figure": name, **row} for name, row in found.items()]


def live_rows(figures: Sequence[LiveFigure]) -> list[dict[str, Any]]:
    """Return a table's rows: what each figure means, what it is of, its value.

    Those that are drawn, or set beside each other by ``measured_rows``, are left out.
    """
    return [
        {
            "name": one.name,
            "help": one.help,
            "of": ", ".join(text for label, text in one.labels.items() if label not in _SAID),
            "value": one.value,
        }
        for one in figures
        if not _is_column(one) and one.name != _EVIDENCE
    ]


def _is_column(one: LiveFigure) -> bool:
    """Say whether a figure stands beside others of its kind; of two measures, the corrected."""
    as_labelled = one.name == _LIVE and one.labels.get("corrected") != "yes"
    return one.name in _COLUMNS and "figure" in one.labels and not as_labelled
