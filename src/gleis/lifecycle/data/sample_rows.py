"""Where rows of a person were kept as samples: in packages, and in results of steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import polars as pl

from gleis.contracts.deployment import Version
from gleis.contracts.errors import GleisError
from gleis.lifecycle.workbench import Workbench

_BEGIN = re.compile(rb'\{"(?:features":\{"(?:[^"\\]|\\.)*":\[|(?:[^"\\]|\\.)*":\[)')
"""What the JSON of examples, and of a background in a package or as a step keeps it, begins with:
a list of values by column."""
_FILES = ("tests/rows.json", "background.json")


_Value = str | int | float | bool | None


class _Samples(msgspec.Struct):
    """What is read of examples and backgrounds: their rows, by column."""

    features: dict[str, list[_Value]]


def sampled_in(content: bytes, rows: pl.DataFrame) -> bool:
    """Say whether one of some rows is among the sample rows of a file.

    Samples hold features only, no id, so rows count as the same if all their features are equal:
    somebody else's row may be equal too.

    Parameters
    ----------
    content : bytes
        JSON of examples or of a background.
    rows : DataFrame
        (n_rows, n_columns), with the features among its columns.

    Examples
    --------
    >>> content = b'{"features":{"x":[1,2],"town":["Ulm",null]},"scores":[],"target":[]}'
    >>> sampled_in(content, pl.DataFrame({"x": [1.0], "town": ["Ulm"]}))
    True
    >>> sampled_in(content, pl.DataFrame({"x": [1.0], "town": ["Bonn"]}))
    False
    """
    samples = _samples(content)
    names = [name for name in samples if name in rows.columns]
    if not names:
        return False
    theirs = set(rows.select(names).iter_rows())
    return any(row in theirs for row in zip(*(samples[name] for name in names), strict=True))


def _samples(content: bytes) -> dict[str, list[Any]]:
    """Return sample rows by column; none of what holds other things under that name: a profile."""
    columns: dict[str, list[Any]]
    try:
        columns = msgspec.json.decode(content, type=_Samples).features
    except msgspec.DecodeError:
        try:
            columns = msgspec.json.decode(content, type=dict[str, list[_Value]])
        except msgspec.DecodeError:
            return {}
    return columns if len({len(values) for values in columns.values()}) == 1 else {}


def packages_with(bench: Workbench, rows: pl.DataFrame) -> Iterator[Version]:
    """Yield the registered versions whose package holds sample rows like some.

    A package that cannot be fetched is told, and passed over.
    """
    for version in bench.registry.versions():
        try:
            folder = bench.registry.path(version)
            found = [folder / name for name in _FILES if (folder / name).is_file()]
            if any(sampled_in(path.read_bytes(), rows) for path in found):
                yield version
        except (GleisError, OSError) as error:
            bench.tell("erase", f"the package of version {version.number} was not read: {error}")


def drop_samples(bench: Workbench, rows: pl.DataFrame) -> int:
    """Delete kept results of steps with sample rows like some; return how many.

    A step whose result is gone is done again when it is needed.
    """
    artifacts = bench.kept.artifacts
    held = [
        digest
        for digest in artifacts.names()
        if _BEGIN.match(content := artifacts.get(digest)) and sampled_in(content, rows)
    ]
    for digest in held:
        artifacts.remove(digest)
    return len(held)


def merged(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the rows of frames, each once, whatever columns they have."""
    kept = [frame for frame in frames.values() if frame.height]
    return pl.concat(kept, how="diagonal_relaxed").unique() if kept else pl.DataFrame()
