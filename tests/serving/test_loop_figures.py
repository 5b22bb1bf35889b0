"""What the loop keeps, at a scrape."""

from __future__ import annotations

import logging
import sqlite3
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gleis.contracts.live_figures import LiveFigure, LiveFigures
from gleis.serving.loop_figures import LoopFigures
from gleis.serving.metrics import Metrics
from gleis.store.live_figures import keep_figures
from gleis.store.states import SqliteStates

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def drift(feature, value):
    labels = {"model": "flights", "version": "3", "feature": feature}
    return LiveFigure(
        name="gleis_drift_evidence", value=value, labels=labels, help="log10 of an e-value."
    )


@pytest.fixture
def states(tmp_path):
    states = SqliteStates(tmp_path / "states.db")
    yield states
    states.close()


@pytest.fixture
def metrics(states):
    metrics = Metrics("flights")
    metrics.also(LoopFigures(states, metrics.figures_unreadable).collect)
    return metrics


def shown(metrics):
    return {
        (one.name, one.labels.get("feature") or one.labels.get("outcome")): one.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for one in family.samples
    }


def test_a_scrape_shows_what_was_written_last(states, metrics):
    assert ("gleis_drift_evidence", "temp") not in shown(metrics), "no loop ever looked"
    keep_figures(states, LiveFigures(at=NOW, figures=(drift("temp", 0.5), drift("wind", -1.5))))
    assert shown(metrics)["gleis_drift_evidence", "wind"] == -1.5
    retrained = LiveFigure(
        name="gleis_retrainings", value=2, labels={"outcome": "kept"}, help="x", kind="counter"
    )
    keep_figures(states, LiveFigures(at=NOW, figures=(drift("temp", 4.25), retrained)))
    found = shown(metrics)
    assert found["gleis_drift_evidence", "temp"] == 4.25
    assert ("gleis_drift_evidence", "wind") not in found
    assert found["gleis_retrainings_total", "kept"] == 2


def test_figures_that_cannot_be_read_cost_nothing_else(states, metrics, tmp_path, caplog):
    states.put("live figures", b'{"at": "never"}')
    metrics.requested("/predict", 200)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            found = shown(metrics)
    assert found["gleis_loop_figures_unreadable_total", None] == 2, "before this scrape itself"
    assert ("gleis_requests_total", None) in found
    assert len(caplog.records) == 1
    assert "The loop's figures are damaged" in caplog.text
    with sqlite3.connect(tmp_path / "states.db") as file:
        file.execute("DROP TABLE states")
    assert ("gleis_requests_total", None) in shown(metrics)
