from __future__ import annotations

import json

import pytest
import vl_convert

from gleis.contracts.evidence import CalibrationBin, Evidence, SliceFigures
from gleis.contracts.figure import Figure
from gleis.evidence.charts import calibration_chart, figures_chart, slices_chart


def figure(value):
    return Figure(value=value, low=value - 0.01, high=value + 0.01)


EVIDENCE = Evidence(
    rows=1234,
    figures={"roc_auc": figure(0.68), "log_loss": figure(0.5)},
    baseline={"roc_auc": figure(0.61), "log_loss": figure(0.55)},
    gain={"roc_auc": figure(0.07)},
    slices=(
        SliceFigures(column="carrier", value="UA", rows=800, figures={"roc_auc": figure(0.7)}),
        SliceFigures(column="carrier", value="HA", rows=8, figures={}),
        SliceFigures(column="origin", value="JFK", rows=900, figures={"roc_auc": figure(0.6)}),
    ),
    calibration=(
        CalibrationBin(low=0, high=0.2, rows=600, predicted=0.1, observed=0.12),
        CalibrationBin(low=0.2, high=0.6, rows=634, predicted=0.4, observed=0.37),
    ),
)
EMPTY = Evidence(rows=0, figures={}, baseline={}, gain={})


def spoken(chart):
    """Draw the chart and return all it shows as text."""
    return vl_convert.vegalite_to_svg(chart.to_json())


def test_figures_beside_the_baseline():
    svg = spoken(figures_chart(EVIDENCE))
    for word in ("roc_auc", "log_loss", "model", "baseline", "1,234 test rows", "95%"):
        assert word in svg


def test_slices_of_one_column():
    svg = spoken(slices_chart(EVIDENCE, "roc_auc", "carrier"))
    assert "roc_auc by carrier" in svg
    assert "UA" in svg
    assert "HA" not in svg  # unknown
    assert "JFK" not in svg


def test_calibration():
    svg = spoken(calibration_chart(EVIDENCE))
    assert "mean predicted probability" in svg
    assert "share that happened" in svg


@pytest.mark.parametrize(
    "draw",
    [figures_chart, calibration_chart, lambda e: slices_chart(e, "roc_auc", "carrier")],
)
def test_nothing_known_still_draws(draw):
    assert "<svg" in spoken(draw(EMPTY))


def test_charts_carry_their_data():
    drawn = json.loads(figures_chart(EVIDENCE).to_json())
    assert '"url"' not in json.dumps(drawn)
    assert [len(rows) for rows in drawn["datasets"].values()] == [4]
