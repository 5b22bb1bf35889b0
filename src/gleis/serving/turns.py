"""Which service answers which rows of a turn of the event loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gleis.contracts.prediction import Batch, Role
from gleis.serving.service import Service


class Group(NamedTuple):
    """Rows of one turn that one service answers together."""

    service: Service
    positions: Sequence[int] | None = None
    """Positions of the rows within the turn, increasing; None means all of them."""
    role: Role = "champion"
    """``shadow`` groups are worked on after everybody has been answered; nobody sees theirs."""
    share: float = 1.0
    """Probability with which such rows are given to this service (its propensity)."""


class Router(Protocol):
    """Splits the rows of a turn over services."""

    def split(self, champion: Service, entities: Sequence[str | None]) -> Sequence[Group]:
        """Say who answers which rows.

        Called once a turn on the event loop, after the rows were checked against the champion's
        contract: it must be quick, and every service it names must take the same features.

        Parameters
        ----------
        champion : Service
            The one that answers now.
        entities : sequence of str or None, (n_rows,)
            The project's own id of each row, where the request carried it.

        Returns
        -------
        sequence of Group
            Every row in exactly one group that is not a shadow's, and in any number of those.
        """
        ...

    def answered(self, batch: Batch) -> None:
        """Hear what a group answered, once its record is on disk; called on the event loop."""
        ...


class ChampionOnly:
    """The champion answers everything."""

    def split(self, champion: Service, entities: Sequence[str | None]) -> Sequence[Group]:
        """Give all rows to the champion."""
        return (Group(champion),)

    def answered(self, batch: Batch) -> None:
        """Nothing to learn."""
