"""Dataset versions held against their records: what is whole, damaged, and was mended."""

from __future__ import annotations

import msgspec


class HeldVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version."""

    version: int
    rows: int
    """That it was recorded with."""
    damage: str | None = None
    """What is wrong with it; None if its rows have their hash."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset."""

    dataset: str
    versions: tuple[HeldVersion, ...]
    """All that can be read, oldest first."""
    log: tuple[str, ...] = ()
    """Files of the table's log that are damaged, each with what is wrong."""
    mended: tuple[str, ...] = ()
    """What was done."""

    @property
    def damaged(self) -> tuple[HeldVersion, ...]:
        """The versions that are damaged."""
        return tuple(each for each in self.versions if each.damage is not None)

    @property
    def whole(self) -> bool:
        """Whether nothing is damaged."""
        return not self.damaged and not self.log

    @property
    def last_whole(self) -> int | None:
        """Number of the newest version that is whole."""
        return max((each.version for each in self.versions if each.damage is None), default=None)
