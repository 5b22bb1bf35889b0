"""Where the loop writes its figures and the service reads them."""

from __future__ import annotations

import msgspec

from gleis.contracts.errors import StoreError
from gleis.contracts.live_figures import LiveFigures
from gleis.contracts.ports import StateStore

_KEY = "live figures"
_decode = msgspec.json.Decoder(LiveFigures).decode


def keep_figures(states: StateStore, figures: LiveFigures) -> None:
    """Write the figures in place of the last ones."""
    states.put(_KEY, msgspec.json.encode(figures))


def read_figures(states: StateStore) -> LiveFigures | None:
    """Return what was written last; None if no loop ever looked."""
    body = states.get(_KEY)
    return None if body is None else _decode(body)


class FigureReader:
    """Reads what was written last, again and again; it is decoded only when it is another.

    Parameters
    ----------
    states : StateStore
    """

    def __init__(self, states: StateStore) -> None:
        self._states = states
        self._body: bytes | None = None
        self._figures: LiveFigures | None = None

    def read(self) -> LiveFigures | None:
        """Return the figures; None if no loop ever looked.

        Raises
        ------
        StoreError
            The file cannot be read, or what it holds is damaged.
        """
        body = self._states.get(_KEY)
        if body is not None and body != self._body:
            try:
                self._figures = _decode(body)
            except msgspec.MsgspecError as error:
                raise StoreError(
                    f"The loop's figures are damaged: {error}",
                    remedy="The loop's next look writes them anew.",
                ) from error
            self._body = body
        return self._figures
