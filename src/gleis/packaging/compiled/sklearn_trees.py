"""Trees, forests and boosted trees of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.packaging.compiled.assembly import Assembly
from gleis.packaging.compiled.form import KINDS, Node
from gleis.packaging.compiled.grove import Tree
from gleis.packaging.compiled.symbols import NotCompiledError, Step, Table

_LINKS = {
    "IdentityLink": "identity",
    "LogLink": "exp",
    "LogitLink": "logistic",
    "HalfLogitLink": "half-logistic",
    "MultinomialLogit": "softmax",
}


def link_of(loss: Any) -> str:
    """Return the way from a loss's raw predictions to scores.

    Raises
    ------
    NotCompiledError
        If it is none of ours.
    """
    name = type(loss.link).__name__
    link = _LINKS.get(name)
    if link is None or link == "half-logistic":
        raise NotCompiledError(f"The link {name} is not translated.")
    return link


def forest(estimator: Any, table: Table, made: Assembly) -> Node:
    """Translate a tree, a forest or extra trees: the mean of their leaves."""
    members = getattr(estimator, "estimators_", None) or [estimator]
    if getattr(estimator, "n_outputs_", 1) != 1:
        raise NotCompiledError("A model with several targets is not translated.")
    classes = len(getattr(estimator, "classes_", ()))
    trees = [_tree(member.tree_, _shares(classes)) for member in members]
    width = trees[0].value.shape[1]
    divide = float(len(members)) if hasattr(estimator, "estimators_") else 1.0
    return made.trees(table, trees, np.zeros(width), _last(estimator, members[0]), divide=divide)


def gradient_boosting(estimator: Any, table: Table, made: Assembly, raw: bool) -> Node:
    """Translate ``GradientBoosting``: a start and shrunk trees, one for each class."""
    rate = float(estimator.learning_rate)
    trees = []
    for stage in estimator.estimators_:
        for k, member in enumerate(stage):
            trees.append(_tree(member.tree_, lambda v: v[:, 0, :1], rate, k))
    empty = np.zeros((1, len(table.symbols)))
    init = estimator._raw_predict_init(empty)[0]
    if not _constant_start(estimator):
        raise NotCompiledError("GradientBoosting with an init estimator is not translated.")
    link = "identity" if raw else link_of(estimator._loss)
    return made.trees(table, trees, init, _last(estimator, estimator.estimators_[0, 0]), link=link)


def hist_gradient_boosting(estimator: Any, table: Table, made: Assembly, raw: bool) -> Node:
    """Translate ``HistGradientBoosting``, whose categories are codes below 256."""
    known, where = estimator._bin_mapper.make_known_categories_bitsets()
    trees = [
        _binned_tree(predictor, k, known, where)
        for stage in estimator._predictors
        for k, predictor in enumerate(stage)
    ]
    if not trees:
        raise NotCompiledError("A boosted model without trees is not translated.")
    init = np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel()
    link = "identity" if raw else link_of(estimator._loss)
    return made.trees(table, trees, init, link=link)


def _constant_start(estimator: Any) -> bool:
    return type(estimator.init_).__name__ in {"DummyClassifier", "DummyRegressor", "str"}


def _last(estimator: Any, member: Any) -> tuple[Step, ...]:
    """scikit-learn's trees see float32; some kinds refuse missing values."""
    tags = estimator.__sklearn_tags__().input_tags
    allowed = tags.allow_nan and member.monotonic_cst is None
    return Step("float32"), Step("finite", float(allowed))


def _shares(classes: int) -> Any:
    if classes == 2:
        return lambda value: value[:, 0, 1:2]
    return (lambda value: value[:, 0, :]) if classes else (lambda value: value[:, 0, :1])


def _tree(tree: Any, pick: Any, rate: float = 1.0, target: int = 0) -> Tree:
    left = tree.children_left.astype(np.int64)
    return Tree(
        feature=tree.feature,
        threshold=tree.threshold,
        left=left,
        right=tree.children_right.astype(np.int64),
        default_left=tree.missing_go_to_left.astype(bool),
        value=rate * pick(tree.value) if rate != 1.0 else pick(tree.value),
        cover=tree.weighted_n_node_samples,
        target=target,
    )


def _binned_tree(
    predictor: Any, target: int, known: NDArray[np.uint32], where: NDArray[np.uint32]
) -> Tree:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"] == 1
    category = (nodes["is_categorical"] == 1) & ~leaf
    sets = {
        int(i): _left_set(nodes[i], predictor.raw_left_cat_bitsets, known, where)
        for i in np.flatnonzero(category)
    }
    return Tree(
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(leaf, -1, nodes["right"].astype(np.int64)),
        default_left=nodes["missing_go_to_left"] == 1,
        value=nodes["value"].astype(np.float64)[:, None],
        cover=nodes["count"].astype(np.float64),
        kind=np.where(category, KINDS.index("category"), 0).astype(np.uint8),
        sets=sets,
        target=target,
    )


def _left_set(node: Any, sets: Any, known: Any, where: Any) -> NDArray[np.bool_]:
    """Codes that training did not know go where missing values go."""
    left = _unpacked(sets[node["bitset_idx"]])
    seen = _unpacked(known[where[node["feature_idx"]]])
    return np.where(seen | left, left, node["missing_go_to_left"] == 1)


def _unpacked(bitset: Any) -> NDArray[np.bool_]:
    words = np.ascontiguousarray(bitset, dtype="<u4")
    return np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool)
