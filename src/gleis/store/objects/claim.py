"""Asked before anything is written to a store, or deleted there."""

from __future__ import annotations

from typing import Protocol


class Claim(Protocol):
    """Asked before something is written or deleted: it refuses what is not ours."""

    def __call__(self, *, again: bool = False) -> None:
        """Look; ``again`` even if that was done before."""


def unclaimed(*, again: bool = False) -> None:
    """Refuse nothing: for what nobody shares."""
