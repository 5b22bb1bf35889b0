"""The services that answer now, exchanged without a pause as champions and releases change."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from gleis.contracts.clock import Clock
from gleis.contracts.deployment import PREVIOUS, Version
from gleis.contracts.errors import PackageError, UnavailableError
from gleis.contracts.prediction import Batch
from gleis.contracts.release import Release
from gleis.packaging.keys import Trust
from gleis.packaging.load import load_package
from gleis.packaging.verify import self_test
from gleis.registry.versions import Registry
from gleis.serving.guard import Guard
from gleis.serving.routing import Part, Route
from gleis.serving.service import Service
from gleis.serving.turns import Group

_log = logging.getLogger(__name__)


class _Wanted(NamedTuple):
    """What the ledger says."""

    champion: Version | None = None
    release: Release | None = None
    previous: Version | None = None


class LiveService:
    """Holds the services that answer and follows champion and release.

    A thread looks for news with one cheap query, five times a second. What has to be loaded is
    loaded and checked in another thread, beside the services that answer, and exchanged in one
    assignment: requests in flight finish on the old ones. Loading therefore never keeps a
    rollback waiting, and the champion before this one stays loaded for it. A package that does
    not load is refused: a champion's predecessor keeps answering and ``error`` says why; a
    challenger's release ends. This is a ``turns.Router``.

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
    outliers : {"flag", "fallback"}
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
    """

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        trust: Callable[[], Trust],
        *,
        max_rows: int = 10_000,
        outliers: Literal["flag", "fallback"] = "flag",
        every: float = 0.2,
        on_refused: Callable[[], None] = lambda: None,
        on_release: Callable[[Release | None], None] = lambda release: None,
        workers: int = 1,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.name = registry.name
        self.max_rows = max_rows
        self.route: Route | None = None
        self.error: str | None = None
        """Why the newest version does not answer, or why it cannot be looked up."""
        self._registry = registry
        self._outliers: Literal["flag", "fallback"] = outliers
        self._deployments = registry.deployments
        self._releases = registry.releases
        self._clock = clock
        self._trust = trust
        self._every = every
        self._on_refused = on_refused
        self._on_release = on_release
        self._workers = workers
        self._draw = draw
        self._revision: int | None = None
        self._wanted = _Wanted()
        self._services: dict[str, Service] = {}
        self._refused: dict[str, str] = {}
        self._condemned: set[str] = set()
        self._unsaid: list[tuple[Release, str]] = []
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
            self._look()
            champion = self._wanted.champion
            if champion is not None:
                self._services[champion.digest] = self.open(champion)
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
                self._look()
                self._exchange()
                self._judge()
                self._say()
                self._on_release(self._wanted.release)
            except Exception as error:  # noqa: BLE001 - the thread lives on, the error shows
                self._note(str(error))

    def _look(self) -> None:
        # Forgotten while looking: after a failed look everything is looked at again.
        seen, self._revision = self._revision, None
        revision = self._releases.revision()
        if revision != seen:
            champion = self._deployments.champion()
            previous = self._deployments.aliases().get(PREVIOUS)
            release = self._releases.running()
            self._wanted = _Wanted(
                champion.version if champion else None,
                release if release and release.id not in self._condemned else None,
                previous.version if previous else None,
            )
            self._refused.clear()
            self.error = None
        elif not self._refused:
            self.error = None
        self._revision = revision

    def _exchange(self) -> None:
        """Let those answer that the ledger wants and that are loaded."""
        wanted, route = self._wanted, self.route
        champion = self._services.get(wanted.champion.digest) if wanted.champion else None
        if champion is None or champion.version != wanted.champion:
            if route is not None and route.release is not None:
                self.route = Route(route.champion)  # its release is over, whoever comes next
            return
        release = wanted.release
        challenger = None
        if release is not None and release.answers:
            challenger = self._services.get(release.challenger.digest)
        same = route is not None and (route.champion, route.release, route.challenger) == (
            champion,
            release,
            challenger,
        )
        if not same:
            guard = self._guard(release) if challenger is not None else None
            self.route = Route(champion, release, challenger, guard, self._draw)
            self._drop()

    def _guard(self, release: Release | None) -> Guard | None:
        """Go on with the guard of this release, or set one up."""
        if release is None:
            return None
        guard = self.route.guard if self.route is not None else None
        if guard is not None and guard.release.id == release.id:
            return guard
        return Guard(release, self._workers)

    def _judge(self) -> None:
        route = self.route
        guard = route.guard if route is not None else None
        if guard is None or guard.release.id in self._condemned:
            return
        reason = guard.look()
        if reason is not None:
            self._condemn(guard.release, reason)

    def _condemn(self, release: Release, reason: str) -> None:
        """Take a challenger out here at once, and everywhere by the ledger."""
        _log.error("version %d is rolled back: %s", release.challenger.number, reason)
        self._condemned.add(release.id)
        self._wanted = self._wanted._replace(release=None)
        self._unsaid.append((release, reason))
        self._exchange()

    def _say(self) -> None:
        """Write into the ledger what this process decided; what fails is said again."""
        while self._unsaid:
            release, reason = self._unsaid[0]
            self._releases.end(release, "rolled back", reason, "serving")
            self._unsaid.pop(0)

    def _missing(self) -> Version | None:
        """Return what has to be loaded next."""
        with self._lock:
            wanted = self._wanted
            release = wanted.release
            trial = release.challenger if release is not None and release.answers else None
            for version in (wanted.champion, trial):
                if version is None or version.digest in self._refused:
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
            service = self.open(version)
        except Exception as error:  # noqa: BLE001 - the thread lives on, the error shows
            with self._lock:
                self._refuse(version, error)
            return True
        with self._lock:
            self._services[version.digest] = service
        self._glance()  # much may have happened while it was loading
        return True

    def _refuse(self, version: Version, error: Exception) -> None:
        self._refused[version.digest] = str(error)
        self._note(str(error))
        release = self._wanted.release
        if release is not None and release.challenger == version:
            self._condemn(release, f"its package is refused: {error}")

    def _note(self, error: str) -> None:
        if self.error != error:
            _log.exception("a new version is refused, the old one keeps answering")
            self._on_refused()
        self.error = error

    def _drop(self) -> None:
        """Let go of services that neither answer nor may have to answer at once."""
        wanted = self._wanted
        kept = {version.digest for version in (wanted.champion, wanted.previous) if version}
        if wanted.release is not None:
            kept.add(wanted.release.challenger.digest)
        if self.route is not None:
            kept.add(self.route.champion.version.digest)
        self._services = {
            digest: service for digest, service in self._services.items() if digest in kept
        }

    def open(self, version: Version) -> Service:
        """Load a version's package and let it pass its own tests.

        Raises
        ------
        PackageError
            It must not be loaded, or fails its own tests.
        """
        package = load_package(self._registry.path(version), version.digest, self._trust())
        failed = [check.text for check in self_test(package).checks if not check.passed]
        if failed:
            raise PackageError(
                f"Version {version.number} fails its own tests: {' '.join(failed)}",
                remedy="Run gleis verify on it; build it again with gleis run.",
            )
        return Service(
            package,
            version,
            self._clock,
            name=self.name,
            max_rows=self.max_rows,
            outliers=self._outliers,
        )
