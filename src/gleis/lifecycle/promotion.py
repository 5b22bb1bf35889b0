"""Promotion and rollback by hand."""

from __future__ import annotations

from gleis.contracts.deployment import PREVIOUS, Version
from gleis.contracts.errors import PackageError
from gleis.lifecycle.workbench import Workbench, whoami
from gleis.packaging.verify import verify


def promote_by_hand(bench: Workbench, ref: str, reason: str, override: str | None) -> Version:
    """Make a version champion because a person says so.

    Raises
    ------
    RegistryError
        If there is no such version.
    BlockedError
        If its gates failed and no override says why it ships all the same.
    PackageError
        If its package is not what was registered, or fails its own tests.
    """
    version = bench.registry.get(ref)
    _check_package(bench, version)
    cause = f"hand/{bench.clock.now().isoformat()}/{version.number}"
    bench.deployments.promote(version, reason, whoami(), cause, override=override)
    return version


def rollback(bench: Workbench, reason: str) -> Version:
    """Make the champion before this one champion again.

    Raises
    ------
    RegistryError
        If there is none.
    PackageError
        If its package is not what was registered, or fails its own tests.
    """
    previous = bench.registry.aliases().get(PREVIOUS)
    if previous is not None:
        _check_package(bench, previous)
    cause = f"rollback/{bench.clock.now().isoformat()}"
    return bench.deployments.rollback(reason, whoami(), cause).version


def _check_package(bench: Workbench, version: Version) -> None:
    result = verify(bench.registry.path(version), version.digest, bench.trust)
    failed = [check.text for check in result.checks if not check.passed]
    if failed:
        raise PackageError(
            f"version {version.number} must not go live: {failed[0]}",
            remedy="Nothing was changed. Train it anew: gleis run --refresh.",
        )
