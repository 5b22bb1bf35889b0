"""What a running release has shown so far, gathered from the log between ticks and processes."""

from __future__ import annotations

import array
import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.prediction import Batch, Label, Role
from gleis.contracts.profile import NumberSketch, Reference
from gleis.contracts.release import Release
from gleis.evidence.losses import score_columns
from gleis.evidence.row_metrics import RowMetric, row_metric, row_values
from gleis.monitoring.comparison import Comparison
from gleis.monitoring.labelled import Labelled, read_matches
from gleis.store.home import Home
from gleis.store.log.logged import Logged, Matched

Floats = NDArray[np.float64]
_ROWS = 20_000
_ROUNDS = 100
"""Readings in one look: a log that grows as fast as it is read must not keep the loop waiting."""
_TIGHT = 5
"""The asymptotic bounds are tightest at so many times ``min_rows`` of the challenger."""


class Side(msgspec.Struct, kw_only=True):
    """Rows of one version."""

    answered: int = 0
    fallbacks: int = 0
    seconds: float = 0.0
    """Sum of the seconds its calls took."""


class Evidence(msgspec.Struct, kw_only=True):
    """The state of a release's evaluation, written in one piece."""

    release: str
    seen: int
    """Log entries up to here were read."""
    matched: int
    """Matches up to here were read."""
    comparison: Comparison
    scores: dict[str, Comparison]
    """Of each score column: how far the challenger's scores lie from the champion's."""
    shadow_seen: int = 0
    shadow_matched: int = 0
    champion: Side = msgspec.field(default_factory=Side)
    challenger: Side = msgspec.field(default_factory=Side)
    repeated: int = 0
    """Labelled rows whose id had been counted before: the same row is no new evidence."""
    unusable: int = 0
    """Labels that are no class of the contract, or no number."""
    told: str = ""
    """The last thing that was told without acting."""


class Parts(NamedTuple):
    """What of the champion's package the evaluation needs."""

    reference: Reference
    contract: Contract


