"""A challenger that looks on: scores what the champion has answered, from the log, behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from gleis.contracts.deployment import Version
from gleis.contracts.errors import InvalidRowError
from gleis.contracts.prediction import Batch
from gleis.contracts.release import Release
from gleis.registry.releases import Releases
from gleis.serving.rows import Row, Rows
from gleis.serving.service import Service, Told
from gleis.store.home import Home
from gleis.store.log.ids import parse_id
from gleis.store.log.logged import Logged

KEY = "shadow"
"""Key of the state that ``ShadowCounts`` are kept under."""
_MOST = 50_000
"""Rows it may be behind; older ones are passed over and counted."""
_AT_ONCE = 5_000


class ShadowCounts(msgspec.Struct, kw_only=True):
    """How far a shadow has come."""

    release: str
    seen: int
    """Log entries up to here were looked at."""
    scored: int = 0
    passed_over: int = 0
    """Rows it did not see because it was too far behind."""
    refused: int = 0
    """Rows that break the challenger's contract."""
    failed: int = 0
    """Rows that its baseline answered because the model failed."""


class Shadow:
    """Shows a running shadow release what was answered.

    It reads the prediction log, so that the champion knows nothing of it: no queue to fill, no
    interpreter lock to wait for if it runs in another process. What it answers goes to
    ``Home.shadows`` under the ids of the predictions that were given out; a restart goes on behind
    the last of them.

    Parameters
    ----------
    home : Home
    releases : Releases
    open_version : callable (Version) -> Service
        Loads a package.
    most : int
        Rows it may be behind.
    """

    def __init__(
        self,
        home: Home,
        releases: Releases,
        open_version: Callable[[Version], Service],
        *,
        most: int = _MOST,
    ) -> None:
        self._home = home
        self._releases = releases
        self._open = open_version
        self._most = most
        self._service: Service | None = None
        self._counts: ShadowCounts | None = None

    def follow(self) -> int | None:
        """Score what is new; return the number of rows looked at, None without a shadow release.

        Raises
        ------
        PackageError
            The challenger's package must not be loaded.
        StoreError
            The log cannot be read or written.
        """
        release = self._releases.running()
        if release is None or release.answers:
            self._service = self._counts = None
            return None
        service = self._service
        if service is None or service.version != release.challenger:
            service = self._service = self._open(release.challenger)
        counts = self._begin(release)
        self._skip(counts)
        entries = self._home.log.read(counts.seen, _AT_ONCE)
        if not entries:
            return 0
        self._score(service, release, entries, counts)
        counts.seen = entries[-1].seq
        self._home.states.put(KEY, msgspec.msgpack.encode(counts))
        return sum(logged.batch.rows for logged in entries)

    def _begin(self, release: Release) -> ShadowCounts:
        """Go on where this release's shadow stopped, or begin where the release does."""
        counts = self._counts
        if counts is not None and counts.release == release.id:
            return counts
        kept = read_counts(self._home)
        if kept is None or kept.release != release.id:
            after, _ = self._home.log.since(release.at)
            kept = ShadowCounts(release=release.id, seen=after)
        # Answers are written before the counts: after a kill in between they know better.
        kept.seen = max(kept.seen, self._last_scored(release))
        self._counts = kept
        return kept

    def _last_scored(self, release: Release) -> int:
        log = self._home.shadows
        newest = log.read(log.end() - 1) if log.end() else []
        if not newest or newest[-1].batch.version != release.challenger.number:
            return 0
        parsed = parse_id(newest[-1].batch.entities[-1] or "")
        return parsed[0] if parsed else 0

    def _skip(self, counts: ShadowCounts) -> None:
        log = self._home.log
        behind = log.behind(counts.seen)
        if behind > self._most:
            counts.seen = max(counts.seen, log.tail(self._most))
            counts.passed_over += behind - log.behind(counts.seen)

    def _score(
        self,
        service: Service,
        release: Release,
        entries: Sequence[Logged],
        counts: ShadowCounts,
    ) -> None:
        rows: list[Row] = []
        ids: list[str] = []
        answers: list[Any] = []
        for logged in entries:
            if logged.batch.version == release.champion.number:
                gone = set(logged.batch.erased)
                kept = [row for row in range(logged.batch.rows) if row not in gone]
                asked, names = rows_of(logged.batch, service), logged.ids
                rows += [asked[row] for row in kept]
                ids += [names[row] for row in kept]
                answers += [logged.batch.scores[row] for row in kept]
        batches, scored = [], 0
        for positions, batch in answer_piecewise(service, rows, Told("shadow")):
            batches.append(
                msgspec.structs.replace(
                    batch,
                    features={},
                    flags={},
                    entities=[ids[at] for at in positions],
                    beside=[answers[at] for at in positions],
                )
            )
            scored += batch.rows
            counts.failed += batch.rows if batch.fallback else 0
        counts.scored += scored
        counts.refused += len(rows) - scored
        self._home.shadows.append(batches)


def read_counts(home: Home) -> ShadowCounts | None:
    """Return how far the last shadow has come; None if there never was one."""
    body = home.states.get(KEY)
    return msgspec.msgpack.decode(body, type=ShadowCounts) if body is not None else None


def rows_of(batch: Batch, service: Service) -> list[Row]:
    """Turn a logged batch back into the rows it was asked about, for a service's contract."""
    contract = service.contract
    names = [name for name in contract.names if name in batch.features]
    rows: list[dict[str, Any]] = [
        dict(zip(names, values, strict=True))
        for values in zip(*(batch.features[name] for name in names), strict=True)
    ]
    for carried, values in ((contract.id, batch.entities), (contract.time, batch.times)):
        for row, value in zip(rows, values, strict=True) if carried else ():
            if value is not None:
                row[str(carried)] = value
    return [*rows]


def answer_piecewise(
    service: Service,
    rows: Sequence[Row],
    told: Told,
    most: int = 10_000,
    refused: Callable[[InvalidRowError], None] = lambda error: None,
) -> list[tuple[list[int], Batch]]:
    """Answer all rows that can be, as if each had been a request of its own.

    Parameters
    ----------
    service : Service
    rows : sequence of mapping, (n_rows,)
    told : Told
        What the batches say about why this service saw the rows.
    most : int
        Rows asked about at once.
    refused : callable
        Called with the error of every row that breaks the contract.

    Returns
    -------
    list of (list of int, Batch)
        Positions among ``rows`` and what was answered; refused rows are missing.
    """
    found: list[tuple[list[int], Batch]] = []
    for start in range(0, len(rows), most):
        at = range(start, min(start + most, len(rows)))
        for part, checked in _read(service, rows, at, refused):
            for answered in service.answers(checked, range(1, checked.count + 1), told):
                positions = answered.positions
                places = part if positions is None else [part[place] for place in positions]
                found.append((list(places), answered.batch))
    return found


def _read(
    service: Service,
    rows: Sequence[Row],
    at: range,
    refused: Callable[[InvalidRowError], None],
) -> list[tuple[range, Rows]]:
    """Check rows at once; where one is refused, halves, until it stands alone."""
    try:
        return [(at, service.read(rows[at.start : at.stop]))]
    except InvalidRowError as error:
        if len(at) == 1:
            refused(error)
            return []
        middle = at.start + len(at) // 2
        halves = range(at.start, middle), range(middle, at.stop)
        return [pair for half in halves for pair in _read(service, rows, half, refused)]
