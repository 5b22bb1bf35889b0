"""What an observer is: it reads the log beside the watch, sums up, and may alarm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import msgspec

from gleis.contracts.alarm import Alarm, Expected
from gleis.contracts.deployment import Version
from gleis.contracts.live_figures import LiveFigure
from gleis.lifecycle.parts import Parts
from gleis.lifecycle.workbench import Workbench
from gleis.store.log.logged import Logged, Matched


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """The champion an observer is made for."""

    bench: Workbench
    version: Version
    parts: Parts
    now: datetime
    rate: str
    """The false-alarm rate this observer may promise for itself, for ``make_promise``."""
    kept: bytes | None = None
    """Its own `Observer.to_bytes` for this version, to go on from."""
    former: bytes | None = None
    """The same for the version before, where there was one: the accounts in it may go along."""


class Observer(Protocol):
    """Reads what the log has new; its state outlives the process."""

    def see(self, batches: Sequence[Logged], matched: Sequence[Matched], now: datetime) -> None:
        """See what is new, each thing once and in its order, of all versions and roles."""
        ...

    def alarms(self, now: datetime) -> Sequence[Alarm]:
        """Return what must be told; asked once a look, when everything new was seen."""
        ...

    def summary(self) -> dict[str, Any]:
        """Return the state in plain types, for ``gleis monitor`` and pages."""
        ...

    def figures(self) -> Sequence[LiveFigure]:
        """Return the values for ``/metrics``."""
        ...

    def to_bytes(self) -> bytes:
        """Return the state; `Watched.kept` hands it back."""
        ...


@runtime_checkable
class Foreseeing(Protocol):
    """An observer that says what a change is expected to do to the model."""

    def expected(self, since: datetime | None) -> Expected | None:
        """Return what answers since a moment are expected to be worth; None if nobody knows."""
        ...


Maker = Callable[[Watched], Observer | None]
"""Makes an observer, or goes on from what it kept; None where there is nothing to observe."""
