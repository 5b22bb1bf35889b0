"""Coverage: which answers have a label by now, by stretch of time and by route."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import numpy as np

from gleis.contracts.contract import Contract
from gleis.contracts.prediction import Role
from gleis.monitoring.labelled import Targets
from gleis.monitoring.labels.absence import Absence, Missing
from gleis.monitoring.labels.delays import Delays, span_text
from gleis.monitoring.labels.maturity import (
    DAY,
    HOUR,
    Maturity,
    Stamps,
    iso_day,
    sane_stamp,
    stamps_of,
)
from gleis.monitoring.labels.tally import Tally
from gleis.monitoring.packing import decode_state
from gleis.store.log.logged import Logged, Matched

_ROUTES = 12
"""Routes told apart at most; beyond, the one that was quiet longest is forgotten."""
_EXAMPLES = 5
_SHOWN_DAYS = 7
_SILENCE = 2 * DAY
"""A log that was silent for so long, or whose clock jumped, gives labels a day to catch up."""
_SLACK = 60.0
"""Seconds by which two machines' clocks may differ."""


class Contradiction(msgspec.Struct, frozen=True):
    """A prediction that was given two labels."""

    prediction_id: str
    before: str | int | float | bool
    after: str | int | float | bool


class CoverageState(msgspec.Struct, kw_only=True):
    """What `Coverage` remembers: a few kilobytes a route, however many rows passed."""

    began: float | None = None
    """When the first answer that was counted was given; labels of earlier ones do not count."""
    whole: Tally = msgspec.field(default_factory=Tally)
    routes: dict[str, Tally] = {}
    absence: Absence | None = None
    newest: float | None = None
    """When the newest answer was given."""
    resumed: float | None = None
    """When answers came again after a long silence."""
    delays: tuple[Delays, Delays] = msgspec.field(default_factory=lambda: (Delays(), Delays()))
    """Of the window before the present one, and of the present one."""
    turned: float | None = None
    """When the present one began."""
    again: int = 0
    """Labels for predictions that had one."""
    contradictory: int = 0
    """Of these, labels that say something else."""
    contradictions: list[Contradiction] = []
    """The latest of them."""
    unusable: int = 0
    """Labels that are no class of the contract, or no number."""
    unusable_values: list[str] = []
    early: int = 0
    """Labels said to be known before the answer's event."""
    ahead: int = 0
    """Labels said to be known in the future."""
    strangers: int = 0
    """Labels of answers from before the count began."""


class _Route(NamedTuple):
    """How a row came to its version."""

    version: int
    role: Role
    share: float
    fallback: bool

    @property
    def name(self) -> str:
        share = "" if self.role == "champion" else f" at {round(self.share, 1):.0%}"
        return f"v{self.version} {self.role}{share}{' fallback' if self.fallback else ''}"


