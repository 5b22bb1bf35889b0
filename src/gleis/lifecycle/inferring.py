"""Checks that a dataset version suggests, written into the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import polars as pl

from gleis.config.load import FILE
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.errors import BlockedError, ConfigError
from gleis.data.checking.infer import propose, to_pandera, to_toml
from gleis.data.checking.schema_file import FILE as SCHEMA
from gleis.lifecycle.workbench import Workbench


class Inferred:
    """What a version suggests.

    Parameters
    ----------
    bench : Workbench
    ref : str or int
        ``v3``, ``latest``, ``weather@v3``.
    """

    def __init__(self, bench: Workbench, ref: str | int = "latest") -> None:
        name, at, number = str(ref).rpartition("@")
        datasets = bench.dataset(name if at else None)
        self._bench = bench
        self.version: DatasetVersion = datasets.get(number)
        """Which version."""
        self._frame: pl.DataFrame = datasets.read(self.version)
        self._own = datasets.name == bench.settings.project.name
        self.checks = propose(self._frame, datasets.spec)
        """Column to the keys of ``[data.checks]``."""

    @property
    def table(self) -> str:
        """Where they belong: ``data.checks``, ``datasets.weather.checks``."""
        return "data.checks" if self._own else f"datasets.{self.version.name}.checks"

    def as_toml(self) -> str:
        """Return them as ``gleis.toml`` has them."""
        return to_toml(self.checks, self.table)

    def as_schema(self) -> str:
        """Return them as a ``schema.py`` in pandera."""
        title = "schema" if self._own else re.sub(r"\W", "_", self.version.name)
        now = self._bench.clock.now()
        return to_pandera(self.checks, self._frame, title, self.version.label, now)

    def write_toml(self, *, force: bool = False) -> Path:
        """Write them into ``gleis.toml``; all else in it stays, byte for byte.

        Raises
        ------
        BlockedError
            It has checks of this dataset already, and ``force`` is not given.
        ConfigError
            The checks that are there stand where they cannot be replaced.
        """
        path = self._bench.folder / FILE
        text = path.read_text(encoding="utf-8")
        there = _at(tomllib.loads(text), self.table)
        if there is not None and not force:
            raise BlockedError(
                f"gleis.toml has [{self.table}] already",
                seen=", ".join(there) if isinstance(there, dict) else there,
                remedy="Leave --write out to see what would be written, or replace it: --force.",
            )
        kept = text if there is None else _without(text, self.table)
        written = f"{kept.rstrip()}\n\n{self.as_toml()}"
        self._see_that_all_else_stays(text, written)
        path.write_text(written, encoding="utf-8")
        return path

    def write_schema(self, *, force: bool = False) -> Path:
        """Write them as ``schema.py``.

        Raises
        ------
        BlockedError
            It is there already, and ``force`` is not given.
        """
        path = self._bench.folder / SCHEMA
        if path.exists() and not force:
            raise BlockedError(
                "There is a schema.py already",
                remedy="Leave --write out to see what would be written, or replace it: --force.",
            )
        path.write_text(self.as_schema(), encoding="utf-8")
        return path

    def _see_that_all_else_stays(self, before: str, after: str) -> None:
        wanted = tomllib.loads(before)
        _put(wanted, self.table, _at(tomllib.loads(self.as_toml()), self.table))
        try:
            holds = tomllib.loads(after) == wanted
        except tomllib.TOMLDecodeError:
            holds = False
        if not holds:
            raise ConfigError(
                f"The checks in gleis.toml do not stand under [{self.table}] alone",
                remedy="Take them out by hand first, then try again.",
                field=self.table,
            )


def _at(tree: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def _put(tree: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, leaf = dotted.split(".")
    for part in parents:
        tree = tree.setdefault(part, {})
    tree[leaf] = value


def _without(text: str, table: str) -> str:
    """Leave out ``[table]`` and the tables in it, each up to the next header."""
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            name = re.sub(r"[\"']|\s", "", header[1])
            inside = name == table or name.startswith(f"{table}.")
        if not inside:
            kept.append(line)
    return "".join(kept)
