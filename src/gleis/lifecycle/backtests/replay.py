"""Replay history: arrivals in simulated time through the live serving, log and loop code."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.config.durations import parse_duration
from gleis.contracts.clock import SimulatedClock, utc
from gleis.contracts.errors import DataError, InvalidRowError, PackageError, UnavailableError
from gleis.contracts.prediction import Batch, Label
from gleis.data.columns import feature_names
from gleis.lifecycle.loop import Loop
from gleis.lifecycle.results import Tick
from gleis.lifecycle.workbench import Workbench
from gleis.serving.live import LiveService
from gleis.serving.opening import Opening
from gleis.serving.service import Service, Told
from gleis.serving.shadow import Shadow, answer_piecewise
from gleis.serving.turns import Group

Progress = Callable[[datetime, Tick], None]


class Replay:
    """One policy over one stretch of history.

    Parameters
    ----------
    bench : Workbench
        Its clock must be a ``SimulatedClock``; its settings hold the policy's triggers.
    loop : Loop
    arrivals : polars.DataFrame
        What the source delivered, with target, sorted by event time.
    step : timedelta
        How far the clock moves at a time; the loop ticks once a step.
    """

    def __init__(
        self, bench: Workbench, loop: Loop, arrivals: pl.DataFrame, step: timedelta
    ) -> None:
        if not isinstance(bench.clock, SimulatedClock):
            raise TypeError("a replay needs a SimulatedClock")
        self.bench = bench
        self.clock = bench.clock
        self.loop = loop
        self.step = step
        self._labels = _Labels(bench, arrivals)
        self._arrivals = arrivals
        limit = bench.settings.serve.max_rows
        # Rows without an id are drawn with the project's seed: a replay can be repeated.
        draw = random.Random(bench.settings.seed).random  # noqa: S311
        trust, outliers = (lambda: bench.trust), bench.settings.serve.outliers
        self._live = LiveService(
            bench.registry, bench.clock, trust, max_rows=limit, outliers=outliers, draw=draw
        )
        opening = Opening(bench.registry, bench.clock, trust, max_rows=limit, outliers=outliers)
        self._shadow = Shadow(bench.home, bench.registry.releases, opening.open)
        self._scores: list[NDArray[np.float64]] = []
        self.refused = 0
        """Arrivals that broke the champion's contract, as a client's request would have."""
        self.refusal: str | None = None
        """What the first of them was told."""
        self.fit_seconds = 0.0
        """CPU time that candidates took to be fitted and examined, when they were."""

    def run(self, until: datetime, progress: Progress | None = None) -> None:
        """Let time pass until ``until``."""
        windows = _windows(self._arrivals, self._time, self.clock.now(), until, self.step)
        for end, rows in windows:
            answered, ids = self._predict(rows)
            while self._shadow.follow():
                pass
            self.clock.move_to(end)
            self._labels.predicted(answered, ids)
            self._labels.deliver(end)
            self.bench.cache.costs.clear()
            tick = self.loop.tick()
            self.fit_seconds += sum(self.bench.cache.costs.values())
            if progress is not None:
                progress(end, tick)

    @property
    def _time(self) -> str:
        return self.bench.settings.project.time or ""

    def _predict(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
        """Ask exactly as requests would; return what was answered, and the ids."""
        champion = self._champion()
        if rows.is_empty():
            return rows, []
        groups = [
            (group, rows[list(group.positions)] if group.positions is not None else rows)
            for group in self._live.split(champion, self._entities(rows))
        ]
        answered = [pair for group, part in groups for pair in self._ask(group, part)]
        batches = [batch for _, batch in answered]
        ids = [one for of_batch in self.bench.home.log.append(batches) for one in of_batch]
        for batch in batches:
            self._live.answered(batch)
        self._scores += [np.asarray(batch.scores, dtype=np.float64) for batch in batches]
        return pl.concat([rows.clear(), *(part for part, _ in answered)]), ids

    def _ask(self, group: Group, rows: pl.DataFrame) -> list[tuple[pl.DataFrame, Batch]]:
        """Ask one service; rows it refuses are counted."""
        asked = rows.select(self._request_columns(rows)).to_dicts()
        found = answer_piecewise(
            group.service,
            asked,
            Told(group.role, group.share),
            self.bench.settings.serve.max_rows,
            self._refuse,
        )
        return [(rows[at], batch) for at, batch in found]

    def _refuse(self, error: InvalidRowError) -> None:
        self.refused += 1
        self.refusal = self.refusal or str(error)

    def _entities(self, rows: pl.DataFrame) -> list[str | None]:
        name = self.bench.settings.project.id
        if name is None or name not in rows.columns:
            return [None] * rows.height
        return [None if one is None else str(one) for one in rows[name].to_list()]

    def _request_columns(self, rows: pl.DataFrame) -> list[str]:
        project = self.bench.settings.project
        carried = [name for name in (project.id, project.time) if name is not None]
        return [*feature_names(rows.columns, self.bench.settings), *carried]

    def _champion(self) -> Service:
        """Follow the ledger, as a serving process does between requests."""
        self._live.refresh()
        champion, wanted = self._live.current, self.bench.deployments.champion()
        if wanted is None:
            raise UnavailableError(
                "there is no champion to replay", remedy="Run gleis run --as-of first."
            )
        if champion is None or champion.version != wanted.version:
            raise PackageError(
                f"version {wanted.version.number} of the replay does not load",
                seen=self._live.error,
                remedy="This is a fault of gleis, or the state folder was changed meanwhile.",
            )
        return champion

    def answered(self) -> tuple[pl.DataFrame, NDArray[np.float64]]:
        """Return the rows predicted so far and their scores, in order.

        Raises
        ------
        DataError
            If there are none.
        """
        if not self._scores:
            raise DataError(
                f"the replay predicted none of {self.refused:,} arrivals",
                seen=self.refusal,
                remedy="Let load return the features that build_model is trained on.",
            )
        rows = self._labels.rows()
        return rows, np.concatenate(self._scores)


class _Labels:
    """Delivers the truth ``label_delay`` after the event."""

    def __init__(self, bench: Workbench, arrivals: pl.DataFrame) -> None:
        project = bench.settings.project
        self._bench = bench
        self._target = project.target
        self._time = project.time or ""
        self._delay = parse_duration(project.label_delay, "project.label_delay")
        self._seen: list[pl.DataFrame] = []
        self._waiting = arrivals.clear().with_columns(pl.lit("").alias("_prediction"))

    def predicted(self, rows: pl.DataFrame, ids: list[str]) -> None:
        """Remember which prediction each row got."""
        if rows.is_empty():
            return
        self._seen.append(rows)
        named = rows.with_columns(pl.Series("_prediction", ids))
        known = named.filter(pl.col(self._target).is_not_null())
        self._waiting = pl.concat([self._waiting, known])

    def deliver(self, now: datetime) -> None:
        """Label the predictions whose truth is known by ``now``."""
        ripe = pl.col(self._time) <= now - self._delay
        due, self._waiting = self._waiting.filter(ripe), self._waiting.filter(~ripe)
        if due.is_empty():
            return
        columns = zip(
            due["_prediction"].to_list(),
            due[self._target].to_list(),
            due[self._time].to_list(),
            strict=True,
        )
        labels = [
            Label(prediction_id=identifier, value=value, at=utc(moment) + self._delay)
            for identifier, value, moment in columns
        ]
        self._bench.home.log.label(labels, now)

    def rows(self) -> pl.DataFrame:
        """Return all predicted rows, in order."""
        return pl.concat(self._seen) if self._seen else self._waiting.drop("_prediction")


def _windows(
    arrivals: pl.DataFrame, column: str, start: datetime, until: datetime, step: timedelta
) -> list[tuple[datetime, pl.DataFrame]]:
    """Cut sorted arrivals into steps: (end of step, rows with start <= time < end)."""
    times = arrivals[column]
    windows = []
    begin = start
    position = int(times.search_sorted(start, side="left"))
    while begin < until:
        end = min(begin + step, until)
        stop = int(times.search_sorted(end, side="left"))
        windows.append((end, arrivals[position:stop]))
        begin, position = end, stop
    return windows
