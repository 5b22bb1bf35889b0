"""What a method of explaining is told, checked."""

from __future__ import annotations

from typing import Any

from gleis.contracts.errors import InvalidRowError


def check_whole(name: str, value: Any, least: int) -> None:
    """Refuse what is no whole number of at least ``least``.

    Raises
    ------
    InvalidRowError
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidRowError(
            f"{name} is no whole number of {least} or more",
            seen=value,
            remedy=f"Write {name} = {least}, or more.",
            field=name,
        )


def check_share(name: str, value: Any, *, above: bool = False) -> None:
    """Refuse what is no share: 0 or more (``above``: more than 0) and less than 1.

    Raises
    ------
    InvalidRowError
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value < 1 or (above and value == 0):
        raise InvalidRowError(
            f"{name} is no share",
            seen=value,
            remedy=f"Write a number from 0 to 1, such as {name} = 0.9.",
            field=name,
        )


def check_number(name: str, value: Any, *, least: float) -> None:
    """Refuse what is no finite number of at least ``least``.

    Raises
    ------
    InvalidRowError
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least <= value < float("inf"):
        raise InvalidRowError(
            f"{name} is no number of {least:g} or more",
            seen=value,
            remedy=f"Write {name} = {least:g}, or more.",
            field=name,
        )
