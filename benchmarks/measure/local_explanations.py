"""How ours explain one answer by asking about others: LIME, anchors, counterfactuals."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "explain_peers"))

import numpy as np
from world import World

from gleis.contracts.errors import CannotExplainError
from gleis.contracts.explanation import Anchor
from gleis.evidence.explain.anchor import anchor as find_anchor
from gleis.evidence.explain.asked_row import read_row
from gleis.evidence.explain.explain import explain
from gleis.evidence.explain.rules import Rule, Rules, Term

_FRESH = 20_000
Explain = Callable[[int], object]


def lime(world: World) -> Explain:
    """5,000 neighbours."""
    return lambda i: _told(lambda: explain(world.model, world.rows[i], "lime", samples=5000))


def anchor(world: World) -> Explain:
    """At 95%, judged on fresh rows."""
    return lambda i: _told(lambda: explain(world.model, world.rows[i], "anchor"))


def counterfactual(world: World) -> Explain:
    """The nearest one."""
    return lambda i: _told(lambda: explain(world.model, world.rows[i], "counterfactual", count=1))


def counterfactual_four(world: World) -> Explain:
    """A diverse set."""
    return lambda i: _told(lambda: explain(world.model, world.rows[i], "counterfactual", count=4))


def late(world: World) -> list[int]:
    """Return the rows that get the rare answer: there an anchor needs many conditions."""
    return np.flatnonzero(world.probabilities(world.matrix)[:, 1] >= 0.5).tolist()


def fresh_precision(world: World, rows: list[int]) -> dict[str, float]:
    """Draw under each anchor again, with a seed of its own, eight times as often as it was judged.

    Returns
    -------
    dict
        ``anchor_precision_fresh``: the least of all anchors. ``anchors_below_095``: how many are
        less precise than they say. ``anchors_none``: rows for which none was found.
    """
    shares, none = [], 0
    for i in rows:
        try:
            found = find_anchor(world.model, world.rows[i])
        except CannotExplainError:
            none += 1
            continue
        asked = read_row(world.model, world.rows[i])
        drawn = Rules(asked).sample([_rule(found, world)], _FRESH, np.random.default_rng([9, i]))
        hits = world.model.answers(drawn) == world.model.answers(asked.numbers[None])
        shares.append(float(hits.mean()))
    return {
        "anchor_precision_fresh": min(shares, default=float("nan")),
        "anchors_below_095": float(sum(share < 0.95 for share in shares)),
        "anchors_found": float(len(shares)),
        "anchors_none": float(none),
    }


def _rule(found: Anchor, world: World) -> Rule:
    names = world.model.contract.names
    return tuple(
        Term(
            names.index(condition.feature),
            -np.inf if condition.low is None else condition.low,
            np.inf if condition.high is None else condition.high,
        )
        for condition in found.rule
    )


def _told(ask: Callable[[], object]) -> object:
    """Return the explanation, or why there is none: that takes its time too."""
    try:
        return ask()
    except CannotExplainError as error:
        return error
