"""A model's score as a base value and what each feature adds to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import exp
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.errors import CannotExplainError
from gleis.contracts.ports import Columns, Model
from gleis.evidence.explain.shap_exact import linear_shap, shapley
from gleis.evidence.explain.shap_trees import Forest, TreeShap
from gleis.evidence.explain.turns import goes_left
from gleis.packaging.compiled.model import CompiledModel, LinearArrays, TreeArrays
from gleis.packaging.rule import ColumnRule, RuleModel

Array = NDArray[np.float64]
_EXACT, _SINGLE = 1e-9, 1e-5
"""How far the parts may be from the score; sums that a library takes in float32 are rounded."""
_REMEDY = (
    "Trees, linear models and rules are explained; for others use the shap package on "
    "gleis.load(PACKAGE).predict."
)


class Parts(NamedTuple):
    """One score, taken apart on the scale where it is a sum."""

    link: str
    """From the score to the sum: identity, logit, log, or centred log-ratio."""
    base: float
    values: Array
    """(n_features,) in the contract's order."""
    score: float
    """What the parts add up to, through the link and back."""
    tolerance: float


class Apart(Protocol):
    """A model that can be taken apart."""

    def parts(self, columns: Columns, column: int) -> Parts:
        """Take the score of one row in one column of the scores apart."""
        ...


def take_apart(model: Model, contract: Contract, background: Mapping[str, Sequence[Any]]) -> Apart:
    """Prepare a model.

    Parameters
    ----------
    model : Model
    contract : Contract
    background : mapping
        Feature -> values of the rows that stand for what is unknown; trees need none.

    Raises
    ------
    CannotExplainError
        It is neither a rule nor trees nor linear, or not compiled.
    """
    if isinstance(model, RuleModel):
        return _RuleApart(model, contract, background)
    if not isinstance(model, CompiledModel):
        raise CannotExplainError(
            "The model of this package is not compiled, so it cannot be taken apart",
            seen=type(model).__name__,
            remedy=f"Build the package again with gleis run. {_REMEDY}",
        )
    if not model.single:
        raise CannotExplainError(
            "The model is a mean of several or calibrated: its score is no sum of features",
            remedy=_REMEDY,
        )
    return _SumsApart(model, contract, background)


class _RuleApart:
    """Rules look at few columns: all sets of them are tried, against the background."""

    def __init__(
        self, model: RuleModel, contract: Contract, background: Mapping[str, Sequence[Any]]
    ) -> None:
        self._model = model
        self._names = contract.names
        self._background = background
        rule = model.rule
        self._players = (rule.column,) if isinstance(rule, ColumnRule) else rule.columns

    def parts(self, columns: Columns, column: int) -> Parts:
        row = {name: columns[name][0] for name in self._names}
        found, base = shapley(self._model.predict, row, self._background, self._players)
        values = np.zeros(len(self._names))
        for player, value in zip(self._players, found[:, column], strict=True):
            values[self._names.index(player)] = value
        start = float(base[column])
        return Parts("identity", start, values, start + float(values.sum()), _EXACT)


class _SumsApart:
    """Trees and linear models: sums of what their own features add, gathered by the contract's."""

    def __init__(
        self, model: CompiledModel, contract: Contract, background: Mapping[str, Sequence[Any]]
    ) -> None:
        self._model = model
        self._n_features = len(contract.names)
        self._multiclass = contract.task == "multiclass"
        self._place: Sequence[int] = model.form.structure.place
        trees, linear = model.trees(), model.linear()
        self._of: Callable[[Array], tuple[Array, Array, str, bool]]
        if trees is not None:
            shap = TreeShap(_forest(trees, len(model.sources)))
            self._of = lambda x: _of_trees(shap, trees, x)
        else:
            assert linear is not None, "a model of one part is trees or linear"
            mean = model.features(model.matrix(background)).mean(axis=0)
            self._of = lambda x: _of_linear(linear, mean, x)

    def parts(self, columns: Columns, column: int) -> Parts:
        x = self._model.features(self._model.matrix(columns))[0]
        own, base, link, single = self._of(x)
        values = np.zeros((self._n_features, own.shape[1]))
        np.add.at(values, self._model.sources, own)
        output = self._place[column]
        if output < 0:
            raise CannotExplainError(
                "The model never saw this class: it always scores 0", remedy="Ask for another."
            )
        tolerance = _SINGLE if single or link.endswith("32") else _EXACT
        return _through(link.removesuffix("32"), values, base, output, self._multiclass, tolerance)


def _of_trees(shap: TreeShap, trees: TreeArrays, x: Array) -> tuple[Array, Array, str, bool]:
    values = shap.values(goes_left(trees, x)) / trees.divide
    return values, (shap.base + trees.init) / trees.divide, trees.link, trees.single


def _of_linear(linear: LinearArrays, mean: Array, x: Array) -> tuple[Array, Array, str, bool]:
    return *linear_shap(linear.coef, linear.intercept, x, mean), linear.link, False


def _forest(trees: TreeArrays, n_features: int) -> Forest:
    return Forest(
        feature=trees.feature,
        left=trees.left,
        right=trees.left + 1,
        value=trees.value,
        cover=trees.cover,
        roots=trees.roots,
        target=trees.target,
        n_features=n_features,
        n_outputs=len(trees.init),
    )


def _through(
    link: str, values: Array, base: Array, output: int, multiclass: bool, tolerance: float
) -> Parts:
    """Choose the scale on which the score of an output is a sum."""
    sums = base + values.sum(axis=0)
    own, start, total = values[:, output], float(base[output]), float(sums[output])
    if link in {"identity", "round"}:
        return Parts("identity", start, own, total, tolerance)
    if link == "logistic":
        return Parts("logit", start, own, _expit(total), tolerance)
    if link == "exp":
        return Parts("log", start, own, exp(total), tolerance)
    if link != "softmax":
        raise CannotExplainError(
            "The model's score is no sum of features on any scale", seen=link, remedy=_REMEDY
        )
    shares = np.exp(sums - sums.max())
    score = float(shares[output] / shares.sum())
    if multiclass:
        own, start = own - values.mean(axis=1), start - float(base.mean())
        return Parts("centred log-ratio", start, own, score, tolerance)
    # Two classes: the difference of their sums is the logit.
    other = 1 - output
    return Parts("logit", start - float(base[other]), own - values[:, other], score, tolerance)


def _expit(x: float) -> float:
    return 1 / (1 + exp(-x)) if x > -700 else 0.0
