"""Where the loop writes its figures and the service reads them."""

from __future__ import annotations

import msgspec

from gleis.contracts.live_figures import LiveFigures
from gleis.store.states import SqliteStates

_KEY = "live figures"
_decode = msgspec.json.Decoder(LiveFigures).decode


def keep_figures(states: SqliteStates, figures: LiveFigures) -> None:
    """Write the figures in place of the last ones."""
    states.put(_KEY, msgspec.json.encode(figures))


def read_figures(states: SqliteStates) -> LiveFigures | None:
    """Return what was written last; None if no loop ever looked."""
    body = states.get(_KEY)
    return None if body is None else _decode(body)
