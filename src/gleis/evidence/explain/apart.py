"""Scores as a base value and what each feature adds to it, exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.errors import CannotExplainError
from gleis.contracts.ports import Columns, Model
from gleis.evidence.explain.forest import Forest
from gleis.evidence.explain.shap_exact import linear_shap, shapley
from gleis.evidence.explain.shap_trees import TreeShap
from gleis.evidence.explain.turns import Nodes

Array = NDArray[Any]
Floats = NDArray[np.float64]
_EXACT, _SINGLE = 1e-9, 1e-5
"""How far the parts may be from the score; sums that a library takes in float32 are rounded."""


class Parts(NamedTuple):
    """Scores, taken apart on the scale where they are sums."""

    link: str
    """From the score to the sum: identity, logit, log, log(1 + x), or centred log-ratio."""
    base: float
    values: Floats
    """(n_rows, n_features) in the contract's order; with ``base`` a row adds up to its sum."""
    scores: Floats
    """(n_rows,) the sums through the link and back: what the parts add up to."""
    tolerance: float
    """How far ``scores`` may be from the model's own, in parts of max(1, score)."""


class Apart(Protocol):
    """A model that can be taken apart."""

    def parts(self, columns: Columns, column: int) -> Parts:
        """Take scores in one column of the scores apart, each row by itself.

        Parameters
        ----------
        columns : Columns
        column : int
            Of the scores; 0 if there is only one.
        """
        ...


class Trees(Nodes, Protocol):
    """Trees as plain arrays; a leaf names itself as its left child, the right one is the next."""

    left: Array
    value: Array
    cover: Array
    roots: Array
    target: Array
    init: Array
    """(n_outputs,) added to the sums."""
    divide: float
    """The sums are divided by it."""
    single: bool
    """Sums are taken in float32."""


class Linear(Protocol):
    """A dot product."""

    coef: Array
    """(n_outputs, n_features)."""
    intercept: Array


class Member(Protocol):
    """Trees or a dot product among those that are added."""

    trees: Trees | None
    linear: Linear | None
    share: float
    """Its sums are multiplied by it."""
    sources: Array
    """(n_features,) which column of the matrix each of its features is made from."""
    features: Callable[[Floats], Floats]
    """The matrix -> what it sees, (n_rows, n_features)."""


class Additive(Protocol):
    """Scores that are a link of the sum of all members and ``start``."""

    members: tuple[Member, ...]
    start: float
    link: str
    place: tuple[int, ...]
    """Column of the scores -> output; -1 for a class never trained on."""


@runtime_checkable
class Composed(Protocol):
    """A model that says what sums its scores are made of."""

    def additive(self) -> Additive:
        """Return them; CannotExplainError if the scores are no sums."""
        ...

    def matrix(self, columns: Columns) -> Floats:
        """Return rows as numbers, (n_rows, n_inputs), in the contract's order."""
        ...


@runtime_checkable
class Few(Protocol):
    """A model that looks at few features."""

    @property
    def asks(self) -> tuple[str, ...]:
        """Their names."""
        ...

    def predict(self, columns: Columns) -> Floats:
        """Score rows."""
        ...


def take_apart(model: Model, contract: Contract, background: Mapping[str, Sequence[Any]]) -> Apart:
    """Prepare a model.

    Rules are taken apart by all sets of the few columns they look at and dot products in closed
    form, both against the background; trees by the training weights in their nodes. A weighted
    mean of several is the mean of their parts.

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
    if isinstance(model, Few):
        return _RuleApart(model, contract, background)
    if isinstance(model, Composed):
        return _SumsApart(model, contract, background)
    raise CannotExplainError(
        "The model of this package is not compiled, so it cannot be taken apart",
        seen=type(model).__name__,
        remedy="Build the package again with gleis run.",
    )


class _RuleApart:
    """All sets of the columns a rule looks at are tried, against the background."""

    def __init__(
        self, model: Few, contract: Contract, background: Mapping[str, Sequence[Any]]
    ) -> None:
        self._model = model
        self._names = contract.names
        self._background = background

    def parts(self, columns: Columns, column: int) -> Parts:
        count, players = len(columns[self._names[0]]), self._model.asks
        values, start = np.zeros((count, len(self._names))), 0.0
        for i in range(count):
            row = {name: columns[name][i] for name in self._names}
            found, base = shapley(self._model.predict, row, self._background, players)
            start = float(base[column])
            for player, value in zip(players, found[:, column], strict=True):
                values[i, self._names.index(player)] = value
        return Parts("identity", start, values, start + values.sum(axis=1), _EXACT)


Sums = Callable[[Floats], tuple[Floats, Floats]]
"""What a member sees, (n_rows, n_own) -> values (n_rows, n_own, n_outputs), base (n_outputs,)."""


class _SumsApart:
    """Trees and linear models: what their own features add, gathered by the contract's."""

    def __init__(
        self, model: Composed, contract: Contract, background: Mapping[str, Sequence[Any]]
    ) -> None:
        self._matrix = model.matrix
        self._additive = model.additive()
        self._contract = contract
        self._link = self._additive.link.removesuffix("32")
        _check_link(self._link)
        linear = any(member.linear is not None for member in self._additive.members)
        rows = model.matrix(background) if linear else np.empty((0, 0))
        n_features = len(contract.names)
        self._sums = [
            _gathering(_sums(member, rows), member.sources, n_features)
            for member in self._additive.members
        ]
        rough = any(m.trees is not None and m.trees.single for m in self._additive.members)
        rough = rough or self._additive.link.endswith("32")
        self._tolerance = _SINGLE if rough else _EXACT

    def parts(self, columns: Columns, column: int) -> Parts:
        output = self._additive.place[column]
        if output < 0:
            raise CannotExplainError(
                "The model never saw this class: it always scores 0", remedy="Ask for another."
            )
        matrix = self._matrix(columns)
        found = [
            sums(member.features(matrix))
            for member, sums in zip(self._additive.members, self._sums, strict=True)
        ]
        values, base = found[0]
        for own, start in found[1:]:
            values, base = values + own, base + start
        base = base + self._additive.start
        wide = self._contract.task == "multiclass"
        return Parts(*_through(self._link, values, base, output, wide), self._tolerance)


