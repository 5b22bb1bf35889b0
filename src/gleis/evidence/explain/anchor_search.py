"""Looking for rules that are enough for an answer; what is found has yet to be judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.explain.best_arms import best_arms
from gleis.evidence.explain.rules import Rule, Rules, Same, Term, changed, joined

Array = NDArray[Any]
_BEAM = 3
_SCREENED = 12
"""Extensions of a size that are drawn from; the others were worse on their parents' rows."""
_SIZES = 4
"""Rules with more conditions are found from above."""
_HOPEFUL = (0.2, 0.45, 0.7)
"""Share of hits that the best rule of 1, 2, 3 conditions must have for longer ones to be tried."""
_PARENT, _ARM, _DROP, _SURE = 800, 100, 200, 1200
"""Rows drawn: of a parent, of an arm at a time, of a rule with a condition less, of a find."""
_RARE = 30
"""A condition that fewer of the parent's rows meet is drawn from by itself."""
_STEP, _FEW = 6000, 40
"""Rows drawn in one step of making a rule looser, and for each of its changes at least."""
_HARMLESS = 0.995
_LESS = 0.002


class AnchorSearch:
    """Proposes rules under which the answer stays.

    Short rules are found by adding conditions, the best few of each size (KL-LUCB); where they do
    not get far, long ones by starting from the narrowest and leaving out what is not needed.

    Parameters
    ----------
    rules : Rules
    same : callable
        Rows -> which of them get the answer, (n_rows,) bool.
    asked : float
        Share of rows under the rule that should.
    draw : Generator
    most_rows : int
        About so many rows are drawn in all.

    References
    ----------
    Ribeiro, M. T., Singh, S., Guestrin, C. (2018). Anchors: high-precision model-agnostic
    explanations. AAAI, algorithms 1 and 2.
    """

    def __init__(
        self, rules: Rules, same: Same, asked: float, draw: np.random.Generator, most_rows: int
    ) -> None:
        self._rules = rules
        self._same = same
        self._goal = asked + 0.3 * (1 - asked)
        """Above what is asked, as the verdict's lower bound must reach that."""
        self._draw = draw
        self._left = most_rows
        self.narrowest = 1.0
        """Share of hits under the narrowest rule, once it was looked at."""

    def proposals(self) -> Iterator[Rule]:
        """Yield rules that look precise enough, the shortest ways first."""
        if self._sure(()):
            yield ()
        yield from self._short()
        yield from self._long()

    def _short(self) -> Iterator[Rule]:
        beam: list[Rule] = [()]
        for size in range(_SIZES):
            arms = self._extensions(beam)
            if not arms:
                return
            found = best_arms(
                self._drawing(arms),
                len(arms),
                min(_BEAM, len(arms)),
                tolerance=0.1,
                error=0.1,
                batch=_ARM,
                rounds=10,
            ).means
            order = np.argsort(-found, kind="stable")
            good = [arms[a] for a in order if found[a] >= self._goal]
            for rule in sorted(good, key=lambda r: -self._rules.holds(r).mean())[:2]:
                if self._sure(rule):
                    yield self._needed(rule)[-1]
            if size < len(_HOPEFUL) and found.max() < _HOPEFUL[size]:
                return
            beam = [arms[a] for a in order[:_BEAM]]

    def _drawing(self, arms: Sequence[Rule]) -> Callable[[Array, int], Array]:
        return lambda chosen, count: self._hits([arms[a] for a in chosen], count)

    def _extensions(self, beam: Sequence[Rule]) -> list[Rule]:
        """Return the rules with one condition more that do best on the rows of their parents."""
        found: dict[Rule, float] = {}
        for rule in beam:
            rows = self._rules.sample([rule], _PARENT, self._draw)
            hits = self._ask(rows)
            for term in self._rules.coarse():
                longer = joined(rule, term)
                if longer == rule or longer in found:
                    continue
                found[longer] = self._guess(longer, term, rows, hits)
        return sorted(found, key=lambda longer: -found[longer])[:_SCREENED]

    def _guess(self, longer: Rule, term: Term, rows: Array, hits: Array) -> float:
        meets = self._rules.meets(term, rows[:, term.feature])
        count = int(meets.sum())
        if count < _RARE:
            return float(self._hits([longer], _RARE)[0]) / _RARE
        return float(hits[meets].mean())

    def _long(self) -> Iterator[Rule]:
        rule = self._rules.tightest()
        self.narrowest = self._share(rule, _SURE // 2)
        if self.narrowest < self._goal:
            return
        history = self._needed(rule)
        while self._left > 0:
            rule = history[-1]
            moves = [(term, other) for term in rule for other in self._rules.wider(term)]
            wider = self._loosened(rule, moves)
            if wider is None:
                break
            history.append(wider)
        while history:
            rule = history.pop()
            if self._sure(rule):
                yield rule

    def _needed(self, rule: Rule) -> list[Rule]:
        """Return the rule, and the shorter ones on the way to one that needs all its conditions."""
        found = [rule]
        while found[-1] and self._left > 0:
            fewer = self._loosened(found[-1], [(term, None) for term in found[-1]])
            if fewer is None:
                break
            found.append(fewer)
        return found

    def _loosened(self, rule: Rule, moves: Sequence[tuple[Term, Term | None]]) -> Rule | None:
        """Make the changes that cost least precision for what they no longer ask; None if none can.

        Those that cost nothing are made together, as many as together cost next to nothing.
        """
        if not moves:
            return None
        count = min(_DROP, max(_FEW, _STEP // len(moves)))
        shares = self._hits([changed(rule, dict([move])) for move in moves], count) / count
        cost = [
            (1 - share + _LESS) / max(self._gain(*move), _LESS)
            for share, move in zip(shares, moves, strict=True)
        ]
        order = [k for k in np.argsort(cost, kind="stable") if shares[k] >= self._goal]
        harmless: dict[Term, Term | None] = {}
        for k in order:
            if shares[k] >= _HARMLESS:
                harmless.setdefault(*moves[k])
        for some in (len(harmless), len(harmless) // 2, len(harmless) // 4):
            looser = changed(rule, dict(list(harmless.items())[:some]))
            if some > 1 and self._share(looser, 2 * _DROP) >= self._goal:
                return looser
        return changed(rule, dict([moves[order[0]]])) if order else None

    def _gain(self, term: Term, other: Term | None) -> float:
        return self._rules.weight(term) - (self._rules.weight(other) if other else 0.0)

    def _sure(self, rule: Rule) -> bool:
        return self._share(rule, _SURE) >= self._goal

    def _share(self, rule: Rule, count: int) -> float:
        return float(self._hits([rule], count)[0]) / count

    def _hits(self, rules: Sequence[Rule], count: int) -> Array:
        rows = self._rules.sample(rules, count, self._draw)
        found: Array = self._ask(rows).reshape(len(rules), count).sum(axis=1)
        return found

    def _ask(self, rows: Array) -> Array:
        self._left -= len(rows)
        return self._same(rows)