class Coverage:
    """Counts answers and their first labels, and judges days whose labels stay away.

    Parameters
    ----------
    maturity : Maturity
    contract : Contract
        Says which labels mean the same, and which none.
    state : bytes, optional
        From `to_bytes`, of this version or another: coverage belongs to the service.

    Raises
    ------
    StoreError
        If the bytes are damaged.
    """

    def __init__(self, maturity: Maturity, contract: Contract, state: bytes | None = None) -> None:
        self._maturity = maturity
        self._contract = contract
        self.state = CoverageState() if state is None else decode_state(state, CoverageState)

    def see(self, batches: Sequence[Logged], matched: Sequence[Matched], now: datetime) -> None:
        """See what the log has new; labels may come before or after others, in any order."""
        self._see_answers(batches)
        self._see_labels(matched, now)
        kept = self._maturity.kept
        for tally in (self.state.whole, *self.state.routes.values()):
            tally.forget(kept)
        while len(self.state.routes) > _ROUTES:
            quietest = min(self.state.routes, key=lambda name: _newest(self.state.routes[name]))
            del self.state.routes[quietest]

    def judge(self, now: datetime, alpha: float, floor: float) -> list[Missing]:
        """Judge the days that became mature; see `Absence`."""
        state, last = self.state, self._maturity.last_mature_day(now)
        if state.absence is None:
            if state.began is None:
                return []
            state.absence = Absence(judged=int(state.began // DAY) - 1)
        if state.resumed is not None:
            grace = min(self._maturity.matures, DAY) + HOUR
            if now.timestamp() < state.resumed + grace:
                return []
            state.resumed = None
        return state.absence.judge(state.whole.by_day(self._maturity), last, alpha, floor)

    def share(self, now: datetime) -> float | None:
        """Return the share of mature answers of the window that have a label."""
        return self.state.whole.share(*self._maturity.in_window(now))

    def delay(self, q: float) -> float:
        """Return a quantile of the delays of the last two windows, seconds."""
        return self.state.delays[0].merge(self.state.delays[1]).quantile(q)

    def summary(self, now: datetime) -> dict[str, Any]:
        """Return what is known in plain types."""
        state, window = self.state, self._maturity.in_window(now)
        answered, labelled = state.whole.between(*window)
        found: dict[str, Any] = {
            "matures_after": span_text(self._maturity.matures),
            "mature": answered,
            "mature_labelled": labelled,
            "coverage": labelled / answered if answered else None,
            "coverage_by_day": self._by_day(now),
        }
        if len(state.routes) > 1:
            shares = {name: tally.share(*window) for name, tally in sorted(state.routes.items())}
            found["coverage_by_route"] = {k: v for k, v in shares.items() if v is not None}
        if state.delays[0].counts or state.delays[1].counts:
            found["delay"] = {
                "median": span_text(self.delay(0.5)), "95%": span_text(self.delay(0.95))
            }  # fmt: skip
        return found | self._oddities()

    def to_bytes(self) -> bytes:
        """Return the state."""
        return msgspec.msgpack.encode(self.state)

    def _by_day(self, now: datetime) -> dict[str, float]:
        last = self._maturity.last_mature_day(now)
        days = [(d, n) for d, n in self.state.whole.by_day(self._maturity).items() if d <= last]
        return {iso_day(day): k / n for day, (n, k) in days[-_SHOWN_DAYS:]}

    def _oddities(self) -> dict[str, Any]:
        state = self.state
        labelled = sum(state.whole.labelled.values())
        found: dict[str, Any] = {"unusable": state.unusable}
        if state.unusable:
            found["unusable_values"] = ", ".join(state.unusable_values)
        if state.again:
            found["labelled_again"] = state.again
            found["contradictory"] = state.contradictory
            found["contradictory_share"] = state.contradictory / max(labelled, 1)
        if state.contradictions:
            said = [f"{c.prediction_id} {c.before} -> {c.after}" for c in state.contradictions]
            found["contradictions"] = ", ".join(said)
        counts = {
            "before_their_event": state.early,
            "dated_in_the_future": state.ahead,
            "of_answers_not_counted": state.strangers,
        }
        return found | {name: rows for name, rows in counts.items() if rows}

    def _see_answers(self, batches: Sequence[Logged]) -> None:
        state = self.state
        by_route: dict[_Route, list[Stamps]] = {}
        for logged in batches:
            batch = logged.batch
            at = batch.at.timestamp()
            state.began = at if state.began is None else state.began
            if state.newest is not None and abs(at - state.newest) > _SILENCE:
                state.resumed = at
            state.newest = at
            route = _Route(batch.version, batch.role, batch.share, batch.fallback)
            by_route.setdefault(route, []).append(stamps_of(batch.times, batch.at))
        for route, stamps in by_route.items():
            numbers = self._maturity.number(np.concatenate(stamps))
            state.whole.answer(numbers)
            self._tally(route).answer(numbers)

    def _see_labels(self, matched: Sequence[Matched], now: datetime) -> None:
        state = self.state
        first, stamps, routes = [], [], []
        targets = Targets(self._contract)
        for one in matched:
            moment = one.predicted_at.timestamp()
            if targets.of(one.value) is None:
                self._see_unusable(one.value)
            if one.relabelled:
                self._see_again(one, targets)
            elif state.began is None or moment < state.began:
                state.strangers += 1
            else:
                first.append(one)
                stamps.append(sane_stamp(one.event_time, moment))
                routes.append(_Route(one.version, one.role, one.share, one.fallback))
        if not first:
            return
        numbers = self._maturity.number(np.array(stamps))
        state.whole.label(numbers)
        for route in set(routes):
            self._tally(route).label(numbers[np.array([one == route for one in routes])])
        self._see_delays(first, np.array(stamps), now)

    def _see_unusable(self, value: str | int | float | bool) -> None:
        state = self.state
        state.unusable += 1
        if (text := repr(value)[:40]) not in state.unusable_values:
            state.unusable_values = [*state.unusable_values, text][-_EXAMPLES:]

    def _see_again(self, one: Matched, targets: Targets) -> None:
        self.state.again += 1
        if one.former is None:
            return
        before, after = targets.of(one.former), targets.of(one.value)
        if before is None or after is None or before == after:
            return
        self.state.contradictory += 1
        found = Contradiction(one.prediction_id, one.former, one.value)
        self.state.contradictions = [*self.state.contradictions, found][-_EXAMPLES:]

    def _see_delays(self, first: Sequence[Matched], stamps: Stamps, now: datetime) -> None:
        state, moment = self.state, now.timestamp()
        known = np.array([one.label_at.timestamp() for one in first])
        ahead = known > moment + _SLACK
        state.ahead += int(ahead.sum())
        state.early += int((known < stamps - _SLACK).sum())
        if state.turned is None or moment >= state.turned + self._maturity.window:
            state.delays, state.turned = (state.delays[1], Delays()), moment
        state.delays[1].see((known - stamps)[~ahead])

    def _tally(self, route: _Route) -> Tally:
        return self.state.routes.setdefault(route.name, Tally())


def _newest(tally: Tally) -> int:
    return max(_numbers(tally), default=0)


def _numbers(tally: Tally) -> Iterable[int]:
    return tally.answered or tally.labelled
