from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeRegressor

from gleis.evidence.explain.shap_trees import Forest, TreeShap

DRAW = np.random.default_rng(5)
X = DRAW.normal(size=(400, 6))
Y = X[:, 0] * X[:, 1] + np.where(X[:, 2] > 0, X[:, 3], -X[:, 3]) + 0.3 * DRAW.normal(size=400)
ROWS = DRAW.normal(size=(12, 6))


def forest_of(trees, n_outputs, scale=1.0, targets=None):
    """Return scikit-learn's trees as plain arrays, and their thresholds."""
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
        left=joined["l"],
        right=joined["r"],
        value=joined["v"],
        cover=joined["c"],
        roots=joined["root"],
        target=np.zeros(len(trees), int) if targets is None else np.array(targets),
        n_features=6,
        n_outputs=n_outputs,
    ), joined["t"]


def explained(forest, thresholds, row):
    shap = TreeShap(forest)
    row = row.astype(np.float32).astype(np.float64)
    return shap.values(row[forest.feature] <= thresholds), shap.base


def expected(forest, thresholds, row, known, node=None):
    """The game of the paper, algorithm 1: what a tree says if only some features are known."""
    node = forest.roots[0] if node is None else node
    if forest.left[node] == node:
        return forest.value[node]
    children = (forest.left[node], forest.right[node])
    if forest.feature[node] in known:
        row = row.astype(np.float32)
        child = children[0] if row[forest.feature[node]] <= thresholds[node] else children[1]
        return expected(forest, thresholds, row, known, child)
    weights = [forest.cover[child] / forest.cover[node] for child in children]
    parts = [expected(forest, thresholds, row, known, child) for child in children]
    return weights[0] * parts[0] + weights[1] * parts[1]


@pytest.mark.parametrize("depth", [1, 2, 4, 9])
def test_a_tree_is_explained_as_the_definition_says(depth):
    tree = DecisionTreeRegressor(max_depth=depth, random_state=0).fit(X, Y)
    forest, thresholds = forest_of([tree.tree_], 1)
    for row in ROWS[:3]:
        values, base = explained(forest, thresholds, row)
        assert base == pytest.approx(expected(forest, thresholds, row, ()), abs=1e-12)
        for player in range(6):
            others = [j for j in range(6) if j != player]
            wanted = 0.0
            for size in range(6):
                weight = factorial(size) * factorial(5 - size) / factorial(6)
                for known in combinations(others, size):
                    gain = expected(forest, thresholds, row, (*known, player)) - expected(
                        forest, thresholds, row, known
                    )
                    wanted += weight * gain[0]
            assert values[player, 0] == pytest.approx(wanted, abs=1e-12)


MODELS = {
    "gradient boosting": lambda: GradientBoostingRegressor(n_estimators=60, random_state=0),
    "deep trees": lambda: ExtraTreesRegressor(n_estimators=15, random_state=0),
    "forest": lambda: RandomForestClassifier(n_estimators=20, random_state=0),
}


@pytest.mark.parametrize("name", MODELS)
def test_ensembles_are_explained_as_shap_explains_them(name):
    shap = pytest.importorskip("shap")
    classes = name == "forest"
    model = MODELS[name]().fit(X, np.digitize(Y, [-0.5, 0.5]) if classes else Y)
    trees = [tree.tree_ for tree in np.ravel(model.estimators_)]
    boosted = name == "gradient boosting"
    scale = model.learning_rate if boosted else 1 / len(trees)
    forest, thresholds = forest_of(trees, 3 if classes else 1, scale)
    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    theirs = explainer.shap_values(ROWS, check_additivity=False).reshape(len(ROWS), 6, -1)
    start = model.init_.constant_[0, 0] if boosted else 0.0
    for row, wanted in zip(ROWS, theirs, strict=True):
        values, base = explained(forest, thresholds, row)
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
    together, thresholds = forest_of(trees, 3, targets=[0, 1, 2])
    values, base = explained(together, thresholds, ROWS[0])
    for k, tree in enumerate(trees):
        alone, own = forest_of([tree], 1)
        one, one_base = explained(alone, own, ROWS[0])
        assert values[:, k] == pytest.approx(one[:, 0], abs=1e-14)
        assert base[k] == one_base[0]


def test_many_leaves_are_taken_in_parts(monkeypatch):
    model = ExtraTreesRegressor(n_estimators=5, random_state=0).fit(X, Y)
    forest, thresholds = forest_of([tree.tree_ for tree in model.estimators_], 1)
    whole, _ = explained(forest, thresholds, ROWS[0])
    monkeypatch.setattr("gleis.evidence.explain.shap_trees._AT_ONCE", 1000)
    parts, _ = explained(forest, thresholds, ROWS[0])
    assert parts == pytest.approx(whole, abs=1e-14)


def test_a_forest_of_stumps_without_a_split():
    lone = Forest(
        feature=np.zeros(1, int),
        left=np.zeros(1, int),
        right=np.zeros(1, int),
        value=np.array([[2.5]]),
        cover=np.ones(1),
        roots=np.zeros(1, int),
        target=np.zeros(1, int),
        n_features=2,
        n_outputs=1,
    )
    shap = TreeShap(lone)
    assert shap.base.tolist() == [2.5]
    assert shap.values(np.array([True])).tolist() == [[0.0], [0.0]]
