"""The run that a command names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gleis.contracts.errors import RegistryError
from gleis.contracts.run import Run

if TYPE_CHECKING:
    from gleis.lifecycle.project import Project


def find_run(opened: Project, ref: str) -> Run:
    """Return the run of an id, of its first letters, of ``v3``, ``3`` or ``latest``.

    Raises
    ------
    RegistryError
        If there is none, or more than one.
    """
    if ref != "latest":
        return opened.find_run(f"v{ref}" if ref.isdecimal() else ref)
    found = opened.runs()
    if not found:
        raise RegistryError("there are no runs yet", remedy="Make one: gleis run")
    return found[-1]
