"""The ledger's later check of alarms: rows that came afterwards confirm them or do not."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl

from gleis.contracts.alarm import Alarm
from gleis.contracts.profile import Profile
from gleis.data.profile import merge, profile
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
        return confirm(one.alarm, self._parts(one.alarm.version).reference, one.fresh, effect)

    def _grow(self, one: Pending, batches: Sequence[Logged]) -> Pending:
        reference = self._parts(one.alarm.version).reference
        subject = one.alarm.subject
        if subject in reference.features.columns:
            like, frame = reference.features, _features(subject, batches)
        else:
            like, frame = reference.scores, self._scores(one.alarm.version, batches)
        if frame.is_empty():
            return one
        kind = Profile(rows=0, columns={subject: like.columns[subject]})
        fresh = profile(frame, [subject], like=kind)
        grown = fresh if one.fresh is None else merge(one.fresh, fresh)
        return msgspec.structs.replace(one, fresh=grown)

    def _scores(self, version: int, batches: Sequence[Logged]) -> pl.DataFrame:
        own = [b.batch for b in batches if b.batch.version == version and not b.batch.fallback]
        if not own:
            return pl.DataFrame()
        scores = np.concatenate([np.asarray(batch.scores, dtype=np.float64) for batch in own])
        return pl.DataFrame(score_columns(scores, self._parts(version).contract))

    def _parts(self, version: int) -> Parts:
        if version not in self._known:
            self._known[version] = read_parts(self._bench, self._bench.registry.get(version))
        return self._known[version]


def _features(subject: str, batches: Sequence[Logged]) -> pl.DataFrame:
    values = [v for b in batches if subject in b.batch.features for v in b.batch.features[subject]]
    return pl.DataFrame({subject: pl.Series(values, strict=False)})