class Gathering:
    """Reads what is new in the log and adds it to a release's evidence.

    Parameters
    ----------
    home : Home
    release : Release
        With its present share.
    parts : Parts
        Of the champion's package.
    kept : bytes, optional
        From ``to_bytes``; of another release, it is passed over.
    """

    def __init__(
        self, home: Home, release: Release, parts: Parts, kept: bytes | None = None
    ) -> None:
        self._home = home
        self._release = release
        self._contract = parts.contract
        self._metric: RowMetric = row_metric(release.rules.metric, parts.contract.task)
        self.deviations = _deviations(parts)
        """Standard deviation of each score column on the champion's test rows."""
        state = msgspec.msgpack.decode(kept, type=_Kept) if kept is not None else None
        if state is not None and state.evidence.release == release.id:
            self.evidence = state.evidence
            self._known = set(array.array("Q", state.known))
        else:
            self.evidence = self._begin()
            self._known = set()

    @property
    def bounded(self) -> bool:
        """Whether the metric has bounds, so that the interval is exact."""
        return self._metric.bounds is not None

    def look(self) -> int:
        """Read on; return the number of labelled rows that came to count."""
        before = self._labelled()
        for _ in range(_ROUNDS):
            if not self._look():
                break
        return self._labelled() - before

    def to_bytes(self) -> bytes:
        """Return the state; a ``Gathering`` made with it goes on exactly here."""
        known = array.array("Q", sorted(self._known)).tobytes()
        return msgspec.msgpack.encode(_Kept(evidence=self.evidence, known=known))

    def _begin(self) -> Evidence:
        release = self._release
        after, cursor = self._home.log.since(release.at)
        looks_on = not release.answers
        shadow = self._home.shadows.since(release.at) if looks_on else (0, 0)
        return Evidence(
            release=release.id,
            seen=after,
            matched=cursor,
            shadow_seen=shadow[0],
            shadow_matched=shadow[1],
            comparison=self._compare(release.rules.higher, self._metric.bounds),
            scores={name: self._compare(True, None) for name in self.deviations},
        )

    def _compare(self, higher: bool, bounds: tuple[float, float] | None) -> Comparison:
        release = self._release
        part = min(release.share, 1.0 - release.share) if release.answers else 1.0
        return Comparison(
            higher=higher,
            bounds=bounds,
            least=release.least,
            paired=not release.answers,
            best_at=_TIGHT * release.rules.min_rows / part,
        )

    def _labelled(self) -> int:
        return self.evidence.comparison.champion.rows + self.evidence.comparison.challenger.rows

    def _look(self) -> bool:
        """Read one portion; return False if there was nothing."""
        evidence, log = self.evidence, self._home.log
        batches = log.read(evidence.seen, _ROWS)
        if batches:
            evidence.seen = batches[-1].seq
            self._see_answers(batches)
        matched = log.matched(evidence.matched, _ROWS)
        if matched:
            evidence.matched = matched[-1].cursor
        own = [one for one in matched if not one.relabelled and self._takes_part(one)]
        if self._release.answers:
            self._see_labels(own)
            return bool(batches or matched)
        return self._look_at_shadow(own) or bool(batches or matched)

    def _takes_part(self, one: Matched) -> bool:
        side = self._side(one.role, one.version)
        return side is not None and one.predicted_at >= self._release.at

    def _side(self, role: Role, version: int) -> Side | None:
        if role == "champion" and version == self._release.champion.number:
            return self.evidence.champion
        if role != "champion" and version == self._release.challenger.number:
            return self.evidence.challenger
        return None

    def _see_answers(self, batches: Sequence[Logged]) -> None:
        own: list[Batch] = []
        for logged in batches:
            batch = logged.batch
            side = self._side(batch.role, batch.version)
            if side is not None and batch.at >= self._release.at:
                _count(side, batch)
                own.append(batch)
        if own and self._release.answers:
            scores = np.array([score for b in own for score in b.scores], dtype=np.float64)
            challenger = np.repeat([b.role != "champion" for b in own], [b.rows for b in own])
            shares = np.repeat([_share(b.role, b.share) for b in own], [b.rows for b in own])
            for name, column in score_columns(scores, self._contract).items():
                self.evidence.scores[name].update(column, challenger, shares)

    def _see_labels(self, matched: Sequence[Matched]) -> None:
        found = self._labels(self._fresh(matched))
        if found is None:
            return
        rows, matches = found
        targets, scores = rows.arrays(self._contract.task)
        challenger = np.array([one.role != "champion" for one in matches])
        shares = np.array([_share(one.role, one.share) for one in matches])
        values = row_values(self._metric, targets, scores, self._contract)
        self.evidence.comparison.update(values, challenger, shares)

    def _look_at_shadow(self, labelled: Sequence[Matched]) -> bool:
        """Hand the truth on to the shadow's rows and compare pair by pair."""
        evidence, shadows = self.evidence, self._home.shadows
        given = [
            Label(value=one.value, entity=one.prediction_id, at=one.label_at) for one in labelled
        ]
        shadows.label(given, labelled[-1].label_at) if given else None
        batches = shadows.read(evidence.shadow_seen, _ROWS)
        if batches:
            evidence.shadow_seen = batches[-1].seq
        for logged in batches:
            self._see_pairs(logged.batch)
        matched = shadows.matched(evidence.shadow_matched, _ROWS)
        if matched:
            evidence.shadow_matched = matched[-1].cursor
        own = [one for one in matched if not one.relabelled and self._takes_part(one)]
        self._compare_pairs(own)
        return bool(batches or matched)

    def _see_pairs(self, batch: Batch) -> None:
        if self._side(batch.role, batch.version) is None or batch.at < self._release.at:
            return
        _count(self.evidence.challenger, batch)
        ours = np.array(batch.beside or [], dtype=np.float64)
        theirs = np.array(batch.scores, dtype=np.float64)
        before = score_columns(ours, self._contract)
        for name, column in score_columns(theirs, self._contract).items():
            self.evidence.scores[name].update_pairs(before[name], column)

    def _compare_pairs(self, matched: Sequence[Matched]) -> None:
        found = self._labels(matched)
        if found is None:
            return
        rows, matches = found
        targets, theirs = rows.arrays(self._contract.task)
        ours = np.array([one.beside for one in matches], dtype=np.float64)
        self.evidence.comparison.update_pairs(
            row_values(self._metric, targets, ours, self._contract),
            row_values(self._metric, targets, theirs, self._contract),
        )

    def _labels(self, matched: Sequence[Matched]) -> tuple[Labelled, list[Matched]] | None:
        read = read_matches(matched, self._contract)
        self.evidence.unusable += read.unusable
        if not read.rows.ids:
            return None
        of_id = {one.prediction_id: one for one in matched}
        return read.rows, [of_id[name] for name in read.rows.ids]

    def _fresh(self, matched: Sequence[Matched]) -> list[Matched]:
        """Leave out rows whose id was labelled in this release before.

        Their version was not drawn anew, so that they would make the evidence look larger.
        """
        fresh = []
        for one in matched:
            if one.entity is not None:
                digest = blake2b(one.entity.encode(), digest_size=8).digest()
                mark = int.from_bytes(digest, "little")
                if mark in self._known:
                    self.evidence.repeated += 1
                    continue
                self._known.add(mark)
            fresh.append(one)
        return fresh


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    evidence: Evidence
    known: bytes
    """Row ids that count already, as 8-byte hashes."""


def _count(side: Side, batch: Batch) -> None:
    side.answered += batch.rows
    side.fallbacks += batch.rows if batch.fallback else 0
    side.seconds += batch.seconds or 0.0


def _share(role: Role, share: float) -> float:
    """Return the challenger's share behind a propensity."""
    return share if role != "champion" else 1.0 - share


def _deviations(parts: Parts) -> dict[str, float]:
    found = {}
    for name, sketch in parts.reference.scores.columns.items():
        if isinstance(sketch, NumberSketch) and sketch.rows:
            found[name] = math.sqrt(sketch.m2 / sketch.rows)
    return found
