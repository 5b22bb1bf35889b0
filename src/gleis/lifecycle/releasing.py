"""Releases: a candidate is tried beside the champion, and promoted, rolled back or let go."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from gleis.config.durations import parse_duration
from gleis.config.settings import ReleaseSettings
from gleis.contracts.contract import Contract
from gleis.contracts.deployment import Version
from gleis.contracts.errors import BlockedError, RegistryError
from gleis.contracts.features import Computed, ViewUse
from gleis.contracts.release import Outcome, Release, Rules, Strategy, Trial
from gleis.lifecycle.parts import read_parts
from gleis.lifecycle.release_decision import Judgement, judge, shift_of, summary
from gleis.lifecycle.release_evidence import Gathering, Parts, Side
from gleis.lifecycle.results import ReleaseNews
from gleis.lifecycle.workbench import Workbench
from gleis.monitoring.thompson import probability_better, share_to_play
from gleis.serving.shadow import read_counts

_KEY = "releasing"
_STEP = 0.02
"""A bandit's share moves by at least so much, so that the ledger stays readable."""
_SHARES: dict[Trial, float] = {"shadow": 1.0, "canary": 0.05, "ab": 0.5, "bandit": 0.5}


class Releasing:
    """Evaluates the running release and acts on its evidence.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._gathering: Gathering | None = None
        self._written: bytes | None = None

    @property
    def running(self) -> Release | None:
        """The release that runs."""
        return self._bench.registry.releases.running()

    def tick(self, now: datetime) -> ReleaseNews | None:
        """Look once: gather evidence, and promote, roll back, move the share or end if it says so.

        Returns
        -------
        ReleaseNews or None
            None if there was no release, or nothing to tell about it.
        """
        self._settle()
        release = self.running
        if release is None:
            self._gathering = None
            return None
        gathering = self._gather(release)
        gathering.look()
        evidence = gathering.evidence
        found = judge(release, evidence.comparison, evidence.scores, gathering.deviations, now)
        news = self._act(release, gathering, found)
        self.keep()
        return news

    def keep(self) -> None:
        """Write the state: the next process goes on exactly here."""
        if self._gathering is not None:
            body = self._gathering.to_bytes()
            if body != self._written:
                self._bench.home.states.put(_KEY, body)
                self._written = body

    def report(self, now: datetime, *, look: bool) -> dict[str, Any] | None:
        """Return what runs and its evidence so far in plain types; None if nothing runs.

        Parameters
        ----------
        now : datetime
        look : bool
            Whether to read on; False while another process does.
        """
        release = self.running
        if release is None:
            return None
        gathering = self._gather(release)
        if look:
            gathering.look()
            self.keep()
        evidence = gathering.evidence
        found = judge(release, evidence.comparison, evidence.scores, gathering.deviations, now)
        return {
            **described(release),
            "answered": {
                "champion": _side(evidence.champion),
                "challenger": _side(evidence.challenger),
            },
            "shadow": self._shadow(release),
            "score_shift": {
                name: shift_of(one, gathering.deviations[name])
                for name, one in evidence.scores.items()
            },
            "comparison": summary(release, evidence.comparison, found, now),
            "exact": gathering.bounded,
            "repeated": evidence.repeated,
            "unusable_labels": evidence.unusable,
        }

    def _gather(self, release: Release) -> Gathering:
        gathering = self._gathering
        if gathering is None or gathering.evidence.release != release.id:
            reference, contract, _ = read_parts(self._bench, release.champion)
            kept = self._bench.home.states.get(_KEY)
            parts = Parts(reference, contract)
            gathering = Gathering(self._bench.home, release, parts, kept)
            self._gathering, self._written = gathering, kept
        return gathering

    def _settle(self) -> None:
        """Say of a release whose champion was exchanged by another hand that it is over."""
        releases = self._bench.registry.releases
        left, champion = releases.open(), self._bench.deployments.champion()
        if left is None or champion is None or champion.cause == left.beside:
            return
        own = champion.version == left.challenger
        outcome: Outcome = "promoted" if own else "ended"
        releases.end(left, outcome, f"version {champion.version.number} became champion", "loop")

    def _act(self, release: Release, gathering: Gathering, found: Judgement) -> ReleaseNews | None:
        outcome: Outcome | None = None
        if found.action == "promote":
            outcome = self._promote(release, gathering, found.reason)
            if outcome is None:
                return self._tell_once(release, gathering, found.reason)
        elif found.action in ("roll back", "end"):
            outcome = "rolled back" if found.action == "roll back" else "ended"
            self._bench.registry.releases.end(release, outcome, found.reason, "loop")
        elif release.strategy == "bandit":
            self._move(release, gathering)
        if outcome is None:
            return None
        number = release.challenger.number
        self._bench.tell("release", f"version {number} {outcome}: {found.reason}")
        return _news(release, outcome, found.reason)

    def _promote(self, release: Release, gathering: Gathering, reason: str) -> Outcome | None:
        """Make the challenger champion, unless its release may not."""
        if not release.rules.promote:
            return None
        try:
            self._bench.deployments.promote(
                release.challenger,
                f"{release.strategy}: {reason}",
                "loop",
                f"{release.id}/promote",
                override=release.override,
            )
        except BlockedError:  # a shadow may be one that its verdict blocked: a person decides
            return None
        self._bench.registry.releases.end(release, "promoted", reason, "loop")
        return "promoted"

    def _tell_once(self, release: Release, gathering: Gathering, reason: str) -> ReleaseNews | None:
        if gathering.evidence.told:
            return None
        words = f"{reason}; promote it with gleis promote v{release.challenger.number}"
        gathering.evidence.told = words
        self._bench.tell("release", f"version {release.challenger.number}: {words}")
        return _news(release, None, words)

    def _move(self, release: Release, gathering: Gathering) -> None:
        comparison = gathering.evidence.comparison
        better = probability_better(
            comparison.champion,
            comparison.challenger,
            higher=release.rules.higher,
            bounds=comparison.bounds,
        )
        share = round(share_to_play(better, release.least), 3)
        if abs(share - release.share) < _STEP:
            return
        rows = comparison.champion.rows + comparison.challenger.rows
        reason = f"better with probability {better:.3f} after {rows:,} labelled rows"
        self._bench.registry.releases.move(release, share, reason, "loop", f"{rows}/{share}")

    def _shadow(self, release: Release) -> dict[str, int] | None:
        counts = read_counts(self._bench.home)
        if release.answers or counts is None or counts.release != release.id:
            return None
        return {
            "scored": counts.scored,
            "passed_over": counts.passed_over,
            "refused": counts.refused,
            "failed": counts.failed,
            "behind": self._bench.home.log.behind(counts.seen),
        }


def rules_of(settings: ReleaseSettings) -> Rules:
    """Turn ``[release]`` into the rules that a release keeps to its end."""
    higher = settings.direction == "higher" or settings.metric == "accuracy"
    return Rules(
        metric=settings.metric,
        higher=higher,
        margin=settings.margin,
        watch=settings.watch,
        false_rollbacks=settings.false_rollbacks,
        false_promotions=settings.false_promotions,
        tolerance=settings.tolerance,
        slow=parse_duration(settings.slow, "release.slow").total_seconds(),
        score_shift=settings.score_shift,
        min_rows=settings.min_rows,
        horizon=parse_duration(settings.horizon, "release.horizon").total_seconds(),
        promote=settings.promote,
    )


def start_release(
    bench: Workbench,
    strategy: Trial,
    challenger: Version,
    reason: str,
    by: str,
    cause: str,
    *,
    share: float | None = None,
    override: str | None = None,
) -> Release:
    """Try a version beside the champion by the project's rules.

    Parameters
    ----------
    share : float, optional
        By default that of ``[release]``, or what is usual for the strategy.

    Raises
    ------
    RegistryError
        The two cannot be compared: other features, another task or other classes.
    BlockedError
        The version did not pass, would answer, and there is no override.
    """
    settings = bench.settings.release
    live = bench.deployments.champion()
    if live is not None:
        _check_alike(bench, live.version, challenger, strategy)
    if strategy == "shadow":
        chosen, least = 1.0, 0.5
    else:
        declared = settings.share if settings.strategy == strategy else None
        chosen = share or declared or _SHARES[strategy]
        floor = settings.floor if strategy == "bandit" else 0.5
        least = min(chosen, 1.0 - chosen, floor)
    return bench.registry.releases.start(
        strategy,
        challenger,
        chosen,
        rules_of(settings),
        reason,
        by,
        cause,
        least=least,
        override=override,
    )


def end_running(bench: Workbench, outcome: Outcome, reason: str, by: str) -> Release | None:
    """End the running release; return it, None if there was none."""
    release = bench.registry.releases.open()
    if release is not None:
        bench.registry.releases.end(release, outcome, reason, by)
    return release


def described(release: Release) -> dict[str, Any]:
    """Return a release in plain types."""
    return {
        "release": release.id,
        "strategy": release.strategy,
        "champion": release.champion.number,
        "challenger": release.challenger.number,
        "share": release.share if release.answers else 0.0,
        "since": release.at.isoformat(),
        "reason": release.reason,
        "by": release.by,
        "rules": msgspec.to_builtins(release.rules),
    }


def _check_alike(
    bench: Workbench, champion: Version, challenger: Version, strategy: Strategy
) -> None:
    ours, theirs = (read_parts(bench, version).contract for version in (champion, challenger))
    difference = _difference(ours, theirs, exactly=strategy != "shadow")
    if difference is not None:
        raise RegistryError(
            f"Version {challenger.number} cannot be tried beside version {champion.number}: "
            f"{difference}",
            seen=strategy,
            remedy=f"Both would look up the champion's: gleis promote {challenger.number}."
            if "otherwise" in difference
            else "Clients send the champion's features: promote it when they can send its own.",
        )


def _difference(ours: Contract, theirs: Contract, *, exactly: bool) -> str | None:
    if (ours.task, ours.classes) != (theirs.task, theirs.classes):
        return "it answers another question"
    known = {column.name: column for column in ours.features}
    for column in theirs.features:
        if column.name not in known:
            return f"it needs `{column.name}`"
        if column.kind != known[column.name].kind:
            return f"`{column.name}` is {column.kind}, not {known[column.name].kind}"
        if known[column.name].nullable and not column.nullable:
            return f"`{column.name}` may be missing for the champion, not for it"
    here, there = (_origins(contract) for contract in (ours, theirs))
    if exactly and here != there:
        return "it looks its features up otherwise"
    # A shadow is shown what the champion's lookups found.
    other = [name for name in there if name in here and here[name] != there[name]]
    if other:
        return f"it looks `{other[0]}` up otherwise"
    extra = known.keys() - set(theirs.names)
    return f"it does not take `{min(extra)}`" if extra and exactly else None


def _origins(contract: Contract) -> dict[str, ViewUse | Computed]:
    return {} if contract.served is None else contract.served.origins


def _side(side: Side) -> dict[str, float | None]:
    return {
        "rows": side.answered,
        "fallbacks": side.fallbacks,
        "seconds_per_row": side.seconds / side.answered if side.answered else None,
    }


def _news(release: Release, outcome: Outcome | None, reason: str) -> ReleaseNews:
    return ReleaseNews(
        challenger=release.challenger.number,
        strategy=release.strategy,
        outcome=outcome,
        reason=reason,
    )
