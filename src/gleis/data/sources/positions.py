"""How far a dataset has read a stream's partitions: the cursor of its latest version."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gleis.contracts.errors import StoreError


class Positions(msgspec.Struct, frozen=True, kw_only=True):
    """The next offset of each partition.

    Examples
    --------
    >>> read = Positions(kafka={"clicks/0": 7})
    >>> positions_of(read.moved({"clicks/1": 3}).text()).kafka
    {'clicks/0': 7, 'clicks/1': 3}
    """

    kafka: dict[str, int] = {}
    """``topic/partition`` -> the first offset whose message is not taken yet."""

    def moved(self, ahead: Mapping[str, int]) -> Positions:
        """Return positions of which some are further on."""
        return Positions(kafka={**self.kafka, **ahead})

    def text(self) -> str:
        """Write them as `Provenance.cursor` keeps them."""
        return msgspec.json.encode(self, order="sorted").decode()


def positions_of(cursor: str | None) -> Positions:
    """Read the cursor of a version.

    Raises
    ------
    StoreError
        It is none of ours.
    """
    if cursor is None:
        return Positions()
    try:
        return msgspec.json.decode(cursor, type=Positions)
    except msgspec.DecodeError as error:
        raise StoreError(f"A version's cursor cannot be read: {error}", seen=cursor) from error
