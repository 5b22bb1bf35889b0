"""Compile the optional kernel while gleis is installed or a wheel is built."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

PLACE = "src/gleis/packaging/compiled"


class KernelHook(BuildHookInterface):
    """With a C compiler the wheel carries the kernel and is bound to its platform; else neither."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile in place, also for an editable installation."""
        folder = Path(self.root) / PLACE
        spec = importlib.util.spec_from_file_location("kernel_building", folder / "building.py")
        building = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(building)
        library = building.build_kernel(folder)
        if library is None or self.target_name != "wheel":
            return
        build_data["artifacts"].append(f"{PLACE}/{library.name}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_platform()}"


def _platform() -> str:
    """Linux wheels built here are for here: no promise about older systems."""
    return next(t.platform for t in sys_tags() if "linux_2" not in t.platform)
