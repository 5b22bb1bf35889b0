"""A compiled model as sums of what its features add, for explanations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.errors import CannotExplainError
from gleis.packaging.compiled.form import NODE, Curve, Form, Linear, Mean, Node, Trees

Array = NDArray[Any]
_REFUSED = "The model is a mean of several, or calibrated: its score is no sum of features"


@dataclass(frozen=True)
class TreeArrays:
    """Trees as plain arrays, for explanations. Nodes of all trees lie in one row.

    A node is a leaf if ``left`` names itself. Else a row goes left if its feature is at most
    ``threshold``; at a node of kind 1 if the bit of its code in ``bits`` is set: word
    ``at + code // 32``, bit ``code % 32``, codes from 0 to ``size`` - 1. Other codes, and NaN, go
    left if ``default_left``. Kinds 2 and 3 take NaN for 0, and at kind 3 a 0 goes the default way.
    """

    feature: Array
    """(n_nodes,) column of ``Member.features``."""
    threshold: Array
    left: Array
    """(n_nodes,) index of the left child; the right one is the next."""
    default_left: Array
    """(n_nodes,) bool."""
    kind: Array
    at: Array
    size: Array
    bits: Array
    """uint32 words."""
    value: Array
    """(n_nodes, width), what a leaf adds to outputs ``target`` to ``target + width - 1``."""
    cover: Array
    """(n_nodes,) training weight that passed; as the library counts it."""
    roots: Array
    """(n_trees,)."""
    target: Array
    """(n_trees,)."""
    init: Array
    """(n_outputs,) added to the sums."""
    divide: float
    """The sums are divided by it."""
    link: str
    """From sums to outputs; see ``form.LINKS``."""
    single: bool
    """Sums are taken in float32."""


@dataclass(frozen=True)
class LinearArrays:
    """A dot product as plain arrays, for explanations."""

    coef: Array
    """(n_outputs, n_features)."""
    intercept: Array
    """(n_outputs,)."""
    link: str


@dataclass(frozen=True)
class Member:
    """One ensemble of trees or one dot product among those that are added."""

    trees: TreeArrays | None
    linear: LinearArrays | None
    share: float
    """Its sums are multiplied by it."""
    sources: NDArray[np.int32]
    """(n_features,) which column of the model's matrix each of its features is made from."""
    features: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    """The model's matrix -> what it sees, (n_rows, n_features)."""


@dataclass(frozen=True)
class Additive:
    """Scores are ``link`` of the sum of all members and ``start``."""

    members: tuple[Member, ...]
    start: float
    link: str
    """One of ``form.LINKS``, or ``expm1``."""
    place: tuple[int, ...]
    """For each column of the scores, which output it is; -1 for a class never trained on."""


def read_additive(form: Form, features: Callable[[str, Array], Array]) -> Additive:
    """Follow a form down to its sums.

    Parameters
    ----------
    form : Form
    features : callable (node, matrix) -> (n_rows, n_features)

    Raises
    ------
    CannotExplainError
        If the scores are no sums on any scale.
    """
    found = _follow(form.structure.score, form, features)
    return replace(found, place=form.structure.place)


def _follow(node: Node, form: Form, features: Callable[[str, Array], Array]) -> Additive:
    if isinstance(node, Mean):
        return _mean(node, form, features)
    if isinstance(node, Curve):
        return _curve(node, _follow(node.of, form, features))
    arrays = form.of(node.id)
    member = Member(
        trees=read_trees(node, arrays) if isinstance(node, Trees) else None,
        linear=read_linear(node, arrays) if isinstance(node, Linear) else None,
        share=1.0,
        sources=arrays["input"],
        features=partial(features, node.id),
    )
    return Additive(members=(member,), start=0.0, link=node.link, place=())


def _mean(node: Mean, form: Form, features: Callable[[str, Array], Array]) -> Additive:
    found = [_follow(member, form, features) for member in node.members]
    links = {each.link for each in found}
    if len(found) > 1 and not links <= {"identity", "round32"}:
        raise CannotExplainError(_REFUSED)
    total = sum(node.weights)
    parts = [_scaled(each, w / total) for each, w in zip(found, node.weights, strict=True)]
    return Additive(
        members=tuple(member for part in parts for member in part.members),
        start=sum(part.start for part in parts),
        link="round32" if "round32" in links else links.pop(),
        place=(),
    )


def _curve(node: Curve, of: Additive) -> Additive:
    if of.link != "identity" or node.kind == "isotonic" or node.normalise:
        raise CannotExplainError(_REFUSED)
    if node.kind == "affine":
        return replace(_scaled(of, node.a[0]), start=of.start * node.a[0] + node.b[0])
    if node.kind == "sigmoid":
        bent = _scaled(of, -node.a[0])
        return replace(bent, start=bent.start - node.b[0], link="logistic")
    return replace(of, link=node.kind)


def _scaled(of: Additive, by: float) -> Additive:
    members = tuple(replace(member, share=member.share * by) for member in of.members)
    return replace(of, members=members, start=of.start * by)


def read_trees(node: Trees, arrays: dict[str, Array]) -> TreeArrays:
    """Return the arrays of a node as plain ones, by name."""
    nodes = arrays["nodes"]
    fields = {name: np.ascontiguousarray(nodes[name]) for name in NODE.names or ()}
    fields["default_left"] = fields["default_left"] == 1
    names = ("bits", "value", "cover", "roots", "target", "init")
    return TreeArrays(
        **fields,
        **{name: arrays[name] for name in names},
        divide=node.divide,
        link=node.link,
        single=node.single,
    )


def read_linear(node: Linear, arrays: dict[str, Array]) -> LinearArrays:
    """Return the arrays of a node as plain ones, by name."""
    return LinearArrays(coef=arrays["coef"], intercept=arrays["init"], link=node.link)
