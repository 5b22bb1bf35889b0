"""Whether rows still look like those the model was trained on."""

from __future__ import annotations

from typing import Any

from gleis.serving.observing.dashboard import Placed, Row, dashboard
from gleis.serving.observing.panels import Limit, Query, bars, lines, number

_OF = '{model="$model"}'
_THRESHOLD = Query(f"max(gleis_drift_threshold{_OF})", "alarms at")
_LOGS = "log10 of an e-value: 2 means that chance would have to be a hundred times luckier."


def drift() -> dict[str, Any]:
    """Return the dashboard."""
    return dashboard(
        "gleis-drift",
        "gleis: drift",
        "Evidence that rows differ from those the model was trained on. The loop alarms where it "
        "reaches the threshold, which keeps the promised rate of false alarms.",
        [_now(), *_evidence(), *_alarms()],
    )


def _now() -> Row:
    kinds = '{model="$model",kind=~"drift|joint"}'
    return Row(
        5,
        (
            Placed(
                number(
                    "Open drift alarms",
                    Query(f"sum(max by (kind) (gleis_alarms_open{kinds}))"),
                    text="That nobody and no training has answered.",
                    limits=(Limit(1, "red"),),
                ),
                6,
            ),
            Placed(
                number(
                    "Evidence now",
                    Query(f"max(gleis_drift_combined_evidence{_OF})"),
                    text=_LOGS,
                ),
                6,
            ),
            Placed(
                number("Alarms at", _THRESHOLD, text="The threshold of the present test."),
                6,
            ),
            Placed(
                number(
                    "Rows tested",
                    Query(f"max(gleis_drift_rows{_OF})"),
                    text="Since the version went live.",
                ),
                6,
            ),
        ),
    )


def _evidence() -> list[Row]:
    by_feature = Query(f"topk(10, max by (feature) (gleis_drift_evidence{_OF}))", "{{feature}}")
    now = Query(f"sort_desc(topk(15, max by (feature) (gleis_drift_evidence{_OF})))", "{{feature}}")
    together = Query(f"max(gleis_drift_combined_evidence{_OF})", "all columns")
    return [
        Row(
            10,
            (
                Placed(
                    lines(
                        "Evidence by feature",
                        by_feature,
                        _THRESHOLD,
                        dashed=("alarms at",),
                        text=_LOGS + " The ten strongest; a column begins anew after its alarm.",
                    ),
                    16,
                ),
                Placed(bars("Strongest now", now, text=_LOGS), 8),
            ),
        ),
        Row(
            8,
            (
                Placed(
                    lines(
                        "Evidence over all columns",
                        together,
                        _THRESHOLD,
                        dashed=("alarms at",),
                        text=_LOGS,
                    ),
                    12,
                ),
                Placed(
                    lines(
                        "Evidence that features go together differently",
                        Query(f"max(gleis_joint_evidence{_OF})", "all columns, jointly"),
                        text=_LOGS + " Looked at once a night, see monitor.joint.",
                    ),
                    12,
                ),
            ),
        ),
    ]


def _alarms() -> list[Row]:
    raised = Query(f"sum by (kind) (max by (kind) (gleis_alarms_total{_OF}))", "{{kind}}")
    checked = Query(f"max by (confirmed) (gleis_alarms_checked_total{_OF})", "{{confirmed}}")
    return [
        Row(
            8,
            (
                Placed(lines("Alarms raised", raised, text="Of every kind, in all."), 12),
                Placed(
                    lines(
                        "Alarms that fresh rows confirmed",
                        checked,
                        text="The later check of each drift alarm: true, or false.",
                    ),
                    12,
                ),
            ),
        )
    ]
