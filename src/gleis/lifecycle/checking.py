"""The ledger's later check of alarms: rows that came afterwards confirm them or do not."""

from __future__ import annotations

from collections.abc import Sequence

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
from gleis.monitoring.confirm import confirm
from gleis.store.logged import Logged


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm that waits for rows to be checked on."""

    alarm: Alarm
    fresh: Profile | None = None
    """The subject's sketch over rows after the alarm."""
    cells: tuple[int, ...] = ()
    """The same rows by season, where the monitors compare like with like."""


class Checking:
    """Collects rows after each drift alarm and concludes.

    A performance alarm, and one on the score of a model that was replaced meanwhile, gets no
    rows to be checked on; it stays unconfirmed, neither true nor false.

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
        drift = tuple(Pending(alarm=alarm) for alarm in alarms if alarm.kind == "drift")
        self.pending = (*self.pending, *drift)

    def see(self, batches: Sequence[Logged]) -> None:
        """Count rows for the alarms that wait."""
        if batches and self.pending:
            self.pending = tuple(self._grow(one, batches) for one in self.pending)

    def conclude(self) -> list[Alarm]:
        """Return the alarms that enough rows have come for, with what they say."""
        done, waiting = [], []
        for one in self.pending:
            said = self._said(one)
            if said is None:
                waiting.append(one)
            else:
                done.append(msgspec.structs.replace(one.alarm, confirmed=said))
        self.pending = tuple(waiting)
        return done

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
