import numpy as np
import pytest

from gleis.contracts.profile import CategorySketch
from gleis.data.distance import js_distance, psi
from gleis.data.profile import bin_counts, quantile, sketch_number
from gleis.monitoring.effect import (
    cautious_js,
    cautious_psi,
    describe_shift,
    median_shift,
    quantile_of,
)

RNG = np.random.default_rng(0)
REFERENCE = sketch_number(RNG.normal(10, 2, size=20_000))


def live(mean, rows, seed=0):
    values = np.random.default_rng(seed).normal(mean, 2, size=rows)
    return sketch_number(values, like=REFERENCE)


@pytest.mark.parametrize("rows", [20, 200, 2000])
def test_chance_alone_is_taken_off(rows):
    effects = [
        cautious_psi(bin_counts(REFERENCE), bin_counts(live(10, rows, seed))) for seed in range(100)
    ]
    assert np.mean(effects) < 0.02
    plain = [psi(REFERENCE, live(10, rows, seed)) for seed in range(100)]
    assert np.mean(effects) < np.mean(plain)


def test_many_rows_tend_to_the_plain_index():
    shifted = live(11, 50_000)
    effect = cautious_psi(bin_counts(REFERENCE), bin_counts(shifted))
    assert effect == pytest.approx(psi(REFERENCE, shifted), rel=0.03)
    assert effect == pytest.approx(0.25, rel=0.15)  # half a sigma


def test_a_large_change_shows_within_few_rows():
    assert cautious_psi(bin_counts(REFERENCE), bin_counts(live(20, 30))) > 0.1


def test_no_rows_no_effect():
    counts = bin_counts(REFERENCE)
    assert cautious_psi(counts, counts * 0) == 0.0
    assert cautious_psi(counts * 0, counts) == 0.0


def words(sketch, after):
    return describe_shift(sketch, bin_counts(sketch), bin_counts(after))


def test_median_is_named():
    before, after = words(REFERENCE, live(13, 5000)).removeprefix("median ").split(" -> ")
    assert float(before) == pytest.approx(10, abs=0.2)
    assert float(after) == pytest.approx(13, abs=0.2)


def test_values_out_of_range_are_not_invented():
    far = sketch_number([300.0] * 50, like=REFERENCE)
    assert words(REFERENCE, far).endswith(f"-> above {REFERENCE.high:.3g}")


def test_few_distinct_values_give_shares():
    before = sketch_number([0] * 80 + [1] * 20)
    after = sketch_number([0] * 30 + [1] * 70, like=before)
    assert "80.0% -> 30.0%" in words(before, after) or "20.0% -> 70.0%" in words(before, after)


def test_missing_values_are_named():
    after = sketch_number([10.0] * 0 + [np.nan] * 50, like=REFERENCE)
    assert words(REFERENCE, after) == "missing 0.0% -> 100.0%"


def test_unknown_categories_are_named():
    before = CategorySketch(categories=("a", "b"), counts=(50, 50), other=0, missing=0)
    after = CategorySketch(categories=("a", "b"), counts=(50, 10), other=40, missing=0)
    assert words(before, after) in (
        "share of unknown values 0.0% -> 40.0%, share of b 50.0% -> 10.0%",
        "share of b 50.0% -> 10.0%, share of unknown values 0.0% -> 40.0%",
    )


@pytest.mark.parametrize("rows", [20, 200, 2000])
def test_chance_alone_is_taken_off_the_distance_too(rows):
    before = bin_counts(REFERENCE)
    found = [cautious_js(before, bin_counts(live(10, rows, seed))) for seed in range(100)]
    plain = [js_distance(REFERENCE, live(10, rows, seed)) for seed in range(100)]
    assert np.mean(found) < 0.35 * np.mean(plain)


def test_many_rows_tend_to_the_plain_distance():
    shifted = live(11, 50_000)
    found = cautious_js(bin_counts(REFERENCE), bin_counts(shifted))
    assert found == pytest.approx(js_distance(REFERENCE, shifted), rel=0.03)
    assert cautious_js(bin_counts(REFERENCE), bin_counts(shifted) * 0) == 0.0


def test_the_median_moves_in_standard_deviations():
    before = bin_counts(REFERENCE)
    moved = median_shift(REFERENCE, before, bin_counts(live(13, 5000)))
    assert moved == pytest.approx(1.5, abs=0.1)
    gone = bin_counts(sketch_number([np.nan] * 50, like=REFERENCE))
    assert median_shift(REFERENCE, before, gone) is None
    kinds = CategorySketch(categories=("a",), counts=(5,), other=0, missing=0)
    assert median_shift(kinds, bin_counts(kinds), bin_counts(kinds)) is None
    constant = sketch_number([3.0] * 9)
    assert median_shift(constant, bin_counts(constant), bin_counts(constant)) is None


@pytest.mark.parametrize("q", [0.0, 0.25, 0.5, 0.9, 1.0])
def test_quantiles_of_bins_are_those_of_the_sketch(q):
    assert quantile_of(REFERENCE.edges, bin_counts(REFERENCE)[1:], q) == pytest.approx(
        quantile(REFERENCE, q), abs=1e-9
    )
