"""The service that answers now, exchanged for a new champion's without a pause."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Literal

from gleis.contracts.clock import Clock
from gleis.contracts.deployment import Version
from gleis.contracts.errors import PackageError, UnavailableError
from gleis.packaging.keys import Trust
from gleis.packaging.load import load_package
from gleis.packaging.verify import self_test
from gleis.registry.versions import Registry
from gleis.serving.service import Service

_log = logging.getLogger(__name__)


class LiveService:
    """Holds the current service and follows the champion.

    A thread looks for a new deployment, loads and checks its package beside the old one, and
    exchanges them in one assignment: requests in flight finish on the old one. A package that
    does not load is refused; the old one keeps answering, and ``error`` says why.

    Parameters
    ----------
    registry : Registry
        Says what is champion and where its package is.
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
    """

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        trust: Callable[[], Trust],
        *,
        max_rows: int = 10_000,
        outliers: Literal["flag", "fallback"] = "flag",
        every: float = 0.5,
        on_refused: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = registry.name
        self.max_rows = max_rows
        self.current: Service | None = None
        self.error: str | None = None
        """Why the newest champion does not answer, or why it cannot be looked up."""
        self._registry = registry
        self._outliers: Literal["flag", "fallback"] = outliers
        self._deployments = registry.deployments
        self._clock = clock
        self._trust = trust
        self._every = every
        self._on_refused = on_refused
        self._revision: int | None = None
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

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
            self._follow()
        if self.current is None:
            raise UnavailableError(
                f"{self.name} has no champion to serve",
                remedy="Train one with gleis run, or promote a version with gleis promote.",
            )
        return self.current

    def refresh(self) -> bool:
        """Look once; exchange the service if there is a new champion.

        Returns
        -------
        bool
            True if another version answers now. Errors go to ``error``, not to the caller.
        """
        before = self.current
        with self._lock:
            try:
                self._follow()
            except Exception as error:  # noqa: BLE001 - the thread lives on, the error shows
                if self.error != str(error):
                    _log.exception("the new champion is refused, the old one keeps answering")
                    self._on_refused()
                self.error = str(error)
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
        """Stop following; the current service keeps answering."""
        self._stopped = True
        self._awake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stopped:
            self.refresh()
            self._awake.wait(self._every)
            self._awake.clear()

    def _follow(self) -> None:
        # Forgotten while looking: after a failed look everything is looked at again.
        seen, self._revision = self._revision, None
        revision = self._deployments.revision()
        if revision == seen:
            self._revision = seen
            return
        champion = self._deployments.champion()
        # Known before loading: a package that is refused is not tried again twice a second.
        self._revision = revision
        if champion is not None and not self._serves(champion.version):
            self.current = self._open(champion.version)
        self.error = None

    def _serves(self, version: Version) -> bool:
        return self.current is not None and self.current.version == version

    def _open(self, version: Version) -> Service:
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
