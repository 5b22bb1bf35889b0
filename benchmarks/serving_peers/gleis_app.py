"""gleis's own application, for a server that is not the one ``gleis serve`` runs."""

from __future__ import annotations

import os
from pathlib import Path

from gleis.config.load import load_settings
from gleis.contracts.clock import SystemClock
from gleis.lifecycle.service_process import make_app
from gleis.serving.http import App
from gleis.store.home import Home


def make() -> App:
    """Open the project that ``FLIGHTS_PROJECT`` names, as ``gleis serve`` does."""
    folder = Path(os.environ["FLIGHTS_PROJECT"])
    settings = load_settings(folder)
    return make_app(settings, Home(folder / settings.state), SystemClock(), folder)
