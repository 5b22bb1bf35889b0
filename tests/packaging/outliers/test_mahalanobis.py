from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import mahalanobis

from gleis.contracts.contract import Column, Contract
from gleis.contracts.outliers import OutlierModel
from gleis.evidence.outliers.fit import fit_outliers
from gleis.packaging.outliers.scorer import outlier_scorer

CONTRACT = Contract(
    task="regression",
    features=(
        Column(name="a", kind="number"),
        Column(name="shop", kind="category", nullable=True),
        Column(name="b", kind="integer"),
        Column(name="flat", kind="number"),
        Column(name="twice", kind="number"),
        Column(name="open", kind="boolean"),
    ),
    target="y",
)


def some_rows(count=400, seed=0):
    draw = np.random.default_rng(seed)
    a = draw.normal(3, 2, count)
    return pl.DataFrame(
        {
            "a": a,
            "shop": [None if u < 0.1 else "xyz"[int(3 * u)] for u in draw.random(count)],
            "b": (10 * a + draw.normal(0, 5, count)).astype(int),
            "flat": np.full(count, 0.1),
            "twice": 2 * a,
            "open": draw.random(count) < 0.3,
        }
    )


def columns(frame):
    return {name: frame[name].to_list() for name in frame.columns}


def test_numbers_lie_as_far_as_scipy_says():
    rows = some_rows()
    contract = msgspec.structs.replace(
        CONTRACT, features=tuple(c for c in CONTRACT.features if c.name in ("a", "b", "open"))
    )
    scores = outlier_scorer(fit_outliers(rows, contract)).score(columns(rows))
    matrix = rows.select("a", "b", "open").cast(pl.Float64).to_numpy()
    inverse = np.linalg.inv(np.cov(matrix.T, bias=True))
    expected = [mahalanobis(row, matrix.mean(axis=0), inverse) ** 2 / 2 for row in matrix]
    np.testing.assert_allclose(scores, expected, rtol=1e-9)


def test_columns_that_say_nothing_new_add_nothing():
    """``flat`` does not vary, and ``twice`` is twice ``a``: a rounding error is no distance."""
    rows = some_rows()
    few = msgspec.structs.replace(
        CONTRACT,
        features=tuple(c for c in CONTRACT.features if c.name not in ("flat", "twice")),
    )
    np.testing.assert_allclose(
        outlier_scorer(fit_outliers(rows, CONTRACT)).score(columns(rows)),
        outlier_scorer(fit_outliers(rows, few)).score(columns(rows)),
        rtol=1e-6,
    )


def test_a_missing_number_counts_as_the_mean_and_rare_categories_surprise():
    scorer = outlier_scorer(fit_outliers(some_rows(), CONTRACT))
    mean = dict(zip(scorer.model.numbers, scorer.model.mean, strict=True))
    base = {"a": [mean["a"]], "b": [mean["b"]], "twice": [mean["twice"]], "open": [mean["open"]]}

    def score(**changes):
        return scorer.score(base | {"shop": ["y"], "flat": [0.1]} | changes)[0]

    assert score(a=[None], b=[float("nan")]) == pytest.approx(score())
    known, unseen, missing = score(), score(shop=["q"]), score(shop=[None])
    assert unseen > missing > known
    assert unseen - known == pytest.approx(np.log((some_rows()["shop"] == "y").sum() + 1))


@given(st.integers(1, 40), st.integers(0, 5))
def test_rows_score_together_as_alone(count, seed):
    scorer = outlier_scorer(fit_outliers(some_rows(), CONTRACT))
    rows = some_rows(count, seed)
    alone = [scorer.score(columns(rows[i : i + 1]))[0] for i in range(count)]
    np.testing.assert_allclose(scorer.score(columns(rows)), alone, rtol=1e-12)


def test_the_model_survives_its_file():
    fitted = msgspec.structs.replace(fit_outliers(some_rows(), CONTRACT), threshold=9.0)
    again = msgspec.json.decode(msgspec.json.encode(fitted), type=OutlierModel)
    assert again == fitted


def test_only_categories_or_only_numbers():
    rows = some_rows()
    for name in ("shop", "a"):
        contract = msgspec.structs.replace(
            CONTRACT, features=tuple(c for c in CONTRACT.features if c.name == name)
        )
        scores = outlier_scorer(fit_outliers(rows, contract)).score(columns(rows.select(name)))
        assert scores.shape == (rows.height,)
        assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    "lines", [("a", "b", "twice", "open"), ("open", "flat", "twice", "b", "a")]
)
def test_numbers_that_are_a_matrix_already(lines):
    rows = some_rows()
    model = fit_outliers(rows, CONTRACT)
    columns = {name: rows[name].to_list() for name in rows.columns}
    numbers = np.array([columns[name] for name in lines], dtype=np.float64)
    found = outlier_scorer(model, lines).score(columns, numbers)
    np.testing.assert_array_equal(found, outlier_scorer(model).score(columns))
    np.testing.assert_array_equal(outlier_scorer(model, ("a",)).score(columns, numbers[:1]), found)


def test_an_explanation_says_how_far_the_score_would_fall():
    """Of a number: were it at its mean given the others. Of a category: were it the usual one."""
    scorer = outlier_scorer(fit_outliers(some_rows(), CONTRACT))
    row = {"a": 3.0, "shop": "q", "b": 90, "flat": 0.1, "twice": 6.0, "open": False}
    found = {one.feature: one for one in scorer.explain(row)}
    assert next(iter(found)) == "b"

    def score(**changes):
        return scorer.score({name: [value] for name, value in (row | changes).items()})[0]

    b = np.linspace(-200, 200, 40_001)
    falls = score() - scorer.score({n: [v] * len(b) for n, v in row.items()} | {"b": b.tolist()})
    assert found["b"].adds == pytest.approx(falls.max(), rel=1e-6)
    low, high = (float(x) for x in found["b"].usual.split(" given")[0].split(" to "))
    assert (low + high) / 2 == pytest.approx(b[falls.argmax()], abs=0.1)
    common = some_rows()["shop"].drop_nulls().value_counts(sort=True)["shop"][0]
    assert found["shop"].adds == pytest.approx(score() - score(shop=common))
    assert found["shop"].usual.startswith(f"{common} in ")
    far = {one.feature: one for one in scorer.explain(row | {"a": 300.0, "twice": 600.0})}
    assert far["b"].usual.startswith(f"about {some_rows()['b'].max()}, the most of training")
    assert "flat" not in found
    assert "a" not in {one.feature for one in scorer.explain(row | {"a": None})}


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_numbers_beyond_all_measure_are_outliers_with_a_finite_score():
    scorer = outlier_scorer(fit_outliers(some_rows(), CONTRACT))
    row = {"shop": ["x"], "flat": [0.1], "open": [True]}
    for a, b in ((1e308, 1e308), (1e308, -1e308), (-1e200, 0.0)):
        score = scorer.score(row | {"a": [a], "b": [b], "twice": [a]})[0]
        assert 1e300 < score < np.inf
        twice = {name: values * 2 for name, values in (row | {"a": [a], "b": [b]}).items()}
        assert scorer.score(twice | {"twice": [a, a]}).tolist() == [score, score]
