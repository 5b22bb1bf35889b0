from __future__ import annotations

import dataclasses
from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeRegressor

from gleis.contracts.errors import CannotExplainError
from gleis.evidence.explain import shap_native
from gleis.evidence.explain.forest import Forest
from gleis.evidence.explain.shap_trees import TreeShap

pytestmark = pytest.mark.usefixtures("fresh_library")
DRAW = np.random.default_rng(5)
X = DRAW.normal(size=(400, 6))
Y = X[:, 0] * X[:, 1] + np.where(X[:, 2] > 0, X[:, 3], -X[:, 3]) + 0.3 * DRAW.normal(size=400)
ROWS = DRAW.normal(size=(12, 6))


def forest_of(trees, n_outputs, scale=1.0, targets=None):
    """Return scikit-learn's trees as plain arrays."""
    parts, start = {name: [] for name in ("f", "l", "r", "v", "c", "t", "root")}, 0
    for tree in trees:
        here = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        parts["f"].append(np.maximum(tree.feature, 0))
        parts["l"].append(np.where(leaf, here, tree.children_left) + start)
        parts["r"].append(np.where(leaf, here, tree.children_right) + start)
        parts["v"].append(tree.value[:, 0, :] * scale)
        parts["c"].append(tree.weighted_n_node_samples)
        parts["t"].append(tree.threshold)
        parts["root"].append([start])
        start += tree.node_count
    joined = {name: np.concatenate(values) for name, values in parts.items()}
    return Forest(
        feature=joined["f"],
        threshold=joined["t"],
        left=joined["l"],
        right=joined["r"],
        value=joined["v"],
        cover=joined["c"],
        roots=joined["root"],
        target=np.zeros(len(trees), int) if targets is None else np.array(targets),
        n_features=6,
        n_outputs=n_outputs,
        **numbers_only(start),
    )


def numbers_only(count):
    zeros = np.zeros(count, int)
    sets = {"kind": zeros, "at": zeros, "size": zeros, "bits": np.zeros(0, np.uint32)}
    return {"default_left": np.zeros(count, bool), **sets}


def explained(forest, row, kernel=None):
    shap = TreeShap(forest, kernel)
    return shap.values(row.astype(np.float32).astype(np.float64)[None])[0], shap.base


def expected(forest, row, known, node=None):
    """The game of the paper, algorithm 1: what a tree says if only some features are known."""
    node = forest.roots[0] if node is None else node
    if forest.left[node] == node:
        return forest.value[node]
    children = (forest.left[node], forest.right[node])
    if forest.feature[node] in known:
        row = row.astype(np.float32)
        child = children[0] if row[forest.feature[node]] <= forest.threshold[node] else children[1]
        return expected(forest, row, known, child)
    weights = [forest.cover[child] / forest.cover[node] for child in children]
    parts = [expected(forest, row, known, child) for child in children]
    return weights[0] * parts[0] + weights[1] * parts[1]


@pytest.mark.parametrize("depth", [1, 2, 4, 9])
def test_a_tree_is_explained_as_the_definition_says(depth, kernel):
    tree = DecisionTreeRegressor(max_depth=depth, random_state=0).fit(X, Y)
    forest = forest_of([tree.tree_], 1)
    for row in ROWS[:3]:
        values, base = explained(forest, row, kernel)
        assert base == pytest.approx(expected(forest, row, ()), abs=1e-12)
        for player in range(6):
            others = [j for j in range(6) if j != player]
            wanted = 0.0
            for size in range(6):
                weight = factorial(size) * factorial(5 - size) / factorial(6)
                for known in combinations(others, size):
                    gain = expected(forest, row, (*known, player)) - expected(forest, row, known)
                    wanted += weight * gain[0]
            assert values[player, 0] == pytest.approx(wanted, abs=1e-12)


MODELS = {
    "gradient boosting": lambda: GradientBoostingRegressor(n_estimators=60, random_state=0),
    "deep trees": lambda: ExtraTreesRegressor(n_estimators=15, random_state=0),
    "forest": lambda: RandomForestClassifier(n_estimators=20, random_state=0),
}


@pytest.mark.parametrize("name", MODELS)
def test_ensembles_are_explained_as_shap_explains_them(name, kernel):
    shap = pytest.importorskip("shap")
    classes = name == "forest"
    model = MODELS[name]().fit(X, np.digitize(Y, [-0.5, 0.5]) if classes else Y)
    trees = [tree.tree_ for tree in np.ravel(model.estimators_)]
    boosted = name == "gradient boosting"
    scale = model.learning_rate if boosted else 1 / len(trees)
    forest = forest_of(trees, 3 if classes else 1, scale)
    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    theirs = explainer.shap_values(ROWS, check_additivity=False).reshape(len(ROWS), 6, -1)
    start = model.init_.constant_[0, 0] if boosted else 0.0
    for row, wanted in zip(ROWS, theirs, strict=True):
        values, base = explained(forest, row, kernel)
        assert np.abs(values - wanted).max() < 1e-9
        score = model.predict_proba([row])[0] if classes else model.predict([row])
        assert start + base + values.sum(axis=0) == pytest.approx(score, abs=1e-12)
    assert start + base == pytest.approx(np.ravel(explainer.expected_value), abs=1e-6)


