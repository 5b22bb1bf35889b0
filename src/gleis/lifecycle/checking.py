"""The ledger's later check of alarms: rows that came afterwards confirm them or do not.

A drift that was confirmed is looked at further, day by day, until it has gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np
import polars as pl

from gleis.contracts.alarm import Alarm
from gleis.contracts.prediction import Batch
from gleis.contracts.profile import Profile, Reference
from gleis.data.profile import merge, profile
from gleis.data.season import hours_of
from gleis.evidence.losses import score_columns
from gleis.lifecycle.parts import Parts, read_parts
from gleis.lifecycle.workbench import Workbench
from gleis.monitoring.columns import LABEL
from gleis.monitoring.confirm import confirm
from gleis.store.log.logged import Logged

_DAY = timedelta(days=1)
_ABSENT = 2
"""Days in a row without the change after which it has gone."""


class Concluded(msgspec.Struct, frozen=True, kw_only=True):
    """What rows after alarms say."""

    checked: tuple[Alarm, ...] = ()
    """Alarms that were confirmed now, or not."""
    gone: tuple[Alarm, ...] = ()
    """Confirmed ones whose change has gone."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm that waits for rows to be checked on."""

    alarm: Alarm
    fresh: Profile | None = None
    """The subject's sketch over rows after the alarm."""
    cells: tuple[int, ...] = ()
    """The same rows by season, where the monitors compare like with like."""
    began: datetime | None = None
    """Of a confirmed alarm: since when these rows are collected."""
    absent: int = 0
    """Days in a row that did not show the change."""


class Checking:
    """Collects rows after each drift alarm and concludes.

    A performance alarm, one on the labels, and one on the score of a model that was replaced
    meanwhile, gets no rows to be checked on; it stays unconfirmed, neither true nor false.

    Parameters
    ----------
    bench : Workbench
    pending : sequence of Pending
        As kept by an earlier process.
    """

    def __init__(self, bench: Workbench, pending: Sequence[Pending]) -> None:
        self._bench = bench
        self.pending = tuple(pending)
        self._known: dict[int, Parts] = {}

    def add(self, alarms: Sequence[Alarm]) -> None:
        """Let alarms wait."""
        drift = tuple(
            Pending(alarm=alarm)
            for alarm in alarms
            if alarm.kind == "drift" and alarm.subject != LABEL
        )
        self.pending = (*self.pending, *drift)

    def see(self, batches: Sequence[Logged]) -> None:
        """Count rows for the alarms that wait."""
        if batches and self.pending:
            self.pending = tuple(self._grow(one, batches) for one in self.pending)

    def conclude(self, now: datetime, version: int) -> Concluded:
        """Say what enough rows say.

        Parameters
        ----------
        now : datetime
        version : int
            The champion's: whether a change of another one's inputs is still there matters to
            nobody.
        """
        checked: list[Alarm] = []
        gone: list[Alarm] = []
        waiting: list[Pending] = []
        for one in self.pending:
            if one.alarm.confirmed:
                waiting += self._look_again(one, now, gone) if one.alarm.version == version else ()
                continue
            said = self._said(one)
            if said is None:
                waiting.append(one)
                continue
            alarm = msgspec.structs.replace(one.alarm, confirmed=said)
            checked.append(alarm)
            if said:
                waiting.append(Pending(alarm=alarm, began=now))
        self.pending = tuple(waiting)
        return Concluded(checked=tuple(checked), gone=tuple(gone))

    def _look_again(self, one: Pending, now: datetime, gone: list[Alarm]) -> list[Pending]:
        """Say once a day whether a confirmed change is still there."""
        if one.began is None or now < one.began + _DAY:
            return [one]
        said = self._said(one)
        if said is None:
            return [one]
        absent = 0 if said else one.absent + 1
        if absent >= _ABSENT:
            gone.append(one.alarm)
            return []
        return [Pending(alarm=one.alarm, began=now, absent=absent)]

    def _said(self, one: Pending) -> bool | None:
        drift = self._bench.settings.triggers.drift
        effect = drift.min_effect if drift is not None else 0.1
        if one.fresh is None:
            return None
        cells = np.array(one.cells, dtype=np.int64) if one.cells else None
        reference = self._parts(one.alarm.version).reference
        return confirm(one.alarm, reference, one.fresh, effect, cells)

    def _grow(self, one: Pending, batches: Sequence[Logged]) -> Pending:
        reference = self._parts(one.alarm.version).reference
        subject = one.alarm.subject
        known = subject in reference.features.columns
        like = reference.features if known else reference.scores
        used = [b.batch for b in batches if known or _own(b.batch, one.alarm.version)]
        used = [batch for batch in used if not known or subject in batch.features]
        if not used:
            return one
        frame = _features(subject, used) if known else self._scores(one.alarm.version, used)
        kind = Profile(rows=0, columns={subject: like.columns[subject]})
        fresh = profile(frame, [subject], like=kind)
        grown = fresh if one.fresh is None else merge(one.fresh, fresh)
        cells = self._by_season(one, reference, known, used)
        return msgspec.structs.replace(one, fresh=grown, cells=cells)

    def _by_season(
        self, one: Pending, reference: Reference, known: bool, used: Sequence[Batch]
    ) -> tuple[int, ...]:
        """Return the rows so far by season; empty where seasons play no part."""
        every, seasons = self._bench.settings.monitor.season, reference.seasons
        if seasons is None or seasons.features.every != every:
            return ()
        season = seasons.features if known else seasons.scores
        stamps = [(time or batch.at).timestamp() for batch in used for time in batch.times]
        cells = np.array(season.cells)[hours_of(np.array(stamps), season.every)]
        found = np.bincount(cells, minlength=max(season.cells) + 1)
        return tuple((found + (np.array(one.cells) if one.cells else 0)).tolist())

    def _scores(self, version: int, own: Sequence[Batch]) -> pl.DataFrame:
        scores = np.concatenate([np.asarray(batch.scores, dtype=np.float64) for batch in own])
        return pl.DataFrame(score_columns(scores, self._parts(version).contract))

    def _parts(self, version: int) -> Parts:
        if version not in self._known:
            self._known[version] = read_parts(self._bench, self._bench.registry.get(version))
        return self._known[version]


def _own(batch: Batch, version: int) -> bool:
    return batch.version == version and not batch.fallback


def _features(subject: str, used: Sequence[Batch]) -> pl.DataFrame:
    values = [value for batch in used for value in batch.features[subject]]
    return pl.DataFrame({subject: pl.Series(values, strict=False)})
