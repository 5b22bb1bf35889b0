from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest

from gleis.config.settings import EvidenceSettings
from gleis.contracts.contract import Contract
from gleis.contracts.errors import DataError
from gleis.contracts.evidence import Evidence
from gleis.evidence.calibration_fit import CALIBRATION_FIGURES
from gleis.evidence.examine import examine
from gleis.evidence.metrics import metrics_of

BINARY = Contract(task="binary", features=(), target="late", classes=("no", "yes"))
MULTICLASS = Contract(task="multiclass", features=(), target="kind", classes=("a", "b", "c"))
REGRESSION = Contract(task="regression", features=(), target="minutes")
N = 600


def settings(**changes):
    return EvidenceSettings(bootstrap=40, **changes)


def data(seed=0):
    rng = np.random.default_rng(seed)
    p = rng.random(N)
    y = (rng.random(N) < p).astype(int)
    rows = pl.DataFrame({"carrier": ["UA"] * 400 + ["AA"] * 190 + ["HA"] * 10})
    return y, p, np.full(N, y.mean()), rows


def test_a_binary_model_beside_its_baseline():
    y, p, rate, rows = data()
    found = examine(
        y, p, rate, rows, BINARY, settings(slices=("carrier",)), 0, ["17 rows left out."]
    )
    assert found.rows == N
    names = {metric.name for metric in metrics_of("binary")}
    assert set(found.figures) == names | set(CALIBRATION_FIGURES)
    assert set(found.gain) == names
    assert found.figures["roc_auc"].low > 0.75
    assert found.baseline["roc_auc"].value == 0.5
    assert found.gain["log_loss"].low > 0
    assert [part.value for part in found.slices] == ["UA", "AA", "HA"]
    assert sum(b.rows for b in found.calibration) == N
    assert found.notes[0] == "17 rows left out."
    assert any("carrier" in note and "HA" in note for note in found.notes)


def test_it_survives_json_even_where_figures_are_undefined():
    y, p, rate, rows = data()
    y[:] = 0
    found = examine(y, p, rate, rows, BINARY, settings(slices=("carrier",)), 0)
    assert "roc_auc" not in found.figures
    assert any("unknown: roc_auc" in note for note in found.notes)
    assert all(part.figures == {} for part in found.slices)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Evidence) == found


def test_the_same_seed_gives_the_same_evidence():
    y, p, rate, rows = data()
    chosen = settings(slices=("carrier",))
    first, second = (examine(y, p, rate, rows, BINARY, chosen, 3) for _ in range(2))
    assert first == second
    assert examine(y, p, rate, rows, BINARY, chosen, 4) != first


def test_a_baseline_has_no_gain_over_itself():
    y, _, rate, rows = data()
    found = examine(y, rate, None, rows, BINARY, settings(), 0)
    assert found.figures
    assert found.baseline == found.gain == {}


def test_multiclass_and_regression():
    rng = np.random.default_rng(1)
    rows = pl.DataFrame({"carrier": ["UA"] * N})
    scores = rng.dirichlet(np.ones(3), N)
    y = scores.argmax(axis=1)
    found = examine(y, scores, np.full((N, 3), 1 / 3), rows, MULTICLASS, settings(), 0)
    assert found.gain["log_loss"].low > 0
    assert found.calibration == ()
    values = rng.normal(30, 5, N)
    found = examine(
        values,
        values + rng.normal(0, 1, N),
        np.full(N, 30.0),
        rows,
        REGRESSION,
        settings(slices=("carrier",)),
        0,
    )
    assert found.gain["rmse"].low > 0
    assert set(found.slices[0].figures) == {"mae", "rmse"}


def test_many_values_are_cut_and_said_so():
    y, p, rate, _ = data()
    rows = pl.DataFrame({"tail": [f"N{i % 70}" for i in range(N)]})
    found = examine(y, p, rate, rows, BINARY, settings(slices=("tail",)), 0)
    assert "tail: its 50 most frequent values of 70 were examined." in found.notes


def test_a_baseline_that_is_no_probability_is_refused():
    y, p, _, rows = data()
    with pytest.raises(DataError, match="outside 0 to 1"):
        examine(y, p, np.full(N, 7.0), rows, BINARY, settings(), 0)
