"""The online store of a serving process, opened when the first model needs it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from gleis.contracts.clock import Clock
from gleis.contracts.contract import Contract
from gleis.contracts.ports import OnlineStore
from gleis.serving.lookup import Lookups
from gleis.store.online.store import open_online

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.store.home import Home


class LookupOpening:
    """Makes the lookups of models; those that need none open nothing.

    Parameters
    ----------
    settings : Settings
        ``[features]`` says where features are, and what becomes of rows without.
    home : Home
    clock : Clock
    """

    def __init__(self, settings: Settings, home: Home, clock: Clock) -> None:
        self._settings = settings
        self._home = home
        self._clock = clock
        self._store: OnlineStore | None = None
        self._opening = threading.Lock()

    def __call__(self, contract: Contract) -> Lookups | None:
        """Return what completes the rows of a model's requests; None if they hold everything.

        Raises
        ------
        ConfigError, StoreError
            The online store cannot be opened.
        ProjectError
            A function of the package does more than calculate.
        """
        if contract.served is None:
            return None
        always = self._settings.features.unknown == "fallback"
        return Lookups(contract, self.store, self._clock, always=always)

    @property
    def store(self) -> OnlineStore:
        """The online store."""
        with self._opening:
            if self._store is None:
                settings = self._settings
                self._store = open_online(
                    self._home, settings.features.online, settings.project.name
                )
            return self._store

    def close(self) -> None:
        """Close the store, if it was opened."""
        with self._opening:
            if self._store is not None:
                self._store.close()
                self._store = None
