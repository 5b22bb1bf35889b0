"""Compile the optional code in C while gleis is installed or a wheel is built."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

PACKAGE = "src/gleis"


class NativeHook(BuildHookInterface):
    """With a C compiler the wheel carries libraries and is bound to its platform; else neither."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile in place, also for an editable installation."""
        root = Path(self.root)
        place = root / PACKAGE / "store" / "native_code.py"
        spec = importlib.util.spec_from_file_location("native_code", place)
        native_code = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(native_code)
        libraries = native_code.build_all(root / PACKAGE)
        if not libraries or self.target_name != "wheel":
            return
        build_data["artifacts"] += [library.relative_to(root).as_posix() for library in libraries]
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_platform()}"


def _platform() -> str:
    """Linux wheels built here are for here: no promise about older systems."""
    return next(t.platform for t in sys_tags() if "linux_2" not in t.platform)
