"""Durations and rates as people write them: ``6h``, ``every 30d``, ``1 per year``."""

from __future__ import annotations

import re
from datetime import timedelta

from gleis.contracts.caller import Limit
from gleis.contracts.errors import ConfigError

_UNITS = {
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}
_PERIODS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LIMIT_PERIODS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_LIMIT = re.compile(r"\s*(\d{1,9})\s+(?:per|a|an)\s+(second|minute|hour|day)\s*")
_BUDGET = re.compile(r"\s*(\d{1,6})\s+(?:per|a|an)\s+(hour|day|week|month|year)\s*")
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|d|w)\s*")
_SHARE = re.compile(r"\s*(\d+(?:\.\d+)?)\s+in\s+(\d+(?:\.\d+)?)\s*")
_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s+(?:per|a|an)\s+(hour|day|week|month|year)\s*")


def parse_duration(text: str, key: str) -> timedelta:
    """Read ``30s``, ``15min``, ``6h``, ``14d`` or ``2w``.

    Raises
    ------
    ConfigError
        If ``text`` is anything else; ``key`` is named.

    Examples
    --------
    >>> parse_duration("6h", "label_delay")
    datetime.timedelta(seconds=21600)
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ConfigError(
            f"{key} is not a duration",
            seen=text,
            remedy="Write a number and s, min, h, d or w, such as 6h or 14d.",
            field=key,
        )
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def is_duration(text: str) -> bool:
    """Say whether ``parse_duration`` reads it.

    Examples
    --------
    >>> is_duration("6h"), is_duration("landed_at")
    (True, False)
    """
    return _DURATION.fullmatch(text) is not None


def parse_rate(text: str, key: str) -> tuple[float, timedelta]:
    """Read ``1 per year`` into a count and a period.

    Raises
    ------
    ConfigError
        If ``text`` is anything else; ``key`` is named.

    Examples
    --------
    >>> parse_rate("2 per month", "drift.false_alarms")
    (2.0, datetime.timedelta(days=30))
    """
    match = _RATE.fullmatch(text)
    if match is None or float(match[1]) <= 0:
        raise ConfigError(
            f"{key} is not a rate",
            seen=text,
            remedy="Write a number, per, and hour, day, week, month or year: 1 per year.",
            field=key,
        )
    return float(match[1]), _PERIODS[match[2]]


def parse_budget(text: str, key: str) -> tuple[int, timedelta]:
    """Read ``4 per month``: at most so many in any stretch of that length.

    Raises
    ------
    ConfigError
        If ``text`` is anything else, or allows none; ``key`` is named.

    Examples
    --------
    >>> parse_budget("4 per month", "triggers.budget")
    (4, datetime.timedelta(days=30))
    """
    match = _BUDGET.fullmatch(text)
    if match is None or int(match[1]) < 1:
        raise ConfigError(
            f"{key} is not a number of retrainings in a period",
            seen=text,
            remedy="Write a whole number from 1, per, and hour, day, week, month or year: "
            "4 per month. Without any trigger nothing retrains.",
            field=key,
        )
    return int(match[1]), _PERIODS[match[2]]


def parse_limit(text: str, key: str) -> Limit:
    """Read ``100 per second``: so many requests at once, then as many evenly in each period.

    Raises
    ------
    ConfigError
        If ``text`` is anything else; ``key`` is named.

    Examples
    --------
    >>> parse_limit("100 per second", "access.rate")
    Limit(count=100, seconds=1.0)
    """
    match = _LIMIT.fullmatch(text)
    if match is None or int(match[1]) < 1:
        raise ConfigError(
            f"{key} is not a number of requests in a period",
            seen=text,
            remedy="Write a whole number, per, and second, minute, hour or day: 100 per second.",
            field=key,
        )
    return Limit(int(match[1]), _LIMIT_PERIODS[match[2]])


def parse_share(text: str, key: str) -> float:
    """Read ``1 in 1000`` into a share.

    Raises
    ------
    ConfigError
        If ``text`` is anything else, or not between 0 and 1; ``key`` is named.

    Examples
    --------
    >>> parse_share("1 in 1000", "evidence.outliers")
    0.001
    """
    match = _SHARE.fullmatch(text)
    if match is None or not 0 < float(match[1]) < float(match[2]):
        raise ConfigError(
            f"{key} is not a share",
            seen=text,
            remedy="Write a number, in, and a larger one: 1 in 1000.",
            field=key,
        )
    return float(match[1]) / float(match[2])


def parse_every(text: str, key: str) -> timedelta:
    """Read ``every 30d``.

    Raises
    ------
    ConfigError
        If ``text`` is anything else; ``key`` is named.
    """
    if not text.startswith("every "):
        raise ConfigError(f"{key} is not an interval", seen=text, remedy="Write every 30d.")
    return parse_duration(text.removeprefix("every "), key)
