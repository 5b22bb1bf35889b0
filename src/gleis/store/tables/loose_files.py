"""The objects of a table by name, whatever its log says of them."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import deltalake
import pyarrow.parquet as pq

from gleis.store.objects.objects import Objects
from gleis.store.tables.log import commit_name
from gleis.store.tables.table import PROPERTIES
from gleis.store.tables.unneeded import ASIDE


class LooseFiles:
    """Files of a table, in a folder or a bucket.

    Parameters
    ----------
    objects : Objects
    prefix : str
        Of the table's objects.
    """

    def __init__(self, objects: Objects, prefix: str) -> None:
        self._objects = objects
        self._prefix = prefix

    def key(self, name: str) -> str:
        """Return the key of a file."""
        return f"{self._prefix}/{name}"

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each file of rows that is there, by name."""
        prefix = f"{self._prefix}/"
        there = self._objects.list(self._prefix)
        names = ((found.key.removeprefix(prefix), found.size) for found in there)
        return {name: size for name, size in names if not name.startswith("_")}

    def columns(self, name: str) -> set[str]:
        """Return the columns of a Parquet file; none if it cannot be read."""
        with tempfile.TemporaryDirectory() as room:
            try:
                schema = pq.read_schema(self._copy(name, Path(room)))
            except (OSError, ValueError):
                return set()  # cut, or no Parquet: no file of a version
            return set(schema.names)

    def converted(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Let Delta Lake read the footers of files, as the commit of a table made of them."""
        if not names:
            return []
        with tempfile.TemporaryDirectory() as room:
            for name in names:
                self._copy(name, Path(room))
            deltalake.convert_to_deltalake(room, configuration=PROPERTIES)
            content = (Path(room) / "_delta_log" / commit_name(0)).read_bytes()
        return [json.loads(line) for line in content.splitlines()]

    def _copy(self, name: str, room: Path) -> Path:
        copy = room / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        path = getattr(self._objects, "path", None)
        if path is None:
            self._objects.download(self.key(name), copy)
            return copy
        try:
            os.link(path(self.key(name)), copy)
        except OSError:  # another disk
            shutil.copyfile(path(self.key(name)), copy)
        return copy

    def put_aside(self, name: str, folder: str = "_delta_log/") -> None:
        """Move a file, if it is there, to where readers pass it by."""
        key, aside = self.key(f"{folder}{name}"), self.key(f"{ASIDE}/{name}")
        path = getattr(self._objects, "path", None)
        if path is not None:
            if path(key).is_file():
                path(aside).parent.mkdir(exist_ok=True)
                path(key).replace(path(aside))
            return
        content = self._objects.get(key)
        if content is not None:
            self._objects.put(aside, content)
            self._objects.delete(key)
