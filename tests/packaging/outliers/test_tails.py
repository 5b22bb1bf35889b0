from __future__ import annotations

import math

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import PackageError
from gleis.contracts.outliers import OutlierModel
from gleis.evidence.outliers.ecod import EXACT
from gleis.evidence.outliers.fit import fit_outliers
from gleis.packaging.outliers.tails import EcodScorer
from outlier_rows import MIXED, NUMBERS, columns


@pytest.fixture(scope="session")
def ecod():
    """Return PyOD's ECOD, which is installed on Linux."""
    return pytest.importorskip("pyod.models.ecod").ECOD


def one_column(values):
    features = (Column(name="a", kind="number"),)
    contract = Contract(task="binary", features=features, target="y")
    return fit_outliers(pl.DataFrame({"a": values}), contract, "ecod")


@pytest.mark.parametrize("kernel", ["native", "plain"])
def test_a_row_scores_as_pyod_scores_it_alone(numbers, ecod, kernel):
    """PyOD adds the rows it is asked about to those of training, so it is asked about one."""
    scorer = EcodScorer(fit_outliers(numbers, NUMBERS, "ecod"), kernel=kernel)
    peer = ecod().fit(numbers.to_numpy())
    draw = np.random.default_rng(2)
    new = np.vstack([numbers.to_numpy()[:40], draw.normal(0, 4, (40, 3)).round(1)])
    expected = [peer.decision_function(row[None])[0] for row in new]
    found = scorer.score(dict(zip("abc", new.T.tolist(), strict=True)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_training_rows_rank_as_pyod_ranks_them(numbers, ecod):
    """There each is one of n rows, here one of n + 1: almost the same score."""
    scorer = EcodScorer(fit_outliers(numbers, NUMBERS, "ecod"))
    expected = ecod().fit(numbers.to_numpy()).decision_scores_
    found = scorer.score(columns(numbers))
    assert np.abs(found - expected).max() < 3 * math.log(2)
    assert np.corrcoef(found.argsort().argsort(), expected.argsort().argsort())[0, 1] > 0.999


def test_a_column_with_no_skewness_counts_both_tails_as_pyod_does(ecod):
    values = [1.0, 2.0, 3.0, 2.0]
    model = one_column(values)
    assert model.tails["a"].symmetric
    peer = ecod().fit(np.array(values)[:, None])
    # A row in the middle leaves the skewness as it is.
    expected = peer.decision_function(np.array([[2.0]]))
    np.testing.assert_allclose(EcodScorer(model).score({"a": [2.0]}), expected, atol=1e-12)


def test_of_many_distinct_values_a_choice_is_kept_and_little_is_lost():
    draw = np.random.default_rng(3)
    values = draw.lognormal(0, 2, 60_000)
    model = one_column(values)
    kept = len(model.tails["a"].values) // 8
    assert kept < EXACT / 2
    asked = np.concatenate([values[:3000], draw.lognormal(0, 3, 3000), [-1.0, 1e9]])
    found = EcodScorer(model).score({"a": asked.tolist()})
    left = np.searchsorted(np.sort(values), asked, side="right")
    right = len(values) - np.searchsorted(np.sort(values), asked, side="left")
    exact = -np.log((np.minimum(left, right) + 1) / (len(values) + 1))
    assert np.abs(found - exact).max() <= 0.005
    rare = np.minimum(left, right) < 50
    assert rare.sum() > 20
    np.testing.assert_allclose(found[rare], exact[rare], rtol=0, atol=1e-12)


@given(st.lists(st.floats(-1e4, 1e4, width=16), min_size=1, max_size=40), st.floats(-1e9, 1e9))
def test_further_out_is_never_less_strange(values, start):
    model = one_column(values)
    ladder = np.sort(np.array([*values, start, *np.nextafter(values, np.inf)]))
    scores = EcodScorer(model).score({"a": ladder.tolist()})
    if not model.tails["a"].symmetric:
        low = int(scores.argmin())
        assert (np.diff(scores[: low + 1]) <= 0).all()
        assert (np.diff(scores[low:]) >= 0).all()
    assert (scores >= 0).all()


def test_both_kernels_one_row_and_many_give_the_same_bits(mixed):
    model = fit_outliers(mixed, MIXED, "ecod")
    native, plain = (EcodScorer(model, kernel=kernel) for kernel in ("native", "plain"))
    together = native.score(columns(mixed))
    np.testing.assert_array_equal(plain.score(columns(mixed)), together)
    alone = [native.score(columns(mixed[i : i + 1]))[0] for i in range(50)]
    np.testing.assert_array_equal(alone, together[:50])
    lines = ("open", "gone", "flat", "b", "a")
    numbers = np.array([mixed[name].cast(pl.Float64).to_numpy() for name in lines])
    scorer = EcodScorer(model, lines)
    np.testing.assert_array_equal(scorer.score(columns(mixed), numbers), together)


def test_what_is_missing_or_rare_adds_minus_its_log_share(mixed):
    scorer = EcodScorer(fit_outliers(mixed, MIXED, "ecod"))
    row = {"a": [0.0], "shop": ["x"], "b": [20], "open": [False], "flat": [0.1], "gone": [None]}

    def score(**changes):
        return scorer.score(row | {name: [value] for name, value in changes.items()})[0]

    missing = mixed["a"].null_count()
    tail = scorer.model.tails["a"].missing
    assert tail == pytest.approx(-math.log((missing + 1) / 602))
    assert score(a=None) == pytest.approx(score() - score(a=0.0) + score(a=float("nan")))
    assert score(shop="q") - score() == pytest.approx(math.log(mixed["shop"].eq("x").sum() + 1))
    # A column that was always missing says nothing about a value.
    assert score(gone=7.0) == pytest.approx(score(), abs=0.01)


def test_the_strange_feature_is_named_with_what_is_usual(mixed):
    scorer = EcodScorer(fit_outliers(mixed, MIXED, "ecod"))
    row = {"a": 0.0, "shop": "q", "b": 900, "open": False, "flat": 0.1, "gone": None}
    found = {one.feature: one for one in scorer.explain(row)}
    assert set(list(found)[:2]) == {"b", "shop"}
    assert found["b"].usual.endswith("so high in none")
    assert found["shop"].usual.endswith("this in none")
    assert "flat" not in found


@pytest.mark.parametrize("values", [[1.0], [2.0] * 3, [None, None], [float("nan"), 1.0]])
def test_hardly_any_rows(values):
    model = one_column(pl.Series(values, dtype=pl.Float64))
    again = msgspec.json.decode(
        msgspec.json.encode(msgspec.structs.replace(model, threshold=1.0)), type=OutlierModel
    )
    scores = EcodScorer(again).score({"a": values})
    assert np.isfinite(scores).all()
    assert EcodScorer(again).score({"a": [1e9]})[0] >= 0


def test_a_damaged_tail_does_not_load(numbers):
    model = fit_outliers(numbers, NUMBERS, "ecod")
    for name in ("values", "below"):
        tail = model.tails["a"]
        broken = msgspec.structs.replace(tail, **{name: getattr(tail, name)[8:]})
        with pytest.raises(PackageError, match="not whole"):
            EcodScorer(msgspec.structs.replace(model, tails={**model.tails, "a": broken}))
