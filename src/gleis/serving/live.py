"""The services that answer now, exchanged without a pause as champions and releases change."""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable, Sequence

from gleis.contracts.clock import Clock
from gleis.contracts.deployment import Version
from gleis.contracts.errors import StoreError, UnavailableError
from gleis.contracts.outliers import OutlierAnswer
from gleis.contracts.prediction import Batch
from gleis.contracts.release import Release
from gleis.packaging.keys import Trust
from gleis.registry.versions import Registry
from gleis.serving.following import Following
from gleis.serving.guard import Guard
from gleis.serving.lookup import Find
from gleis.serving.opening import Opening
from gleis.serving.routing import Part, Route
from gleis.serving.service import Service
from gleis.serving.turns import Group

_log = logging.getLogger(__name__)
_RETRY = 30.0
"""Seconds until a package is asked for again whose store did not answer."""


class LiveService:
    """Holds the services that answer and follows champion and release.

    A thread looks for news with one cheap query, five times a second. What has to be loaded is
    loaded and checked in another thread, beside the services that answer, and exchanged in one
    assignment: requests in flight finish on the old ones. Loading therefore never keeps a
    rollback waiting, and the champion before this one stays loaded for it. A package that does
    not load is refused: a champion's predecessor keeps answering and ``error`` says why; a
    challenger's release ends. One whose store does not answer is asked for again later. This is a
    ``turns.Router``.

    Parameters
    ----------
    registry : Registry
        Says what is champion, what is tried beside it and where the packages are.
    clock : Clock
    trust : callable
        Returns whose packages may be loaded; asked anew for each, so that a key that was added
        counts at once.
    max_rows : int
        Rows in one request.
    outliers : {"flag", "fallback", "review"}
        What becomes of outliers; see ``Service``.
    every : float
        Seconds between looks.
    on_refused : callable
        Called once for every version refused.
    on_release : callable
        Called with every look's release, or None: who works for a shadow listens here.
    workers : int
        Processes that serve the same state folder; they share the guard's false-alarm rate.
    draw : callable
        Uniform numbers in [0, 1) for rows without an id.
    lookups : callable, optional
        Returns what completes the rows of a package's requests.
    """

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        trust: Callable[[], Trust],
        *,
        max_rows: int = 10_000,
        outliers: OutlierAnswer = "flag",
        every: float = 0.2,
        on_refused: Callable[[], None] = lambda: None,
        on_release: Callable[[Release | None], None] = lambda release: None,
        workers: int = 1,
        draw: Callable[[], float] = random.random,
        lookups: Find = lambda contract: None,
    ) -> None:
        self.name = registry.name
        self.max_rows = max_rows
        self.route: Route | None = None
        self.error: str | None = None
        """Why the newest version does not answer, or why it cannot be looked up."""
        self._opening = Opening(
            registry, clock, trust, max_rows=max_rows, outliers=outliers, lookups=lookups
        )
        self._following = Following(registry)
        self._every = every
        self._on_refused = on_refused
        self._on_release = on_release
        self._workers = workers
        self._draw = draw
        self._services: dict[str, Service] = {}
        self._refused: dict[str, float] = {}
        """Digest -> when to try again; never, unless the store failed and not the package."""
        self._lock = threading.RLock()
        self._awake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._loader: threading.Thread | None = None

    @property
    def current(self) -> Service | None:
        """The champion's service; None before the first."""
        route = self.route
        return route.champion if route is not None else None

    def split(self, champion: Service, entities: Sequence[str | None]) -> Sequence[Group]:
        """Split a turn as the present release says; see ``turns.Router``."""
        route = self.route
        return route.split(champion, entities) if route is not None else (Group(champion),)

    def answered(self, batch: Batch) -> None:
        """Hear of an answer; see ``turns.Router``."""
        route = self.route
        if route is not None:
            route.answered(batch)

    def parts(self) -> list[Part]:
        """Return which versions take part and their shares, for ``/readyz`` and ``/metrics``."""
        route = self.route
        return route.parts() if route is not None else []

    def load(self) -> Service:
        """Load the champion now, before serving.

        Raises
        ------
        UnavailableError
            There is no champion.
        PackageError
            Its package must not be loaded, or fails its own tests.
        """
        with self._lock:
            self._following.look()
            champion = self._following.wanted.champion
            if champion is not None:
                self._services[champion.digest] = self._opening.open(champion)
                self._exchange()
        if self.current is None:
            raise UnavailableError(
                f"{self.name} has no champion to serve",
                remedy="Train one with gleis run, or promote a version with gleis promote.",
            )
        return self.current

    def refresh(self) -> bool:
        """Look once, load what is missing and exchange.

        Returns
        -------
        bool
            True if another champion answers now. Errors go to ``error``, not to the caller.
        """
        before = self.current
        self._glance()
        while self._load_next():
            pass
        return self.current is not before

    def wake(self) -> None:
        """Look now instead of at the next turn; returns at once."""
        self._awake.set()

    def start(self) -> None:
        """Start following, in a thread."""
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="gleis-reload", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop following; the current services keep answering."""
        self._stopped = True
        self._awake.set()
        for thread in (self._thread, self._loader):
            if thread is not None:
                thread.join()
        self._thread = self._loader = None
        self._on_release(None)

    def _run(self) -> None:
        while not self._stopped:
            self._glance()
            if self._missing() and (self._loader is None or not self._loader.is_alive()):
                self._loader = threading.Thread(target=self._load, name="gleis-load", daemon=True)
                self._loader.start()
            self._awake.wait(self._every)
            self._awake.clear()

    def _load(self) -> None:
        while not self._stopped and self._load_next():
            pass

    def _glance(self) -> None:
        """Look, exchange what is loaded, and let the guard judge."""
        with self._lock:
            try:
                if self._following.look():
                    self._refused.clear()
                self._exchange()
                self._judge()
                self._following.say()
                self._on_release(self._following.wanted.release)
                if not self._refused:
                    self.error = None
            except Exception as error:  # noqa: BLE001 - the thread lives on, the error shows
                self._note(str(error))

    def _exchange(self) -> None:
        """Let those answer that the ledger wants and that are loaded."""
        wanted, route = self._following.wanted, self.route
        champion = self._services.get(wanted.champion.digest) if wanted.champion else None
        if champion is None or champion.version != wanted.champion:
            if route is not None and route.release is not None:
                self.route = Route(route.champion)  # its release is over, whoever comes next
            return
        release, trial = wanted.release, wanted.challenger
        challenger = self._services.get(trial.digest) if trial is not None else None
        same = route is not None and (route.champion, route.release, route.challenger) == (
            champion,
            release,
            challenger,
        )
        if not same:
            before = route.guard if route is not None else None
            guard = _guard(release, before, self._workers) if challenger is not None else None
            self.route = Route(champion, release, challenger, guard, self._draw)
            self._drop()

    def _judge(self) -> None:
        route = self.route
        guard = route.guard if route is not None else None
        reason = guard.look() if guard is not None else None
        if guard is not None and reason is not None:
            self._following.condemn(guard.release, reason)
            self._exchange()

    def _missing(self) -> Version | None:
        """Return what has to be loaded next."""
        with self._lock:
            wanted = self._following.wanted
            for version in (wanted.champion, wanted.challenger):
                if version is None or self._refused.get(version.digest, 0) > time.monotonic():
                    continue
                service = self._services.get(version.digest)
                if service is None or service.version != version:
                    return version
            return None

    def _load_next(self) -> bool:
        """Load one missing version and exchange; return False if nothing was missing."""
        version = self._missing()
        if version is None:
            return False
        try:
            service = self._opening.open(version)
        except Exception as error:  # noqa: BLE001 - the thread lives on, the error shows
            with self._lock:
                self._refuse(version, error)
            return True
        with self._lock:
            self._services[version.digest] = service
            self._refused.pop(version.digest, None)
        self._glance()  # much may have happened while it was loading
        return True

    def _refuse(self, version: Version, error: Exception) -> None:
        waits = isinstance(error, StoreError)
        self._refused[version.digest] = time.monotonic() + _RETRY if waits else math.inf
        self._note(str(error))
        if waits:
            return
        release = self._following.wanted.release
        if release is not None and release.challenger == version:
            self._following.condemn(release, f"its package is refused: {error}")
            self._exchange()

    def _note(self, error: str) -> None:
        if self.error != error:
            _log.exception("a new version is refused, the old one keeps answering")
            self._on_refused()
        self.error = error

    def _drop(self) -> None:
        """Let go of services that neither answer nor may have to answer at once."""
        wanted = self._following.wanted
        kept = {version.digest for version in (wanted.champion, wanted.previous) if version}
        if wanted.release is not None:
            kept.add(wanted.release.challenger.digest)
        if self.route is not None:
            kept.add(self.route.champion.version.digest)
        self._services = {
            digest: service for digest, service in self._services.items() if digest in kept
        }


def _guard(release: Release | None, before: Guard | None, workers: int) -> Guard | None:
    """Go on with the guard of this release, or set one up."""
    if release is None:
        return None
    if before is not None and before.release.id == release.id:
        return before
    return Guard(release, workers)
