"""Boosted trees of LightGBM and XGBoost, read from their own texts."""

from __future__ import annotations

import ctypes
import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.packaging.compiled.assembly import Assembly
from gleis.packaging.compiled.form import KINDS, Node
from gleis.packaging.compiled.grove import Tree
from gleis.packaging.compiled.symbols import (
    REFUSED,
    NotCompiledError,
    Step,
    Symbol,
    Table,
    Words,
)

Array = NDArray[Any]

_LIGHTGBM_LINKS = {
    "binary": "logistic",
    "multiclass": "softmax",
    "multiclassova": "logistic",
    "cross_entropy": "logistic",
    "regression": "identity",
    "regression_l1": "identity",
    "huber": "identity",
    "fair": "identity",
    "quantile": "identity",
    "mape": "identity",
    "poisson": "exp",
    "gamma": "exp",
    "tweedie": "exp",
}
_MISSING_KINDS = ("nan is zero", "zero is missing", "number")
"""LightGBM's missing types none, zero and nan."""

_XGBOOST_LINKS = {
    "binary:logistic": "logistic32",
    "multi:softprob": "softmax32",
    "reg:squarederror": "identity",
    "reg:absoluteerror": "identity",
    "reg:pseudohubererror": "identity",
    "reg:quantileerror": "identity",
    "count:poisson": "exp32",
    "reg:gamma": "exp32",
    "reg:tweedie": "exp32",
}


def lightgbm(estimator: Any, table: Table, made: Assembly) -> Node:
    """Translate an ``LGBMClassifier`` or ``LGBMRegressor``; sums are in float64, tree by tree."""
    blocks = _blocks(estimator.booster_.model_to_string())
    head = blocks[0]
    objective = head.get("objective", "").split()
    link = _LIGHTGBM_LINKS.get(objective[0] if objective else "")
    if link is None or "sqrt" in objective:
        raise NotCompiledError(f"LightGBM's objective {' '.join(objective)!r} is not translated.")
    if (
        link == "logistic"
        and not {"sigmoid:1"} & set(objective)
        and objective[0] != "cross_entropy"
    ):
        raise NotCompiledError("LightGBM with a sigmoid of its own is not translated.")
    outputs = int(head["num_tree_per_iteration"])
    trees = [_lightgbm_tree(block, i % outputs) for i, block in enumerate(blocks[1:])]
    table = _pandas_codes(table, estimator.booster_.pandas_categorical)
    divide = len(trees) / outputs if "average_output" in head else 1.0
    return made.trees(table, trees, np.zeros(outputs), link=link, divide=divide)


def xgboost(estimator: Any, table: Table, made: Assembly) -> Node:
    """Translate an ``XGBClassifier`` or ``XGBRegressor``: all of it in float32."""
    if not (isinstance(estimator.missing, float) and math.isnan(estimator.missing)):
        raise NotCompiledError("XGBoost with a number for missing values is not translated.")
    learner = json.loads(bytes(estimator.get_booster().save_raw("json")))["learner"]
    objective, booster = learner["objective"]["name"], learner["gradient_booster"]
    link = _XGBOOST_LINKS.get(objective)
    if link is None or booster["name"] != "gbtree":
        raise NotCompiledError(f"XGBoost's {booster['name']} for {objective} is not translated.")
    model = booster["model"]
    groups = model["tree_info"]
    trees = [_xgboost_tree(t, g) for t, g in zip(model["trees"], groups, strict=True)]
    trees = trees[: _kept_trees(estimator, model)]
    init = _margins(learner["learner_model_param"], link, max(groups, default=0) + 1)
    last = (Step("float32"), Step("finite", 1.0))
    return made.trees(table, trees, init, last, link=link, single=True)


def _pandas_codes(table: Table, categories: list[list[Any]] | None) -> Table:
    """LightGBM numbers pandas' categories itself; what it does not know is missing."""
    if not categories:
        return table
    left = iter(categories)
    symbols: list[Symbol] = []
    for symbol in table.symbols:
        if isinstance(symbol, Words) and any(isinstance(v, str) for v in symbol.values):
            code = {word: float(k) for k, word in enumerate(next(left, []))}
            values = tuple(code.get(v, math.nan) if v is not REFUSED else v for v in symbol.values)
            symbols.append(Words(symbol.input, values))
        else:
            symbols.append(symbol)
    return Table(tuple(symbols), table.held, table.names)


def _blocks(text: str) -> list[dict[str, str]]:
    """Return the header and each tree of a LightGBM text as key -> value."""
    blocks: list[dict[str, str]] = [{}]
    for line in text.partition("end of trees")[0].splitlines():
        key, _, value = line.partition("=")
        if key == "Tree":
            blocks.append({})
        blocks[-1][key] = value
    return blocks


