"""Rules that hold of a row, and rows that a rule holds of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.explanation import Condition
from gleis.evidence.explain.asked_row import AskedRow
from gleis.evidence.explain.discretise import QUARTILES, in_range, is_value

Array = NDArray[Any]
_FINE = tuple(k / 100 for k in range(1, 100))
_INF = float("inf")


class Term(NamedTuple):
    """What a rule says of one feature."""

    feature: int
    low: float = -_INF
    """Of a number: it lies above this ..."""
    high: float = _INF
    """... and at most at this. Both infinite: it is the row's own value, or missing as there."""

    @property
    def own(self) -> bool:
        """Whether it asks for the row's own value."""
        return self.low == -_INF and self.high == _INF


Rule = tuple[Term, ...]
"""Terms by rising feature; one a feature. The empty one holds of every row."""


class Rules:
    """The rules that hold of a row.

    Parameters
    ----------
    asked : AskedRow
    """

    def __init__(self, asked: AskedRow) -> None:
        self.asked = asked
        self.background = asked.background
        self.features: list[int] = np.flatnonzero(asked.seen.varies).tolist()
        """Those whose value can be another."""
        self._ranged = asked.seen.numeric & ~np.isnan(asked.numbers)
        self._edges: dict[tuple[int, bool], list[float]] = {}
        self._held: dict[Term, Array] = {}
        self._pools: dict[Term, Array] = {}

    def edges(self, feature: int, *, fine: bool) -> list[float]:
        """Return where a number may be cut: at quarters, or at hundredths."""
        if (feature, fine) not in self._edges:
            shares = _FINE if fine else QUARTILES
            self._edges[feature, fine] = self.asked.seen.edges(feature, shares).tolist()
        return self._edges[feature, fine]

    def coarse(self) -> list[Term]:
        """Return single conditions: one bound at a quarter, or the row's own value."""
        found = []
        for j in self.features:
            if not self._ranged[j]:
                found.append(Term(j))
                continue
            value = float(self.asked.numbers[j])
            for edge in self.edges(j, fine=False):
                found.append(Term(j, high=edge) if value <= edge else Term(j, low=edge))
        return found

    def tightest(self) -> Rule:
        """Return the narrowest rule: each number within a hundredth of the background."""
        return tuple(self._tight(j) for j in self.features)

    def _tight(self, feature: int) -> Term:
        if not self._ranged[feature]:
            return Term(feature)
        value = float(self.asked.numbers[feature])
        edges = self.edges(feature, fine=True)
        return Term(
            feature,
            max((e for e in edges if e < value), default=-_INF),
            min((e for e in edges if e >= value), default=_INF),
        )

    def wider(self, term: Term) -> list[Term]:
        """Return the condition with one bound less, or one moved outward: a step, or half the way.

        None leaves the feature out.
        """
        if term.own:
            return []
        edges = self.edges(term.feature, fine=True)
        below = [e for e in edges if e < term.low]
        above = [e for e in edges if e > term.high]
        found = []
        if term.low != -_INF:
            steps = {below[-1], below[len(below) // 2]} if below else set()
            open_below = {-_INF} if term.high != _INF else set()
            found += [term._replace(low=low) for low in sorted(steps | open_below)]
        if term.high != _INF:
            steps = {above[0], above[len(above) // 2]} if above else set()
            open_above = {_INF} if term.low != -_INF else set()
            found += [term._replace(high=high) for high in sorted(steps | open_above)]
        return found

    def holds(self, rule: Rule) -> Array:
        """Return which background rows a rule holds of, (n_background,) bool."""
        found = np.ones(len(self.background), dtype=bool)
        for term in rule:
            found &= self.held(term)
        return found

    def held(self, term: Term) -> Array:
        """Return which background rows a condition holds of, (n_background,) bool."""
        if term not in self._held:
            self._held[term] = self.meets(term, self.background[:, term.feature])
        return self._held[term]

    def meets(self, term: Term, values: Array) -> Array:
        """Return which values of its feature meet a condition, (n,) bool."""
        if not term.own:
            found: Array = (values > term.low) & (values <= term.high)
            return found
        value = self.asked.numbers[term.feature]
        same: Array = np.isnan(values) if np.isnan(value) else values == value
        return same

    def weight(self, term: Term) -> float:
        """Return how much a condition asks for: -log of the share of background that meets it."""
        return -float(np.log((self.held(term).sum() + 1) / (len(self.background) + 1)))

    def sample(self, rules: Sequence[Rule], count: int, draw: np.random.Generator) -> Array:
        """Draw rows that rules hold of.

        They are background rows. Where one breaks a condition, its value of that feature is
        exchanged for that of a background row that meets it, or for the row's own if none does.
        All rules get the same draws, so that their differences are less noisy.

        Parameters
        ----------
        rules : sequence of Rule
        count : int
            Rows a rule.
        draw : Generator

        Returns
        -------
        ndarray, (n_rules * count, n_features)
            Rule by rule.
        """
        picked = draw.integers(0, len(self.background), count)
        others: dict[int, Array] = {}
        base = self.background[picked]
        rows = np.tile(base, (len(rules), 1))
        for j in sorted({term.feature for rule in rules for term in rule}):
            others[j] = draw.random(count)
        for at, rule in enumerate(rules):
            part = rows[at * count : (at + 1) * count]
            for term in rule:
                breaks = np.flatnonzero(~self.held(term)[picked])
                part[breaks, term.feature] = self._others(term, others[term.feature][breaks])
        return rows

    def _others(self, term: Term, shares: Array) -> Array:
        if term not in self._pools:
            pool = self.background[self.held(term), term.feature]
            own = self.asked.numbers[term.feature : term.feature + 1]
            self._pools[term] = pool if len(pool) else own
        pool = self._pools[term]
        found: Array = pool[(shares * len(pool)).astype(np.int64)]
        return found

    def conditions(self, rule: Rule) -> tuple[Condition, ...]:
        """Return a rule as a person reads it."""
        names = self.asked.model.contract.names
        found = []
        for term in rule:
            name = names[term.feature]
            if term.own:
                value = self.asked.value(term.feature, float(self.asked.numbers[term.feature]))
                found.append(is_value(name, value))
            else:
                found.append(in_range(name, term.low, term.high))
        return tuple(found)


def joined(rule: Rule, term: Term) -> Rule:
    """Return a rule with one more condition; of one feature the narrower bounds hold."""
    kept: Iterable[Term] = rule
    for own in rule:
        if own.feature == term.feature:
            term = Term(term.feature, max(own.low, term.low), min(own.high, term.high))
            kept = (each for each in rule if each.feature != term.feature)
    return tuple(sorted((*kept, term)))


def changed(rule: Rule, changes: Mapping[Term, Term | None]) -> Rule:
    """Return a rule with conditions exchanged for others; None leaves one out."""
    found = (changes.get(term, term) for term in rule)
    return tuple(term for term in found if term is not None)


Same = Callable[[Array], Array]
"""Rows -> which of them get the answer that is explained, (n_rows,) bool."""