def _sums(member: Member, background: Floats) -> Sums:
    if member.trees is not None:
        return _of_trees(member.trees, len(member.sources), member.share)
    assert member.linear is not None, "a member is trees or linear"
    return _of_linear(member.linear, member.features(background).mean(axis=0), member.share)


def _of_trees(trees: Trees, n_features: int, share: float) -> Sums:
    shap = TreeShap(_forest(trees, n_features))
    scale = share / trees.divide
    base = (shap.base + trees.init) * scale
    if scale == 1.0:
        return lambda x: (shap.values(x), base)
    return lambda x: (shap.values(x) * scale, base)


def _of_linear(linear: Linear, mean: Floats, share: float) -> Sums:
    def sums(x: Floats) -> tuple[Floats, Floats]:
        values, base = linear_shap(linear.coef, linear.intercept, x, mean)
        return values * share, base * share

    return sums


def _gathering(sums: Sums, sources: Array, n_features: int) -> Sums:
    """Add up what several features of a member say that are made from one of the contract's."""
    if np.array_equal(sources, np.arange(n_features)):
        return sums

    def gathered(x: Floats) -> tuple[Floats, Floats]:
        own, base = sums(x)
        values = np.zeros((len(own), n_features, own.shape[2]))
        for j, source in enumerate(sources):
            values[:, source] += own[:, j]
        return values, base

    return gathered


def _forest(trees: Trees, n_features: int) -> Forest:
    return Forest(
        feature=trees.feature,
        threshold=trees.threshold,
        default_left=trees.default_left,
        kind=trees.kind,
        at=trees.at,
        size=trees.size,
        bits=trees.bits,
        left=trees.left,
        right=trees.left + 1,
        value=trees.value,
        cover=trees.cover,
        roots=trees.roots,
        target=trees.target,
        n_features=n_features,
        n_outputs=len(trees.init),
    )


def _check_link(link: str) -> None:
    if link not in {*_LINKS, "softmax"}:
        raise CannotExplainError("The model's score is no sum of features on any scale", seen=link)


def _through(
    link: str, values: Floats, base: Floats, output: int, multiclass: bool
) -> tuple[str, float, Floats, Floats]:
    """Choose the scale on which the score of an output is a sum."""
    sums = base + values.sum(axis=1)
    own, start = values[:, :, output], float(base[output])
    if link != "softmax":
        name, back = _LINKS[link]
        return name, start, own, back(sums[:, output])
    shares = np.exp(sums - sums.max(axis=1, keepdims=True))
    scores = shares[:, output] / shares.sum(axis=1)
    if multiclass:
        centred = own - values.mean(axis=2)
        return "centred log-ratio", start - float(base.mean()), centred, scores
    # Two classes: the difference of their sums is the logit.
    other = 1 - output
    return "logit", start - float(base[other]), own - values[:, :, other], scores


def _expit(x: Floats) -> Floats:
    e = np.exp(-np.abs(x))
    found: Floats = np.where(x >= 0, 1.0, e) / (1.0 + e)
    return found


_LINKS: dict[str, tuple[str, Callable[[Floats], Floats]]] = {
    "identity": ("identity", np.asarray),
    "round": ("identity", np.asarray),
    "logistic": ("logit", _expit),
    "exp": ("log", np.exp),
    "expm1": ("log(1 + x)", np.expm1),
}
"""Link of the model -> what its inverse is called, and the way from the sum to the score."""
