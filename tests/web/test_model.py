from __future__ import annotations

from datetime import UTC, datetime

from gleis.contracts.live_figures import LiveFigure, LiveFigures
from gleis.serving.statistics.model import found
from gleis.web.model import drift_rows, live_rows, measured_rows


def written(*figures):
    at = datetime(2024, 3, 1, tzinfo=UTC)
    made = (LiveFigure(name=name, value=v, labels=of, help="x") for name, of, v in figures)
    return found(LiveFigures(at=at, figures=tuple(made)))


def test_one_figure_stands_in_one_row_however_it_was_measured():
    log_loss = {"version": "2", "figure": "log_loss"}
    live = written(
        ("gleis_performance_promised", log_loss, 0.4),
        ("gleis_performance", log_loss, 0.5),
        ("gleis_live_performance", log_loss | {"corrected": "no"}, 0.6),
        ("gleis_live_performance", log_loss | {"corrected": "yes"}, 0.7),
        ("gleis_estimated_performance", log_loss, 0.8),
        ("gleis_estimated_performance_low", log_loss, 0.75),
        ("gleis_estimated_performance_high", log_loss, 0.85),
        ("gleis_performance_rows", {"version": "2"}, 100.0),
    )
    figures = (*live.performance, *live.estimated_performance)
    assert measured_rows(figures) == [
        {
            "figure": "log_loss",
            "promised": 0.4,
            "measured": 0.5,
            "corrected": 0.7,
            "estimated": 0.8,
            "low": 0.75,
            "high": 0.85,
        }
    ]
    others = [(one["name"], one["of"], one["value"]) for one in live_rows(figures)]
    assert others == [
        ("gleis_live_performance", "log_loss, no", 0.6),
        ("gleis_performance_rows", "", 100.0),
    ]


def test_the_strongest_evidence_is_drawn_beside_the_threshold():
    live = written(
        ("gleis_drift_evidence", {"feature": "a"}, 0.2),
        ("gleis_drift_evidence", {"feature": "b"}, 2.0),
        ("gleis_drift_threshold", {}, 1.3),
        ("gleis_joint_evidence", {}, 0.1),
    )
    drawn = [(row["subject"], row["over"], row["threshold"]) for row in drift_rows(live)]
    assert drawn == [("b", "yes", 1.3), ("a", "no", 1.3)]
    assert [one["name"] for one in live_rows(live.drift)] == [
        "gleis_drift_threshold",
        "gleis_joint_evidence",
    ]
    assert drift_rows(written()) == []
