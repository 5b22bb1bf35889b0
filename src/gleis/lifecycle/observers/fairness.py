"""Fairness in production: the gates' figures on what was served, as limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from gleis.contracts.alarm import Alarm
from gleis.contracts.figure import Figure
from gleis.contracts.live_figures import LiveFigure
from gleis.lifecycle.live_limits import Broken, fairness_gates, find_broken, live_figures
from gleis.lifecycle.maturing import read_maturity
from gleis.lifecycle.observers.observer import Watched
from gleis.lifecycle.served_groups import ServedGroups
from gleis.monitoring.labels.maturity import DAY
from gleis.monitoring.labels.people import LiveFound, People
from gleis.monitoring.looks import spend
from gleis.monitoring.packing import decode_state
from gleis.monitoring.promise import Trial, make_promise, start_trial
from gleis.store.log.logged import Logged, Matched

_REFRESH = timedelta(hours=1)
"""How old the figures of ``/metrics`` may be."""
_SHOWN = (
    "statistical_parity_ratio",
    "equalized_odds_difference",
    "equal_opportunity_difference",
    "mean_prediction_difference",
    "mae_difference",
    "worst_class_statistical_parity_difference",
)
"""Shown of each attribute; what a gate asks for is shown too."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    people: bytes
    trial: Trial
    looks: int
    looked: int
    told: tuple[str, ...]


class FairnessObserver:
    """Compares groups of people over the window, and tells the gates that production breaks.

    Limits are tested once a day; all looks of a trial, at all limits, share its alpha.

    Parameters
    ----------
    watched : Watched
    groups : ServedGroups
    """

    def __init__(self, watched: Watched, groups: ServedGroups) -> None:
        self._clock = watched.bench.clock
        self._version = watched.version.number
        self._gates = fairness_gates(watched.bench.settings.gates)
        self._groups = groups
        contract, settings = watched.parts.contract, watched.bench.settings.fairness
        maturity = read_maturity(watched.bench)
        kept = _decode(watched.kept)
        before = None if kept is None else kept.people
        self._people = People(maturity, contract, settings, before)
        account = kept or _decode(watched.former)
        if account is not None and account.trial.promise.text == watched.rate:
            self._trial, self._looks = account.trial, account.looks
        else:
            self._trial = start_trial(make_promise(watched.rate, watched.now), watched.now)
            self._looks = 0
        self._looked = 0 if kept is None else kept.looked
        self._told = set() if kept is None else set(kept.told)
        self._found: tuple[datetime, LiveFound] | None = None

    def see(self, batches: Sequence[Logged], matched: Sequence[Matched], now: datetime) -> None:
        """Count answers and labels by group."""
        self._groups.see(self._people, batches, matched)

    def alarms(self, now: datetime) -> list[Alarm]:
        """Hold the figures against the gates, once a day."""
        day = int(now.timestamp() // DAY)
        if not self._gates or day <= self._looked:
            return []
        self._looked = day
        found = self._measure(now).figures()
        if found is None:
            return []
        self._looks += 1
        level = spend(self._trial.alpha / len(self._gates), self._looks)
        broken = list(find_broken(self._gates, found, level))
        held = {name for name, figure in live_figures(found).items() if self._holds(name, figure)}
        self._told -= held
        fresh = [one for one in broken if one.gate.name not in self._told]
        self._told |= {one.gate.name for one in fresh}
        return [self._raise(fresh, level, now)] if fresh else []

    def summary(self) -> dict[str, Any]:
        """Return the asked figures and the best known ones, with intervals."""
        found = self._measure(self._clock.now())
        joined = found.figures()
        shown = {} if joined is None else self._shown(live_figures(joined))
        unknown = [gate.name for gate in self._gates if gate.name not in shown]
        return {
            "answers": found.rows,
            "answers_of_unknown_groups": found.unknown,
            "labelled": found.labelled_rows,
            "figures": shown,
            **({"asked_but_unknown": ", ".join(unknown)} if unknown else {}),
            **({"notes": " ".join(found.notes)} if found.notes else {}),
            "promise": self._trial.promise.words,
        }

    def figures(self) -> list[LiveFigure]:
        """Return the same, at most an hour old."""
        now = self._clock.now()
        if self._found is None or now - self._found[0] >= _REFRESH:
            self._measure(now)
        joined = None if self._found is None else self._found[1].figures()
        if joined is None:
            return []
        return [
            LiveFigure(
                name="gleis_fairness",
                value=figure.value,
                labels=_labels(name),
                help="Figure between groups of people, over the window's answers.",
            )
            for name, figure in self._shown(live_figures(joined)).items()
        ]

    def to_bytes(self) -> bytes:
        """Return the state."""
        kept = _Kept(
            people=self._people.to_bytes(),
            trial=self._trial,
            looks=self._looks,
            looked=self._looked,
            told=tuple(sorted(self._told)),
        )
        return msgspec.msgpack.encode(kept)

    def _measure(self, now: datetime) -> LiveFound:
        found = self._people.find(now)
        self._found = (now, found)
        return found

    def _shown(self, figures: dict[str, Figure]) -> dict[str, Figure]:
        asked = {gate.name for gate in self._gates}
        return {
            name: figure
            for name, figure in figures.items()
            if name in asked or ("*" not in name and name.rpartition(".")[2] in _SHOWN)
        }

    def _holds(self, name: str, figure: Figure) -> bool:
        """Say whether a figure is back within its limits."""
        beyond = [
            figure.value < gate.bound if gate.relation in (">=", ">") else figure.value > gate.bound
            for gate in self._gates
            if gate.name == name
        ]
        return bool(beyond) and not any(beyond)

    def _raise(self, broken: list[Broken], level: float, now: datetime) -> Alarm:
        worst = min(broken, key=lambda one: one.chance)
        trial, self._looks = self._trial, 0
        self._trial = start_trial(trial.promise, now)
        return Alarm(
            id=f"fairness-v{self._version}-{now:%Y%m%dT%H%M%S}",
            kind="fairness",
            at=now,
            subject=worst.gate.name,
            also=tuple(one.gate.name for one in broken if one is not worst),
            evidence=-math.log10(max(worst.chance, 1e-300)),
            threshold=-math.log10(level),
            promise=trial.promise.words,
            effect=abs(worst.figure.value - worst.gate.bound),
            since=None,
            rows=worst.rows,
            version=self._version,
            message=f"{'; '.join(one.words for one in broken)}; {trial.promise.words}",
        )


def make_fairness(watched: Watched) -> FairnessObserver | None:
    """Make the observer, if groups of people are named and can be found."""
    settings = watched.bench.settings
    if not settings.fairness.protected:
        return None
    groups = ServedGroups(watched.bench, watched.parts.contract, watched.version.number)
    return FairnessObserver(watched, groups)


def _labels(name: str) -> dict[str, str]:
    """Split ``fairness.sex.selection_rate_difference``."""
    _, _, rest = name.partition(".")
    attribute, _, figure = rest.rpartition(".")
    return {"attribute": attribute, "figure": figure}


def _decode(body: bytes | None) -> _Kept | None:
    if body is None:
        return None
    return decode_state(body, _Kept)
