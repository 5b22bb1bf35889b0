"""The serving process: live service, group commit, HTTP application on one port.

Nothing of training, governance, MLflow or pandas is imported here.
"""

from __future__ import annotations

import socket

from gleis.config.settings import Settings
from gleis.contracts.clock import Clock
from gleis.registry.versions import Registry
from gleis.serving.http import App
from gleis.serving.live import LiveService
from gleis.serving.metrics import Metrics
from gleis.serving.run import bind
from gleis.store.group_commit import GroupCommit
from gleis.store.home import Home


def open_port(settings: Settings) -> socket.socket:
    """Take the port of ``[serve]`` before anything else starts."""
    return bind(settings.serve.host, settings.serve.port)


def make_app(settings: Settings, home: Home, clock: Clock) -> App:
    """Load the champion and return the application that serves it.

    Raises
    ------
    UnavailableError
        If nothing is live.
    PackageError
        If the champion's package must not be loaded.
    """
    home.create()
    limits = settings.serve
    registry = Registry(home, settings.project.name, clock)
    metrics = Metrics(registry.name)
    live = LiveService(registry, clock, max_rows=limits.max_rows, on_refused=metrics.reload_failed)
    live.load()
    size = int(limits.max_body_mb * 1e6)
    return App(live, GroupCommit(home.log), clock, metrics, max_body=size)
