from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from gleis.contracts.contract import Column
from gleis.evidence.simple_columns import N_CATEGORIES, for_linear, for_tree

NUMBER = Column(name="n", kind="number")
WORD = Column(name="w", kind="category")


def test_the_linear_form_is_sklearns():
    rng = np.random.default_rng(0)
    n = pl.Series("n", rng.normal(5, 2, 400)).set(pl.Series(rng.random(400) < 0.2), None)
    rows = pl.DataFrame({"n": n, "w": rng.choice(["a", "b", "c"], 400)})
    train, test = rows[:300], rows[300:]
    impute = SimpleImputer(add_indicator=True)
    theirs = make_column_transformer(
        (make_pipeline(impute, StandardScaler()), ["n"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["w"]),
    ).fit(train)
    number = for_linear(train["n"], NUMBER, np.zeros(300))
    word = for_linear(train["w"], WORD, np.zeros(300))
    wanted = theirs.transform(test)
    ours = number(test["n"])
    there = test["n"].is_not_null().to_numpy()
    scale = train["n"].std(ddof=0) / np.std(impute.fit_transform(train[["n"]])[:, 0])
    np.testing.assert_allclose(ours[there, 0] * scale, wanted[there, 0], atol=1e-9)
    np.testing.assert_array_equal(ours[:, 1], ~there)
    words = sorted(zip(word.words, word(test["w"]).T, strict=True), key=lambda pair: pair[0])
    np.testing.assert_array_equal(np.array([line for _, line in words]).T, wanted[:, -3:])


def test_unknown_words_and_missing_ones_are_no_known_word():
    train = pl.Series("w", ["a", "a", "b"])
    found = for_linear(train, WORD, np.zeros(3))(pl.Series("w", ["b", "new", None]))
    assert found.tolist() == [[0, 1], [0, 0], [0, 0]]


def test_only_the_most_frequent_words_have_a_column():
    train = pl.Series("w", [f"w{min(k, 300 - k)}" for k in range(300)])
    assert for_linear(train, WORD, np.zeros(300)).width == N_CATEGORIES


def test_categories_of_a_tree_are_ordered_by_their_target():
    train = pl.Series("w", ["a", "a", "b", "b", "c"])
    encode = for_tree(train, WORD, np.array([0, 1, 1, 1, 0]))
    assert encode(pl.Series("w", ["a", "b", "c"])).ravel().tolist() == [0.5, 1.0, 0.0]


def test_categories_of_several_classes_are_ordered_by_their_main_difference():
    y = np.array([0] * 9 + [2] + [1] * 5 + [2] * 5 + [2] * 9 + [0])
    train = pl.Series("w", ["a"] * 10 + ["b"] * 10 + ["c"] * 10)
    a, b, c = for_tree(train, WORD, y)(pl.Series("w", ["a", "b", "c"])).ravel()
    assert min(a, c) < b < max(a, c)


@pytest.mark.parametrize("encoder", [for_linear, for_tree])
@pytest.mark.parametrize(
    ("values", "column"),
    [
        (pl.Series("n", [1.0, 1.0]), NUMBER),
        (pl.Series("n", [None, None], dtype=pl.Float64), NUMBER),
        (pl.Series("w", ["a", "a"]), WORD),
        (pl.Series("w", [None, None], dtype=pl.String), WORD),
        (pl.Series("b", [True, True]), Column(name="b", kind="boolean")),
    ],
)
def test_features_that_do_not_vary_have_no_column(encoder, values, column):
    made = encoder(values, column, np.zeros(2))
    assert made.width == 0
    assert made(values).shape == (2, 0)


def test_values_far_outside_stay_finite():
    train = pl.Series("n", [0.0, 1.0, None])
    wild = pl.Series("n", [1e308, -1e308, None])
    assert np.isfinite(for_linear(train, NUMBER, np.zeros(3))(wild)).all()
    assert np.nanmax(np.abs(for_tree(train, NUMBER, np.zeros(3))(wild))) < 1e38
