"""A container's only command: serve the one package that lies in it.

``python -m gleis.lifecycle.packaged PROJECT PACKAGE DIGEST``. The package is registered in the
state folder under the digest that the registry had approved, and promoted; it is loaded, checked
and tested as anywhere else. Restarted on the same state folder the service goes on with the same
prediction log; a later image promotes its own.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from gleis.config.load import load_settings
from gleis.contracts.clock import SystemClock
from gleis.contracts.errors import GleisError
from gleis.lifecycle.service_process import make_app, on_the_wire, open_port
from gleis.registry.versions import Registry
from gleis.serving.run import serve
from gleis.store.home import open_home


def main() -> int:
    """Serve until told to stop; return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    project, package, digest = sys.argv[1:4]
    folder = Path(project)
    clock = SystemClock()
    try:
        settings = load_settings(folder)
        home = open_home(folder, settings)
        enter(Registry(home, settings.project.name, clock), Path(package).absolute(), digest)
        wire = on_the_wire(settings, folder)
        listening = open_port(settings, home)
        serve(make_app(settings, home, clock, folder), listening, started=_say, **wire)
        home.close()
    except GleisError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def enter(registry: Registry, package: Path, digest: str) -> None:
    """Register a package under its approved digest and make it champion, unless it is."""
    version = registry.register(package, digest, f"image-{digest[:12]}", passed=True)
    live = registry.deployments.champion()
    if live is None or live.version.digest != digest:
        # Not once for ever: an image may come back after a later one.
        cause = f"image/{digest[:12]}/{registry.deployments.revision()}"
        registry.deployments.promote(version, "shipped in this image", "image", cause)


def _say(host: str, port: int) -> None:
    sys.stdout.write(f"serving on {host}:{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
