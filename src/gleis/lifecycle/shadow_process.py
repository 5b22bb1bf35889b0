"""A shadow in a process of its own, at the lowest priority: the champion does not feel it.

``python -m gleis.lifecycle.shadow_process --project FOLDER`` reads its settings from the standard
input, as JSON, and ends with the process that started it, or with the release.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from gleis.config.settings import Settings
from gleis.contracts.clock import SystemClock
from gleis.contracts.errors import PackageError, StoreError
from gleis.contracts.release import Release
from gleis.packaging.keyring import KeyRing
from gleis.registry.versions import Registry
from gleis.serving.opening import Opening
from gleis.serving.shadow import Shadow
from gleis.store.home import Home, open_home

_log = logging.getLogger(__name__)
_EVERY = 0.25
"""Seconds between two looks at the log: what gathers meanwhile is one call and one commit."""
_AGAIN = 5.0
"""Seconds before a shadow that died is started again."""


class ShadowKeeper:
    """Runs the shadow of a running shadow release, once a state folder.

    Whoever of several serving processes gets the lock starts it; if that one ends, so does its
    shadow, and another takes over.

    Parameters
    ----------
    settings : Settings
    home : Home
    folder : Path
        The project folder.
    insecure_dev : bool
        Load packages whoever signed them.
    """

    def __init__(
        self, settings: Settings, home: Home, folder: Path, *, insecure_dev: bool = False
    ) -> None:
        self._command = [
            sys.executable,
            "-m",
            "gleis.lifecycle.shadow_process",
            "--project",
            str(folder),
            *(["--insecure-dev"] if insecure_dev else []),
        ]
        self._settings = msgspec.json.encode(settings)
        self._lock = home.lock("shadow.lock")
        self._process: subprocess.Popen[bytes] | None = None
        self._born = -_AGAIN

    def __call__(self, release: Release | None) -> None:
        """Hear which release runs; see that its shadow runs, or that none does. Quick."""
        if release is None or release.answers:
            self._stop()
        elif self._process is None:
            if self._lock.try_take():
                self._spawn()
        elif self._process.poll() is not None and time.monotonic() - self._born > _AGAIN:
            _log.warning("the shadow ended with %d", self._process.returncode)
            self._spawn()

    def _spawn(self) -> None:
        self._born = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603
            self._command, stdin=subprocess.PIPE, start_new_session=True
        )
        if self._process.stdin is not None:
            with suppress(BrokenPipeError), self._process.stdin as pipe:  # dead at once: seen later
                pipe.write(self._settings)

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
            self._lock.release()


def main() -> int:
    """Follow the release until it is over; return the exit code."""
    options = _options()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    parent = os.getppid()
    os.nice(19)
    folder, clock = Path(options.project), SystemClock()
    settings = msgspec.json.decode(sys.stdin.buffer.read(), type=Settings)
    home = open_home(folder, settings)
    registry = Registry(home, settings.project.name, clock)
    keyring = KeyRing(settings.signing, folder, home.keys)
    opening = Opening(
        registry,
        clock,
        lambda: keyring.trust(unsigned=options.insecure_dev),
        max_rows=settings.serve.max_rows,
        outliers=settings.serve.outliers,
    )
    follow(registry, Shadow(home, registry.releases, opening.open), parent)
    home.close()
    return 0


def follow(registry: Registry, shadow: Shadow, parent: int) -> None:
    """Score what is new until the release is over or the parent process is gone."""
    while os.getppid() == parent:
        started = time.monotonic()
        try:
            rows = shadow.follow()
        except PackageError as error:
            release = registry.releases.running()
            if release is not None and not release.answers:
                reason = f"its package is refused: {error}"
                registry.releases.end(release, "rolled back", reason, "shadow")
            return
        except StoreError as error:
            _log.warning("the shadow waits: %s", error)
            rows = 0
        if rows is None:
            return
        time.sleep(max(_EVERY - (time.monotonic() - started), 0.01))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gleis.lifecycle.shadow_process")
    parser.add_argument("--project", required=True)
    parser.add_argument("--insecure-dev", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
