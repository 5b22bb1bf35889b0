from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import IsolationForest

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import PackageError
from gleis.contracts.outliers import ForestOutliers, OutlierModel
from gleis.evidence.outliers.fit import fit_outliers
from gleis.packaging.outliers.forest import ForestScorer
from outlier_rows import MIXED, NUMBERS, columns


def grown(matrix, seed):
    """Return scikit-learn's own forest on the same matrix."""
    return IsolationForest(n_estimators=100, max_samples=256, random_state=seed).fit(matrix)


def matrix_of(frame, model):
    """Return rows as the forest of a model sees them: numbers, then ``-log p`` of categories."""
    found = [frame[name].cast(pl.Float64).to_numpy() for name in model.numbers]
    for name, known in model.surprise.items():
        surprise = {**known, None: model.missing[name]}
        found.append([surprise.get(value, model.unseen[name]) for value in frame[name]])
    return np.column_stack(found)


@pytest.mark.parametrize("kernel", ["native", "plain"])
def test_scores_are_scikit_learns(numbers, kernel):
    model = fit_outliers(numbers, NUMBERS, "isolation_forest", 3)
    forest = grown(numbers.to_numpy(), 3)
    draw = np.random.default_rng(5)
    far = pl.DataFrame(draw.normal(0, 20, (300, 3)), schema=["a", "b", "c"])
    scorer = ForestScorer(model, kernel=kernel)
    for frame in (numbers, far, far[:1]):
        expected = -forest.score_samples(frame.to_numpy())
        np.testing.assert_allclose(scorer.score(columns(frame)), expected, rtol=0, atol=1e-12)


def test_values_at_the_cuts_go_where_scikit_learn_sends_them(numbers):
    """Cuts are float64 and rows float32 there; here cuts are float32."""
    model = fit_outliers(numbers, NUMBERS, "isolation_forest", 3)
    forest = grown(numbers.to_numpy(), 3)
    cuts = np.concatenate([t.tree_.threshold[t.tree_.feature == 2] for t in forest.estimators_])
    near = [cuts, np.nextafter(cuts, 9), np.nextafter(cuts.astype(np.float32), np.float32(-9))]
    c = np.concatenate([part.astype(np.float64) for part in near])
    rows = {"a": np.ones(len(c)).tolist(), "b": np.ones(len(c)).tolist(), "c": c.tolist()}
    expected = -forest.score_samples(np.column_stack(list(rows.values())))
    np.testing.assert_allclose(ForestScorer(model).score(rows), expected, rtol=0, atol=1e-12)


def test_missing_numbers_and_categories_go_down_as_scikit_learn_lets_them(mixed):
    model = fit_outliers(mixed, MIXED, "isolation_forest", 4)
    forest = grown(matrix_of(mixed, model), 4)
    strange = mixed[:3].with_columns(pl.Series("shop", ["q", None, "x"]), a=None)
    for frame in (mixed, strange):
        expected = -forest.score_samples(matrix_of(frame, model))
        scores = ForestScorer(model).score(columns(frame))
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)


def test_both_kernels_one_row_and_many_give_the_same_bits(mixed):
    model = fit_outliers(mixed, MIXED, "isolation_forest", 4)
    native, plain = (ForestScorer(model, kernel=kernel) for kernel in ("native", "plain"))
    together = native.score(columns(mixed))
    np.testing.assert_array_equal(plain.score(columns(mixed)), together)
    alone = [native.score(columns(mixed[i : i + 1]))[0] for i in range(50)]
    np.testing.assert_array_equal(alone, together[:50])


def test_numbers_that_are_a_matrix_already(mixed):
    model = fit_outliers(mixed, MIXED, "isolation_forest", 4)
    lines = ("open", "gone", "flat", "b", "a")
    numbers = np.array([mixed[name].cast(pl.Float64).to_numpy() for name in lines])
    expected = ForestScorer(model).score(columns(mixed))
    scorer = ForestScorer(model, lines)
    np.testing.assert_array_equal(scorer.score(columns(mixed), numbers), expected)
    one = scorer.score(columns(mixed[:1]), numbers[:, :1])
    np.testing.assert_array_equal(one, expected[:1])


def test_the_same_seed_grows_the_same_forest_and_the_file_stays_small(mixed):
    model = fit_outliers(mixed, MIXED, "isolation_forest", 4)
    assert fit_outliers(mixed, MIXED, "isolation_forest", 4) == model
    assert fit_outliers(mixed, MIXED, "isolation_forest", 5) != model
    content = msgspec.json.encode(msgspec.structs.replace(model, threshold=0.6))
    assert len(content) < 600_000
    again = msgspec.json.decode(content, type=OutlierModel)
    assert isinstance(again, ForestOutliers)
    assert again.left == model.left


def test_the_strange_feature_is_named(numbers):
    scorer = ForestScorer(fit_outliers(numbers, NUMBERS, "isolation_forest", 3))
    row = {"a": 1.4, "b": 4.0, "c": 30.0}
    found = scorer.explain(row)
    assert found[0].feature == "c"
    usual = scorer.model.usual[2]
    score, calm = (
        scorer.score({k: [v] for k, v in r.items()})[0] for r in (row, row | {"c": usual})
    )
    assert found[0].adds == pytest.approx(score - calm)


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1.0], "number"), ([2.0, 2.0, 2.0], "number"), (["x"], "category"), ([None, None], "number")],
)
def test_hardly_any_rows(values, kind):
    frame = pl.DataFrame(
        {"a": pl.Series(values, dtype=pl.String if kind == "category" else pl.Float64)}
    )
    contract = Contract(task="binary", features=(Column(name="a", kind=kind),), target="y")
    scores = ForestScorer(fit_outliers(frame, contract, "isolation_forest")).score(columns(frame))
    assert scores.shape == (len(values),)
    assert ((scores > 0) & (scores <= 1)).all()


@pytest.mark.parametrize("name", ["left", "right", "feature"])
def test_a_damaged_forest_does_not_load(numbers, name):
    model = fit_outliers(numbers, NUMBERS, "isolation_forest", 3)
    array = np.frombuffer(getattr(model, name), "<i2").copy()
    array[0] = 600 if name != "feature" else 99
    broken = msgspec.structs.replace(model, **{name: array.tobytes()})
    with pytest.raises(PackageError, match="not whole"):
        ForestScorer(broken)
    cut = msgspec.structs.replace(model, **{name: array.tobytes()[:-1]})
    with pytest.raises(PackageError, match="not whole"):
        ForestScorer(cut)
