"""Which of a project's things a push or pull is about."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches

import msgspec

from gleis.contracts.errors import ConfigError

PARTS = ("datasets", "runs", "packages", "live")
"""Datasets, runs, registered versions, and what is live: the last only where it is asked for."""
_USUAL = frozenset({"datasets", "runs", "packages"})
_DATASET = re.compile(r"([^@]+)@v?(\d+)")
_VERSION = re.compile(r"v(\d+)")
_RUN = re.compile(r"[rb]\d{8}-\d{6}-[0-9a-f]+")


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Parts as a whole, and single things.

    Examples
    --------
    >>> read_selection(["datasets", "v5"]).parts
    frozenset({'datasets'})
    >>> read_selection(["weather@v3"]).datasets
    {'weather': 3}
    """

    parts: frozenset[str] = _USUAL
    datasets: dict[str, int] = {}
    """Name -> up to which version: a version is made of the ones before it."""
    versions: frozenset[int] = frozenset()
    runs: frozenset[str] = frozenset()

    def has_dataset(self, name: str, version: int) -> bool:
        """Say whether it is about a dataset version."""
        return "datasets" in self.parts or version <= self.datasets.get(name, 0)

    def has_version(self, number: int) -> bool:
        """Say whether it is about a registered version."""
        return "packages" in self.parts or number in self.versions

    def has_run(self, run: str, registered: Collection[str]) -> bool:
        """Say whether it is about a run; a registered version brings its own."""
        return "runs" in self.parts or run in self.runs or run in registered


def read_selection(only: Sequence[str], *, live: bool = False) -> Selection:
    """Read what people write behind ``--only``: a part, ``weather@v3``, ``v5``, or a run's id.

    Raises
    ------
    ConfigError
        Something else.
    """
    parts: set[str] = {"live"} if live else set()
    datasets: dict[str, int] = {}
    versions: set[int] = set()
    runs: set[str] = set()
    for text in only:
        if text in _USUAL:
            parts.add(text)
        elif found := _DATASET.fullmatch(text):
            datasets[found.group(1)] = max(int(found.group(2)), datasets.get(found.group(1), 0))
        elif found := _VERSION.fullmatch(text):
            versions.add(int(found.group(1)))
        elif _RUN.fullmatch(text):
            runs.add(text)
        else:
            raise _unknown(text)
    return Selection(
        parts=frozenset(parts) if only else frozenset(parts | _USUAL),
        datasets=datasets,
        versions=frozenset(versions),
        runs=frozenset(runs),
    )


def _unknown(text: str) -> ConfigError:
    near = get_close_matches(text, _USUAL, n=1)
    return ConfigError(
        "--only names nothing that can be moved",
        seen=text,
        remedy=f"{f'Did you mean {near[0]}? ' if near else ''}Write datasets, runs or packages, a "
        "dataset version (weather@v3), a registered version (v5) or the id of a run.",
        field="--only",
    )
