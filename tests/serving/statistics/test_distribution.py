from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from gleis.contracts.profile import CategorySketch, Profile
from gleis.data.distance import js_distance, psi
from gleis.data.profile import sketch_number
from gleis.serving.statistics.distribution import QUANTILES, compare_profiles

NOON = datetime(2013, 7, 4, 12, tzinfo=UTC)


def compared(reference, live):
    before = Profile(rows=reference.rows, columns={"x": reference})
    return compare_profiles(before, Profile(rows=live.rows, columns={"x": live}), NOON)


def as_counted(sketch):
    """Return a sketch as workers count it: without extremes."""
    return msgspec.structs.replace(sketch, low=None, high=None)


def test_figures_are_those_of_the_values():
    draw = np.random.default_rng(0)
    before, now = draw.normal(10, 2, 4000), draw.normal(10.5, 2, 3000)
    reference = sketch_number(before)
    live = as_counted(sketch_number(now, reference))
    found = compared(reference, live)
    (column,) = found.columns
    assert (found.since, found.rows) == (NOON, 3000)
    assert column.psi == psi(reference, live)
    assert column.js == js_distance(reference, live)
    for side, values in ((column.reference, before), (column.live, now)):
        assert side.mean == pytest.approx(values.mean())
        assert side.deviation == pytest.approx(values.std())
        for name, share in QUANTILES.items():
            assert side.quantiles[name] == pytest.approx(np.quantile(values, share), abs=0.15)
    assert [one.low for one in column.bins][1:] == [one.high for one in column.bins][:-1]


def test_a_quantile_beyond_the_reference_is_unknown_not_its_edge():
    reference = sketch_number(np.linspace(0, 1, 101))
    live = as_counted(sketch_number([0.5] * 40 + [7.0] * 60, reference))
    quantiles = compared(reference, live).columns[0].live.quantiles
    assert quantiles["p25"] == pytest.approx(0.5, abs=0.05)
    assert quantiles["p50"] is quantiles["p95"] is None


@pytest.mark.parametrize(
    "reference",
    [
        sketch_number([]),
        sketch_number([1.0]),
        sketch_number([np.nan, np.nan]),
        CategorySketch(categories=(), counts=(), other=0, missing=0),
    ],
)
def test_empty_and_constant_columns_have_no_nan(reference):
    column = msgspec.to_builtins(compared(reference, reference).columns[0])
    numbers = [column["psi"], column["js"], *column["live"]["quantiles"].values()]
    assert all(number is None or np.isfinite(number) for number in numbers)
    empty = compared(sketch_number([1.0, 2.0]), sketch_number([], sketch_number([1.0, 2.0])))
    assert empty.since is None
    assert empty.columns[0].live.mean is None
