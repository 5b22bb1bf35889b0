"""Import a project's own modules without leaving its folder in the way of other projects."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

_ONE_AT_A_TIME = threading.RLock()


class FolderImports:
    """The modules beside a project's module, visible only while the project's code runs.

    While entered, the folder is first on ``sys.path`` and the modules imported from it are in
    ``sys.modules`` under their plain names; afterwards both are as before. So two projects in one
    process may each have a ``cleaning.py``, and an import inside ``load`` works too.

    Parameters
    ----------
    folder : Path
        The project folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._own: dict[str, ModuleType] = {}
        self._depth = 0
        importlib.invalidate_caches()

    def adopt(self, name: str, module: ModuleType) -> None:
        """Let the folder's code find ``module`` under ``name``."""
        self._own[name] = module

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Run the block with the folder's modules importable; one project at a time."""
        with _ONE_AT_A_TIME:
            if self._depth:
                yield
                return
            path, local = str(self._folder), self._local_names()
            aside = self._set_aside(local)
            before = set(sys.modules)
            sys.modules.update(self._own)
            sys.path.insert(0, path)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if path in sys.path:
                    sys.path.remove(path)
                self._take_back(local, before)
                sys.modules.update(aside)

    def _local_names(self) -> set[str]:
        """Top-level names the folder offers: its ``.py`` files and the folders that hold some."""
        return {
            entry.stem
            for entry in self._folder.iterdir()
            if entry.suffix == ".py" or (entry.stem.isidentifier() and any(entry.glob("*.py")))
        }

    def _set_aside(self, local: set[str]) -> dict[str, ModuleType]:
        """Take out of the way what bears a local name but came from elsewhere."""
        aside = {
            name: module
            for name, module in sys.modules.items()
            if name.partition(".")[0] in local
            and (name in self._own or not self._is_inside(module))
        }
        for name in aside:
            del sys.modules[name]
        return aside

    def _take_back(self, local: set[str], before: set[str]) -> None:
        for name in set(sys.modules) - before:
            module = sys.modules[name]
            if name.partition(".")[0] in local and self._is_inside(module):
                self._own[name] = sys.modules.pop(name)

    def _is_inside(self, module: ModuleType) -> bool:
        places = [getattr(module, "__file__", None), *getattr(module, "__path__", [])]
        return any(Path(place).resolve().is_relative_to(self._folder) for place in places if place)
