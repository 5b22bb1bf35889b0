"""Releases by hand: start, change, end and show them."""

from __future__ import annotations

from typing import Any

from gleis.contracts.errors import RegistryError
from gleis.contracts.release import Ended, Release, Strategy
from gleis.lifecycle.promotion import check_package, promote_by_hand
from gleis.lifecycle.releasing import Releasing, described, end_running, start_release
from gleis.lifecycle.workbench import Workbench, whoami
from gleis.store.lock import LOOP


def deploy(
    bench: Workbench,
    ref: str,
    strategy: Strategy,
    reason: str,
    *,
    share: float | None = None,
    override: str | None = None,
) -> dict[str, Any]:
    """Try a version beside the champion because a person says so.

    If that very release runs already, only its share changes: the evidence goes on.

    Parameters
    ----------
    ref : str
        ``v4``, ``4`` or an alias.
    strategy : str
        ``champion`` promotes at once and ends what runs.
    share : float, optional
        Probability with which a row is given to the challenger, (0, 1).

    Raises
    ------
    RegistryError
        There is no such version or no champion, or the two cannot be compared.
    BlockedError
        Its gates failed, it would answer, and no override says why.
    PackageError
        Its package is not what was registered, or fails its own tests.
    """
    if strategy == "champion":
        version = promote_by_hand(bench, ref, reason, override)
        return {"champion": version.number, "release": None}
    version = bench.registry.get(ref)
    releases, now = bench.registry.releases, bench.clock.now()
    running = releases.running()
    cause = f"hand/{now.isoformat()}/{version.number}"
    if (
        running is not None
        and share is not None
        and (running.challenger, running.strategy) == (version, strategy)
        and running.least <= min(share, 1.0 - share) + 1e-9
    ):
        releases.move(running, share, reason, whoami(), cause)
    else:
        check_package(bench, version)
        start_release(
            bench, strategy, version, reason, whoami(), cause, share=share, override=override
        )
    return show(bench)


def end(bench: Workbench, reason: str) -> dict[str, Any]:
    """End the running release; the champion answers alone.

    Raises
    ------
    RegistryError
        Nothing runs.
    """
    if bench.registry.releases.running() is None:
        raise RegistryError(
            "No release runs",
            remedy="Start one with gleis deploy v2 --canary 5%, or go back with gleis rollback.",
        )
    ended = end_running(bench, "ended", reason, whoami())
    return {**show(bench), "ended": described(ended) if ended else None}


def show(bench: Workbench) -> dict[str, Any]:
    """Return who answers, what is tried beside it and its evidence, and how the last one ended.

    While another process runs the loop, the evidence is what that process saw last.
    """
    live = bench.deployments.champion()
    lock = bench.home.lock(LOOP)
    alone = lock.try_take()
    try:
        found = Releasing(bench).report(bench.clock.now(), look=alone)
    finally:
        if alone:
            lock.release()
    return {
        "champion": live.version.number if live is not None else None,
        "release": found,
        "last": _last(bench),
    }


def _last(bench: Workbench) -> dict[str, Any] | None:
    """Return the release that ended last, and how."""
    history = bench.registry.releases.history()
    ends = [fact for fact in history if isinstance(fact, Ended)]
    if not ends:
        return None
    end = ends[-1]
    of = next(one for one in history if isinstance(one, Release) and one.id == end.release)
    return {
        "strategy": of.strategy,
        "challenger": of.challenger.number,
        "outcome": end.outcome,
        "at": end.at.isoformat(),
        "by": end.by,
        "reason": end.reason,
    }
