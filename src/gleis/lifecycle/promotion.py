"""Promotion and rollback by hand."""

from __future__ import annotations

from gleis.contracts.deployment import PREVIOUS, Version
from gleis.contracts.errors import PackageError
from gleis.contracts.release import Outcome
from gleis.lifecycle.features.kept import fill_online
from gleis.lifecycle.releasing import end_running
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
    check_package(bench, version)
    fill_online(bench, version)
    cause = f"hand/{bench.clock.now().isoformat()}/{version.number}"
    bench.deployments.promote(version, reason, whoami(), cause, override=override)
    end_running(bench, _by_hand(bench, version), reason, whoami())
    return version


def rollback(bench: Workbench, reason: str) -> Version:
    """Make the champion before this one champion again; a release that runs is over.

    Raises
    ------
    RegistryError
        If there is none, and no release that could be taken back.
    PackageError
        If its package is not what was registered, or fails its own tests.
    """
    previous = bench.registry.aliases().get(PREVIOUS)
    champion = bench.deployments.champion()
    if previous is None and champion is not None and bench.registry.releases.running():
        end_running(bench, "rolled back", reason, whoami())
        return champion.version
    if previous is not None:
        check_package(bench, previous)
        fill_online(bench, previous)
    cause = f"rollback/{bench.clock.now().isoformat()}"
    found = bench.deployments.rollback(reason, whoami(), cause).version
    end_running(bench, "rolled back", reason, whoami())
    return found


def _by_hand(bench: Workbench, champion: Version) -> Outcome:
    release = bench.registry.releases.open()
    own = release is not None and release.challenger == champion
    return "promoted" if own else "replaced"


def check_package(bench: Workbench, version: Version) -> None:
    """Refuse a version whose package may not go live.

    Raises
    ------
    PackageError
        Naming the first check that fails.
    """
    result = verify(bench.registry.path(version), version.digest, bench.trust)
    failed = next((check for check in result.checks if not check.passed), None)
    if failed is not None:
        raise PackageError(
            f"version {version.number} must not go live: {failed.text}",
            remedy=f"Nothing was changed. {_what_next(bench, failed.name)}",
        )


def _what_next(bench: Workbench, failed: str) -> str:
    if failed != "signature":
        return "Train it anew: gleis run --refresh."
    offered = bench.keyring.offered()
    came = f"Keys that came with gleis pull: {', '.join(map(str, offered))}. " if offered else ""
    return f"{came}Ask who signed it for the fingerprint before you trust one."
