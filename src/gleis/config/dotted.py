"""Tables of TOML whose keys have dots in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gleis.contracts.errors import ConfigError


def flatten(table: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a table in which keys that were written without quotes are one key each.

    TOML reads ``fairness.sex.accuracy = 1`` as three tables in each other; as the name of a figure
    it is one.

    Parameters
    ----------
    table : mapping
    name : str
        Of the table, for the error.

    Raises
    ------
    ConfigError
        If a key is there twice, with quotes and without.

    Examples
    --------
    >>> flatten({"roc_auc": ">= 0.6", "slices": {"origin": {"JFK.brier": "<= 0.2"}}}, "gates")
    {'roc_auc': '>= 0.6', 'slices.origin.JFK.brier': '<= 0.2'}
    """
    found: dict[str, Any] = {}
    for key, value in _leaves(table):
        if key in found:
            raise ConfigError(
                f"{name}.{key} is there twice",
                seen=value,
                remedy="Write it once; a list holds several rules.",
                field=f"{name}.{key}",
            )
        found[key] = value
    return found


def _leaves(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            for inner, leaf in _leaves(value):
                yield f"{key}.{inner}", leaf
        else:
            yield key, value
