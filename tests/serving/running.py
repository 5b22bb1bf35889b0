"""A service on a port of its own, for tests of serving and of its clients."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import small_packages

from gleis.contracts.clock import SystemClock
from gleis.packaging.build import Built
from gleis.registry.versions import Registry
from gleis.serving.http import App
from gleis.serving.live import LiveService
from gleis.serving.metrics import Metrics
from gleis.serving.run import Server, bind
from gleis.serving.statistics.records import Records
from gleis.store.counters import Counters
from gleis.store.home import Home
from gleis.store.log.group_commit import GroupCommit
from signing_keys import TRUST


class Running:
    """A service on a port of its own, in a thread."""

    def __init__(
        self, folder: Path, *, max_body: int = 1_000_000, max_rows: int = 1000, **wire: Any
    ) -> None:
        clock = SystemClock()
        self.home = Home(folder)
        self.registry = Registry(self.home, "flights", clock)
        counters = Counters()
        metrics = Metrics("flights", counters)
        self.live = LiveService(
            self.registry,
            clock,
            lambda: TRUST,
            max_rows=max_rows,
            every=0.05,
            on_refused=metrics.reload_failed,
        )
        self.app = App(
            self.live,
            GroupCommit(self.home.log),
            clock,
            metrics,
            max_body=max_body,
            records=Records(self.home, clock, counters),
        )
        started = threading.Event()
        self.server = Server(
            self.app, bind("127.0.0.1", 0), lambda *place: self._note(started, place), **wire
        )
        self._thread = threading.Thread(target=self.server.run)
        self._thread.start()
        assert started.wait(10)

    def _note(self, started: threading.Event, place: tuple[str, int]) -> None:
        self.host, self.port = place
        self.url = f"http://{self.host}:{self.port}"
        started.set()

    def promote(self, built: Built, cause: str) -> None:
        """Promote a package and wait until it answers."""
        version = small_packages.promote(self.registry, built, cause)
        deadline = time.monotonic() + 10
        while self.live.current is None or self.live.current.version != version:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop as SIGTERM would, and wait."""
        self.server.stop()
        self._thread.join(20)
        assert not self._thread.is_alive()
        self.home.close()
