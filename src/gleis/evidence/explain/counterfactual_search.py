"""Looking for small changes of a row that give another answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gleis.evidence.explain.scope import Scope
from gleis.evidence.explain.want import Want

Array = NDArray[Any]
_MOST_CHANGES = 6
_BEAM = 40
_MOVES = 64
"""Single changes that are combined."""
_BACKGROUND = 500
"""About so many background rows are tried, and held against."""
_KEPT = 400
"""The nearest of a batch, that are looked at further."""
_HALVINGS = 20
_TIE = 1e-12
_ROUNDING = 0.02
"""How much farther, in units of spread, a rounder number may be."""


class CounterfactualSearch:
    """Changes one feature, then two, then more, all at once; and starts from known rows.

    Parameters
    ----------
    scope : Scope
    want : Want
    enough : int
        Sets of features after which no longer ones are tried.
    """

    def __init__(self, scope: Scope, want: Want, enough: int) -> None:
        self.scope = scope
        self.want = want
        self._enough = enough
        self._row = scope.row
        known = scope.asked.background
        self._known = known[:: max(1, len(known) // _BACKGROUND)]
        self._found: dict[bytes, dict[bytes, tuple[float, Array]]] = {}
        """Which features change -> to which categories, in which direction -> the nearest."""
        self.tried = 0
        """Rows the model was asked about."""
        self.nearest = np.inf
        """The least that the score of any lacked."""

    def find(self) -> Array:
        """Return changed rows that get the answer, (n, n_features), the nearest first; maybe none.

        Each change in them is needed, and none could be smaller by itself.
        """
        self._by_moves()
        self._from_background()
        if not self._found:
            return np.empty((0, len(self._row)))
        rows = np.array([row for _, row in self._nearest()])
        rows = self._sparser(self._rounder(self._closer(self._sparser(rows))))
        rows = rows[_first_of_each(rows)]
        found: Array = rows[np.argsort(self.scope.distance(rows), kind="stable")]
        return found

    def _nearest(self) -> list[tuple[float, Array]]:
        """Return what is worth a closer look: the nearest, but few with the same features."""
        each = [sorted(ways.values(), key=lambda way: way[0]) for ways in self._found.values()]
        few = [way for ways in each for way in ways[: max(2, self._enough // len(each) + 1)]]
        return sorted(few, key=lambda way: way[0])[: max(8, 5 * self._enough)]

    def off(self, rows: Array) -> Array:
        """Return how much farther from all known rows the changes are than the row, (n,)."""
        known = self._known
        numeric = self.scope.asked.seen.numeric
        away = []
        for row in (self._row, *rows):
            steps = np.abs(known - row) / self.scope.spread
            differs = (known != row) & ~(np.isnan(known) & np.isnan(row))
            away.append(np.where(numeric & ~np.isnan(steps), steps, differs).mean(axis=1).min())
        found: Array = np.maximum(0, np.array(away[1:]) - away[0])
        return found

    def _by_moves(self) -> None:
        feature, value = self._moves()
        states = np.tile(self._row, (len(feature), 1))
        states[np.arange(len(feature)), feature] = value
        lacking = self._ask(states)
        best = self._best_moves(feature, lacking, self.scope.distance(states))
        feature, value = feature[best], value[best]
        states, lacking = states[best], lacking[best]
        for size in range(2, min(_MOST_CHANGES, len(self.scope.features)) + 1):
            if len(self._found) >= self._enough and size > 2:
                return
            states = self._extend(states, feature, value)
            if not len(states):
                return
            lacking = self._ask(states)
            states = states[self._promising(states, lacking)]

    def _moves(self) -> tuple[Array, Array]:
        """Return what single changes there are: features and values, each (n_moves,)."""
        values = [self.scope.values(j) for j in self.scope.features]
        counts = [len(each) for each in values]
        return np.repeat(self.scope.features, counts), np.concatenate(values)

    def _best_moves(self, feature: Array, lacking: Array, distance: Array) -> Array:
        """Return up to four changes a feature: those that do most, and most for their distance.

        Of many features, the changes that do most.
        """
        now = self.want.lacking(self._scores(self._row[None]))[0]
        gain = now - lacking
        rate = gain / distance
        found: set[int] = set()
        for j in self.scope.features:
            own = np.flatnonzero(feature == j)
            if len(own) and not gain[own].any():
                # The score does not move by this feature alone: both ends may do it with another.
                found.update({int(own[0]), int(own[-1])})
                continue
            found.update(own[np.argsort(-gain[own], kind="stable")[:2]].tolist())
            found.update(own[np.argsort(-rate[own], kind="stable")[:2]].tolist())
        most = sorted(found, key=lambda k: (-gain[k], -rate[k]))
        first = sorted(found, key=lambda k: (-rate[k], -gain[k]))
        few = {*most[: _MOVES // 2], *first[: _MOVES // 2]} if len(found) > _MOVES else found
        return np.array(sorted(few), dtype=np.int64)

    def _extend(self, states: Array, feature: Array, value: Array) -> Array:
        """Return states with one more feature changed, each once."""
        longer = np.repeat(states, len(feature), axis=0)
        at = np.arange(len(longer))
        more = np.tile(feature, len(states))
        free = self.scope.steps(longer)[at, more] == 0
        longer[at, more] = np.tile(value, len(states))
        different: Array = longer[free][_first_of_each(longer[free])]
        return different

    def _promising(self, states: Array, lacking: Array) -> Array:
        """Return the states to go on from: those that lack least, and least for their distance.

        Few change the same features: where the score does not move, all lack the same.
        """
        open_ = np.flatnonzero(lacking > 0)
        steps = self.scope.steps(states[open_])
        distance, changed = steps.sum(axis=1), steps > 0
        lacks = lacking[open_]
        least = _few_of_each(np.lexsort((distance, lacks)), changed, _BEAM // 2)
        quick = np.argsort(lacks * (1 + distance), kind="stable")
        found = {*least, *_few_of_each(quick, changed, _BEAM // 2)}
        return open_[sorted(found)]

    def _from_background(self) -> None:
        """Try the row with all that may change as in a known row."""
        known = self._known
        states = np.tile(self._row, (len(known), 1))
        for j in self.scope.features:
            states[:, j] = np.where(np.isnan(known[:, j]), self._row[j], known[:, j])
        states = states[self.scope.inside(states)]
        lacking = self._ask(states, keep=False)
        states = states[lacking <= 0]
        states = states[np.argsort(self.scope.distance(states), kind="stable")[: self._enough]]
        self._keep(self._sparser(states))

    def _ask(self, states: Array, *, keep: bool = True) -> Array:
        if not len(states):
            return np.empty(0)
        scores = self._scores(states)
        # At a tie the answer is not given, though nothing is lacking.
        lacking = np.where(
            self.want.given(scores), 0.0, np.maximum(self.want.lacking(scores), _TIE)
        )
        self.nearest = min(self.nearest, float(lacking.min()))
        if keep:
            self._keep(states[lacking <= 0])
        return lacking

    def _keep(self, states: Array) -> None:
        """Keep the nearest of each way, where no fewer features are known to do."""
        steps = self.scope.steps(states)
        if self._found:
            known = np.array([np.frombuffer(which, dtype=bool) for which in self._found])
            within = (steps > 0).astype(np.int64) @ known.T.astype(np.int64)
            sizes = known.sum(axis=1)
            fewer = sizes < (steps > 0).sum(axis=1)[:, None]
            more = ((within == sizes) & fewer).any(axis=1)
            states, steps = states[~more], steps[~more]
        distance, changed = steps.sum(axis=1), steps > 0
        ways = np.where(self.scope.asked.seen.numeric, states > self._row, states)
        for k in np.argsort(distance, kind="stable")[:_KEPT].tolist():
            found = self._found.setdefault(changed[k].tobytes(), {})
            way = ways[k][changed[k]].tobytes()
            if way not in found or distance[k] < found[way][0]:
                found[way] = (float(distance[k]), states[k])

    def _scores(self, rows: Array) -> Array:
        self.tried += len(rows)
        return self.scope.asked.model.predict_matrix(rows)

    def _given(self, rows: Array) -> Array:
        return self.want.given(self._scores(rows))

    def _sparser(self, rows: Array) -> Array:
        """Undo changes, the greatest first, as long as the answer stays."""
        rows = rows.copy()
        while len(rows):
            steps = self.scope.steps(rows)
            at, feature = np.nonzero(steps)
            tried = rows[at]
            tried[np.arange(len(at)), feature] = self._row[feature]
            fine = self._given(tried)
            if not fine.any():
                break
            size = np.where(fine, steps[at, feature], -1.0)
            for k in np.unique(at[fine]):
                mine = np.flatnonzero(at == k)
                best = mine[size[mine].argmax()]
                rows[k, feature[best]] = self._row[feature[best]]
        return rows

    def _closer(self, rows: Array) -> Array:
        """Move each number back towards the row's as far as the answer stays, the farthest first.

        Between a value that gives the answer and one that does not there is an edge: it is halved.
        """
        rows = rows.copy()
        steps = np.where(
            self.scope.asked.seen.numeric & ~np.isnan(self._row), self.scope.steps(rows), 0
        )
        order = np.argsort(-steps, axis=1, kind="stable")
        for rank in range(int((steps > 0).sum(axis=1).max())):
            feature = order[:, rank]
            mine = np.flatnonzero(steps[np.arange(len(rows)), feature] > 0)
            feature = feature[mine]
            out, back = self._row[feature], rows[mine, feature]
            whole = self.scope.whole[feature]
            for _ in range(_HALVINGS):
                middle = np.where(whole, np.rint((out + back) / 2), (out + back) / 2)
                tried = rows[mine]
                tried[np.arange(len(mine)), feature] = middle
                # A whole number next to the one that fails stays as it is.
                fine = self._given(tried) & (middle != out)
                back = np.where(fine, middle, back)
                out = np.where(fine | (middle == back), out, middle)
            rows[mine, feature] = back
        return rows

    def _rounder(self, rows: Array) -> Array:
        """Round numbers outward, to as few decimals as cost next to nothing."""
        rows = rows.copy()
        for j, most in self.scope.decimals.items():
            mine = np.flatnonzero((self.scope.steps(rows)[:, j] > 0) & ~np.isnan(self._row[j]))
            if self.scope.whole[j] or not len(mine):
                continue
            tried, of = self._rounded(rows[mine], j, most)
            fine = self._given(tried) & self.scope.inside(tried)
            for k in range(len(mine)):
                kept = np.flatnonzero(fine & (of == k))
                if len(kept):
                    rows[mine[k]] = tried[kept[0]]
        return rows

    def _rounded(self, rows: Array, feature: int, most: int) -> tuple[Array, Array]:
        """Return rows with a number rounded to few decimals first, and which row each is of."""
        tried, of = [], []
        for k, row in enumerate(rows):
            value, up = row[feature], row[feature] > self._row[feature]
            for digits in range(most + 1):
                scale = 10.0**digits
                rounded = np.round((np.ceil if up else np.floor)(value * scale) / scale, digits)
                near = abs(rounded - value) <= _ROUNDING * self.scope.spread[feature]
                if near or digits == most:
                    tried.append(row.copy())
                    tried[-1][feature] = rounded
                    of.append(k)
        return np.array(tried), np.array(of)


def _few_of_each(order: Array, changed: Array, count: int) -> list[int]:
    """Return the first places of an order, but at most two with the same features changed."""
    found: list[int] = []
    taken: dict[bytes, int] = {}
    for k in order.tolist():
        which = changed[k].tobytes()
        taken[which] = taken.get(which, 0) + 1
        if taken[which] <= 2:
            found.append(k)
        if len(found) == count:
            break
    return found


def _first_of_each(rows: Array) -> Array:
    """Return the places of rows that differ, (n_different,), rising."""
    draw = np.random.default_rng(0).random(rows.shape[1])
    _, first = np.unique(np.nan_to_num(rows, nan=-0.123) @ draw, return_index=True)
    return np.sort(first)
