"""Promotion and rollback by hand."""

from __future__ import annotations

from gleis.contracts.deployment import Version
from gleis.lifecycle.workbench import Workbench, whoami


def promote_by_hand(bench: Workbench, ref: str, reason: str, override: str | None) -> Version:
    """Make a version champion because a person says so.

    Raises
    ------
    RegistryError
        If there is no such version.
    BlockedError
        If its gates failed and no override says why it ships all the same.
    """
    version = bench.registry.get(ref)
    cause = f"hand/{bench.clock.now().isoformat()}/{version.number}"
    bench.deployments.promote(version, reason, whoami(), cause, override=override)
    return version


def rollback(bench: Workbench, reason: str) -> Version:
    """Make the champion before this one champion again.

    Raises
    ------
    RegistryError
        If there is none.
    """
    cause = f"rollback/{bench.clock.now().isoformat()}"
    return bench.deployments.rollback(reason, whoami(), cause).version
