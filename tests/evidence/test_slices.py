from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from gleis.contracts.errors import ConfigError
from gleis.evidence.calibration_fit import CALIBRATION_GAP
from gleis.evidence.metrics import METRICS, SLICE_METRICS
from gleis.evidence.slices import MAX_VALUES, MISSING, slice_figures

rng = np.random.default_rng(0)
N = 1000
P = rng.random(N)
Y = (rng.random(N) < P).astype(int)
CARRIER = rng.choice(["UA", "AA", "DL", None], N, p=[0.5, 0.3, 0.17, 0.03])


def _plain(column):
    return column.tolist() if isinstance(column, np.ndarray) else column


def made(column, y=Y, scores=P, task="binary", min_rows=100):
    return slice_figures(
        y,
        scores,
        pl.DataFrame({"c": pl.Series(_plain(column))}),
        ["c"],
        task,
        n_replicates=50,
        seed=0,
        min_rows=min_rows,
    )


def test_figures_are_those_of_the_rows():
    found = made(CARRIER)
    assert [part.value for part in found] == ["UA", "AA", "DL", MISSING]
    assert sum(part.rows for part in found) == N
    for part in found[:3]:
        at = part.value == CARRIER
        assert part.rows == at.sum()
        assert set(part.figures) == {*SLICE_METRICS["binary"], "calibration_gap"}
        metrics = METRICS | {"calibration_gap": CALIBRATION_GAP}
        for name, figure in part.figures.items():
            assert figure.value == metrics[name](Y[at], P[at])
            assert figure.low <= figure.value <= figure.high


def test_small_slices_are_unknown():
    found = {part.value: part for part in made(CARRIER)}
    assert found[MISSING].rows < 100
    assert found[MISSING].figures == {}
    assert {part.value: part for part in made(CARRIER, min_rows=10)}[MISSING].figures


def test_slices_of_one_class_are_unknown():
    found = {part.value: part for part in made(np.where(Y == 1, "late", "punctual"))}
    assert found["late"].figures == found["punctual"].figures == {}


def test_a_constant_regression_target_still_has_an_error():
    (part,) = made(["x"] * N, y=np.ones(N), scores=P, task="regression")
    assert part.figures["mae"].value == pytest.approx(np.abs(1 - P).mean())


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ([True, False] * (N // 2), {"true", "false"}),
        ([1, 2] * (N // 2), {"1", "2"}),
        (pl.Series(["a", "b"] * (N // 2), dtype=pl.Categorical), {"a", "b"}),
    ],
)
def test_values_of_any_kind(column, values):
    assert {part.value for part in made(column)} == values


def test_only_the_most_frequent_values_are_examined():
    column = [f"v{min(i % 97, 60)}" for i in range(N)]
    found = made(column)
    assert len(found) == MAX_VALUES
    assert found[0].value == "v60"


def test_another_slice_does_not_change_the_figures():
    rows = pl.DataFrame({"a": _plain(CARRIER), "b": rng.choice(["x", "y"], N)})
    arguments = {"n_replicates": 30, "seed": 0, "min_rows": 50}
    alone = slice_figures(Y, P, rows, ["a"], "binary", **arguments)
    both = slice_figures(Y, P, rows, ["a", "b"], "binary", **arguments)
    assert both[: len(alone)] == alone


def test_an_unknown_column_is_named():
    with pytest.raises(ConfigError, match=r"'carier'. Did you mean carrier"):
        slice_figures(
            Y,
            P,
            pl.DataFrame({"carrier": _plain(CARRIER)}),
            ["carier"],
            "binary",
            n_replicates=20,
            seed=0,
            min_rows=10,
        )
