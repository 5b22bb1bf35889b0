"""A grid of policies: every combination of some values of trigger settings."""

from __future__ import annotations

import json
import math
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import product
from typing import Any

import msgspec

from gleis.config.load import parse_value
from gleis.config.settings import TriggerSettings
from gleis.config.triggers import check_triggers
from gleis.contracts.errors import ConfigError
from gleis.lifecycle.backtests.policies import Policy, read_policy

MOST = 64
"""Policies of a grid: each of them lives through the whole stretch of history."""
NONE = "none"
"""A value that leaves a setting out: ``triggers.schedule=none,every 30d``."""
_FIELD = "--grid"
_TABLE = "triggers."

Grid = Mapping[str, Sequence[Any]]


def read_grid(texts: Sequence[str]) -> dict[str, list[Any]]:
    """Read ``triggers.cooldown=7d,14d``, one text a setting.

    Values are separated by commas, or a TOML list where they hold commas themselves.

    Raises
    ------
    ConfigError
        If a text is not a key and values, or a key comes twice.

    Examples
    --------
    >>> read_grid(["triggers.drift.min_effect=0.05,0.1", 'triggers.schedule=["0 0 1,15 * *"]'])
    {'triggers.drift.min_effect': [0.05, 0.1], 'triggers.schedule': ['0 0 1,15 * *']}
    """
    found: dict[str, list[Any]] = {}
    for text in texts:
        key, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not key or not values:
            raise _wrong("wants KEY=VALUE,VALUE", text)
        if key in found:
            raise _wrong(f"varies {key} twice", text)
        found[key] = _values(values)
    return found


def grid_policies(grid: Grid, project: TriggerSettings) -> list[Policy]:
    """Return every combination, on top of the project's triggers.

    Parameters
    ----------
    grid : mapping of str to sequence
        Dotted setting -> its values. ``"none"`` leaves a setting out.
    project : TriggerSettings
        What the grid does not vary stays as here. A setting of a trigger that the project does not
        have switches that trigger on.

    Raises
    ------
    ConfigError
        A key that is no trigger setting, a value that it cannot take, no values, or more than
        `MOST` combinations.
    """
    for key, values in grid.items():
        _check_key(key, grid)
        if not values:
            raise _wrong(f"has no values for {key}", key)
    size = math.prod(len(values) for values in grid.values()) if grid else 0
    if size > MOST:
        raise _wrong(
            f"makes {size:,} policies, and at most {MOST} are replayed",
            " x ".join(f"{len(values)} of {key}" for key, values in grid.items()),
            "Leave values out: a coarse grid first, then a finer one around the best.",
        )
    short = _short(tuple(grid))
    found = [
        _policy(dict(zip(grid, combination, strict=True)), short, project)
        for combination in (product(*grid.values()) if grid else ())
    ]
    return list({policy.name: policy for policy in found}.values())


def choose_policies(
    names: Sequence[str] | None, grid: Grid | None, project: TriggerSettings
) -> list[Policy]:
    """Return the policies to replay, each once.

    Parameters
    ----------
    names : sequence of str, optional
        See ``policies.read_policy``. By default ``never`` and ``project``; the latter not where a
        grid has a point that is the same.
    grid : mapping, optional
    project : TriggerSettings

    Raises
    ------
    ConfigError
        A name, a setting or a value is not known.
    """
    points = grid_policies(grid or {}, project)
    if names is None:
        there = any(point.triggers == project for point in points)
        names = ["never"] if there else ["never", "project"]
    found = [read_policy(name, project) for name in names] + points
    return list({policy.name: policy for policy in found}.values())


def trigger_keys() -> list[str]:
    """Return every setting that a grid can vary.

    Examples
    --------
    >>> "triggers.drift.min_effect" in trigger_keys()
    True
    """
    return [f"{_TABLE}{key}" for key in _keys(TriggerSettings)]


def _keys(kind: type[msgspec.Struct]) -> Iterator[str]:
    hints = typing.get_type_hints(kind)
    for name in kind.__struct_fields__:
        yield name
        inner = hints[name]
        options = typing.get_args(inner) if isinstance(inner, types.UnionType) else (inner,)
        for option in options:
            if isinstance(option, type) and issubclass(option, msgspec.Struct):
                yield from (f"{name}.{key}" for key in _keys(option))


def _values(text: str) -> list[Any]:
    whole = parse_value(text)
    if isinstance(whole, list):
        return whole
    parts = [part.strip() for part in text.split(",")] if not isinstance(whole, dict) else [text]
    if not all(parts):
        raise _wrong("has an empty value", text)
    return [parse_value(part) for part in parts]


def _check_key(key: str, grid: Grid) -> None:
    known = trigger_keys()
    if key not in known:
        near = get_close_matches(key, known, n=1, cutoff=0.5)
        guess = f"Did you mean {near[0]}? " if near else ""
        raise _wrong(
            f"varies settings of triggers, and {key.partition('=')[0]} is none",
            key,
            f"{guess}There are {', '.join(known)}.",
        )
    inside = next((other for other in grid if other.startswith(f"{key}.")), None)
    if inside is not None:
        raise _wrong(f"varies {key} and {inside}, which is in it", key)


def _short(keys: tuple[str, ...]) -> dict[str, str]:
    """Return the shortest end of each key that no other shares."""
    found = {}
    for key in keys:
        parts = key.split(".")
        ends = [".".join(parts[n:]) for n in reversed(range(len(parts)))]
        others = [other for other in keys if other != key]
        found[key] = next(
            end for end in ends if not any(other.endswith(f".{end}") for other in others)
        )
    return found


def _policy(point: dict[str, Any], short: dict[str, str], project: TriggerSettings) -> Policy:
    tree = msgspec.to_builtins(project)
    for key, value in point.items():
        *parents, leaf = key.removeprefix(_TABLE).split(".")
        table = tree
        for part in parents:
            if table.get(part) is None:
                table[part] = {}
            table = table[part]
        table[leaf] = None if value == NONE else value
    try:
        triggers = msgspec.convert(tree, TriggerSettings)
        check_triggers(triggers)
    except (msgspec.ValidationError, ConfigError) as error:
        what = error.what if isinstance(error, ConfigError) else str(error)
        remedy = error.remedy if isinstance(error, ConfigError) else ""
        seen = ", ".join(f"{key}={_words(value)}" for key, value in point.items())
        raise _wrong(f"has a value that cannot be: {what}", seen, remedy) from error
    varied = {key: _words(value) for key, value in point.items()}
    name = " ".join(f"{short[key]}={value}" for key, value in varied.items())
    return Policy(name=name, triggers=triggers, varied=varied)


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _wrong(what: str, seen: str, remedy: str = "") -> ConfigError:
    usual = "Write --grid triggers.drift.min_effect=0.05,0.1 --grid triggers.cooldown=7d,14d."
    return ConfigError(f"{_FIELD} {what}", seen=seen, remedy=remedy or usual, field=_FIELD)