def _lightgbm_tree(block: dict[str, str], target: int) -> Tree:
    if block.get("is_linear", "0") != "0":
        raise NotCompiledError("LightGBM's linear trees are not translated.")
    leaves = int(block["num_leaves"])
    inner = leaves - 1

    def read(name: str, kind: Any) -> Array:
        return np.array(block.get(name, "").split(), dtype=kind)

    def both(name_inner: str, name_leaf: str) -> Array:
        return np.concatenate([read(name_inner, np.float64)[:inner], read(name_leaf, np.float64)])

    if inner == 0:
        nothing = np.zeros(1, dtype=np.int64)
        value, cover = read("leaf_value", np.float64)[:, None], np.ones(1)
        return Tree(nothing, np.zeros(1), nothing - 1, nothing - 1, nothing, value, cover)
    decisions, threshold = read("decision_type", np.int64), read("threshold", np.float64)
    category = (decisions & 1) == 1
    kinds = np.array([KINDS.index(kind) for kind in _MISSING_KINDS])[(decisions >> 2) & 3]
    pad = np.zeros(leaves, dtype=np.int64)
    sets = {int(i): _lightgbm_set(block, int(threshold[i])) for i in np.flatnonzero(category)}
    return Tree(
        feature=np.concatenate([read("split_feature", np.int64), pad]),
        threshold=np.concatenate([threshold, pad]),
        left=_children(read("left_child", np.int64), inner, leaves),
        right=_children(read("right_child", np.int64), inner, leaves),
        # Codes that are in no set, and missing ones, go right.
        default_left=np.concatenate([((decisions & 2) == 2) & ~category, pad == 1]),
        value=both("internal_value", "leaf_value")[:, None],
        cover=both("internal_count", "leaf_count"),
        kind=np.concatenate([np.where(category, KINDS.index("category"), kinds), pad]),
        sets=sets,
        target=target,
    )


def _children(child: Array, inner: int, leaves: int) -> Array:
    """Leaves are numbered -1, -2, ... by LightGBM; here they follow the inner nodes."""
    moved = np.where(child >= 0, child, inner + ~child)
    return np.concatenate([moved, np.full(leaves, -1)])


def _lightgbm_set(block: dict[str, str], which: int) -> Array:
    bounds = [int(v) for v in block["cat_boundaries"].split()]
    words = np.array(block["cat_threshold"].split(), dtype="<u4")[bounds[which] : bounds[which + 1]]
    return np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool)


def _xgboost_tree(tree: dict[str, Any], target: int) -> Tree:
    left = np.array(tree["left_children"], dtype=np.int64)
    conditions = np.array(tree["split_conditions"], dtype=np.float32)
    category = (np.array(tree["split_type"]) == 1) & (left >= 0)
    # x < t for float32 is x <= the float32 before t.
    before = np.nextafter(conditions, np.float32(-np.inf)).astype(np.float64)
    default_left = np.array(tree["default_left"]) == 1
    return Tree(
        feature=np.array(tree["split_indices"], dtype=np.int64),
        threshold=before,
        left=left,
        right=np.array(tree["right_children"], dtype=np.int64),
        default_left=default_left,
        value=conditions.astype(np.float64)[:, None],
        cover=np.array(tree["sum_hessian"], dtype=np.float64),
        kind=np.where(category, KINDS.index("category"), 0),
        sets=_xgboost_sets(tree, default_left),
        target=target,
    )


def _xgboost_sets(tree: dict[str, Any], default_left: Array) -> dict[int, Array]:
    """XGBoost lists the codes that go right; codes above them go left."""
    sets = {}
    starts, sizes = tree["categories_segments"], tree["categories_sizes"]
    highest = max(tree["categories"], default=0) + 1
    for node, start, size in zip(tree["categories_nodes"], starts, sizes, strict=True):
        left = np.ones(highest + 1, dtype=bool)
        left[tree["categories"][start : start + size]] = False
        sets[int(node)] = left
    return sets


def _kept_trees(estimator: Any, model: dict[str, Any]) -> int:
    """Early stopping keeps the trees of the best iteration and those before it."""
    try:
        best = int(estimator.best_iteration)
    except AttributeError:
        return len(model["trees"])
    return int(model["iteration_indptr"][best + 1])


def _margins(params: dict[str, str], link: str, outputs: int) -> Array:
    text = params["base_score"].strip("[]")
    scores = np.array([float(v) for v in text.split(",")], dtype=np.float32)
    if link == "logistic32":
        scores = np.array([-_logf(float(np.float32(1) / s - np.float32(1))) for s in scores])
    elif link == "exp32":
        scores = np.array([_logf(float(s)) for s in scores])
    return np.broadcast_to(scores.astype(np.float64), (outputs,)).copy()


def _logf(x: float) -> float:
    """C's logf, as XGBoost calls it."""
    found = getattr(ctypes.CDLL(None), "logf", None)
    if found is None:
        return float(np.float32(math.log(x)))
    found.argtypes, found.restype = [ctypes.c_float], ctypes.c_float
    return float(found(x))
