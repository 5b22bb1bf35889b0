"""A feature that stays away while a field nobody knows comes: perhaps it was renamed."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

_ALIKE = 0.5
"""Similarity from which on one name may be another's; 1 means equal."""


def guess_rename(missing: Sequence[str], unknown: Sequence[object]) -> str:
    """Ask whether a feature was renamed upstream; empty if no unknown field comes near.

    Parameters
    ----------
    missing : sequence of str
        Features that a row lacks, at least one.
    unknown : sequence
        Names of fields that are no features.

    Returns
    -------
    str
        A question and a blank, to be put before what is to be done.

    Examples
    --------
    >>> guess_rename(["temp"], ["temperature", "wind"])
    'Was temp renamed to temperature? '
    >>> guess_rename(["temp"], ["xyz", "wind"])
    ''
    """
    name = missing[0]
    fields = [field for field in unknown if isinstance(field, str)]
    if len(missing) == len(fields) == 1:  # one went, one came
        return f"Was {name} renamed to {fields[0]}? "
    near = {field: _alike(name, field) for field in fields}
    best = max(near, key=lambda field: near[field], default=None)
    return f"Was {name} renamed to {best}? " if best and near[best] >= _ALIKE else ""


def _alike(name: str, field: str) -> float:
    one, two = (text.casefold().replace("_", "") for text in (name, field))
    return SequenceMatcher(None, one, two).ratio()