def test_trees_of_several_outputs_in_turn():
    """Boosted classes: each tree adds to one output."""
    trees = [
        DecisionTreeRegressor(max_depth=3, random_state=k).fit(X, Y * (k + 1)).tree_
        for k in range(3)
    ]
    together = forest_of(trees, 3, targets=[0, 1, 2])
    values, base = explained(together, ROWS[0])
    for k, tree in enumerate(trees):
        alone = forest_of([tree], 1)
        one, one_base = explained(alone, ROWS[0])
        assert values[:, k] == pytest.approx(one[:, 0], abs=1e-14)
        assert base[k] == one_base[0]


def test_many_leaves_are_taken_in_parts(monkeypatch):
    model = ExtraTreesRegressor(n_estimators=5, random_state=0).fit(X, Y)
    forest = forest_of([tree.tree_ for tree in model.estimators_], 1)
    whole, _ = explained(forest, ROWS[0], "plain")
    monkeypatch.setattr("gleis.evidence.explain.shap_plain._AT_ONCE", 1000)
    parts, _ = explained(forest, ROWS[0], "plain")
    assert parts == pytest.approx(whole, abs=1e-14)


@st.composite
def forests(draw):
    """Trees with every kind of node, features asked again and again, and covers of 0."""
    count, width, n_outputs = draw(st.integers(1, 3)), draw(st.integers(1, 2)), 3
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    left, roots = [], []
    for _ in range(count):
        roots.append(len(left))
        left += [-1]
        for at in range(roots[-1], roots[-1] + 25):
            if at < len(left) and rng.random() < 0.8:
                left[at] = len(left)
                left += [-1, -1]
    here = np.arange(len(left))
    left = np.where(np.array(left) < 0, here, left)
    leaf = left == here
    kind = np.where(leaf, 0, rng.integers(0, 4, len(left)))
    cover = np.where(rng.random(len(left)) < 0.1, 0.0, rng.random(len(left)))
    for at in here[::-1]:
        if not leaf[at]:
            cover[at] = cover[left[at]] + cover[left[at] + 1]
    return Forest(
        feature=np.where(leaf, 0, rng.integers(0, 3, len(left))),
        threshold=rng.integers(-1, 3, len(left)) + 0.5,
        default_left=rng.random(len(left)) < 0.5,
        kind=kind,
        at=np.where(kind == 1, rng.integers(0, 2, len(left)), 0),
        size=np.where(kind == 1, rng.integers(0, 34, len(left)), 0),
        bits=rng.integers(0, 2**32, 4, dtype=np.uint32),
        left=left,
        right=left + 1,
        value=rng.normal(size=(len(left), width)),
        cover=cover,
        roots=np.array(roots),
        target=rng.integers(0, n_outputs - width + 1, count),
        n_features=3,
        n_outputs=n_outputs,
    )


NUMBER = st.sampled_from([np.nan, 0.0, -1.0, 1e-36, 1.0, 2.0, 33.0, 40.0])


@given(forests(), st.lists(st.tuples(NUMBER, NUMBER, NUMBER), min_size=1, max_size=3))
def test_both_kernels_say_the_same(forest, rows):
    if shap_native.library() is None:
        pytest.skip("no C compiler")
    x = np.array(rows)
    fast, plain = TreeShap(forest, "native"), TreeShap(forest, "plain")
    assert fast.values(x) == pytest.approx(plain.values(x), rel=1e-11, abs=1e-12)
    assert np.array_equal(fast.base, plain.base)


def test_nodes_that_two_trees_share_are_refused():
    forest = forest_of([DecisionTreeRegressor(max_depth=2).fit(X, Y).tree_], 1)
    left = forest.left.copy()
    left[0] = forest.right[0]
    with pytest.raises(CannotExplainError, match="share nodes"):
        TreeShap(dataclasses.replace(forest, left=left))


def test_a_forest_of_stumps_without_a_split(kernel):
    lone = Forest(
        feature=np.zeros(1, int),
        threshold=np.full(1, np.inf),
        left=np.zeros(1, int),
        right=np.zeros(1, int),
        value=np.array([[2.5]]),
        cover=np.ones(1),
        roots=np.zeros(1, int),
        target=np.zeros(1, int),
        n_features=2,
        n_outputs=1,
        **numbers_only(1),
    )
    shap = TreeShap(lone, kernel)
    assert shap.base.tolist() == [2.5]
    assert shap.values(np.zeros((1, 2))).tolist() == [[[0.0], [0.0]]]
