"""What a release's evidence calls for. Pure: a replayed decision is a live one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from gleis.contracts.release import Release
from gleis.monitoring.comparison import Comparison

Action = Literal["wait", "promote", "roll back", "end"]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about a release, and why."""

    action: Action
    reason: str


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """How much better the challenger is, in the metric's unit."""

    gain: float | None
    low: float | None
    """Above the true gain, ever, with probability at most ``false_promotions``."""
    high: float | None
    """Below it, ever, with probability at most the loss's part of ``false_rollbacks``."""


def interval(release: Release, comparison: Comparison) -> Interval:
    """Return the bounds that hold at every moment; None before the first labelled row."""
    if not comparison.challenger.rows or not comparison.champion.rows:
        return Interval(gain=None, low=None, high=None)
    rules = release.rules
    return Interval(
        gain=comparison.gain,
        low=comparison.low(rules.false_promotions),
        high=comparison.high(rules.alpha("loss") or rules.false_rollbacks),
    )


def judge(
    release: Release,
    comparison: Comparison,
    scores: dict[str, Comparison],
    deviations: dict[str, float],
    now: datetime,
) -> Judgement:
    """Decide about a running release.

    ========  ======================================  =========================================
    strategy  promoted when                           ended when
    ========  ======================================  =========================================
    canary    surely not worse by ``margin``          the horizon is over
    others    surely better                           surely no gain of ``margin``, or horizon
    ========  ======================================  =========================================

    Every strategy is rolled back when ``watch`` names the loss and it is surely worse, or names
    ``score_shift`` and the scores surely lie too far from the champion's. "Surely" means that the
    bound of a confidence sequence says so.
    """
    shifted = _shifted(release, scores, deviations)
    if shifted is not None:
        return Judgement(action="roll back", reason=shifted)
    rules = release.rules
    found = interval(release, comparison)
    enough = min(comparison.challenger.rows, comparison.champion.rows) >= rules.min_rows
    if enough and found.low is not None and found.high is not None:
        words = describe(release, comparison, found)
        if "loss" in rules.watch and found.high < 0.0:
            return Judgement(action="roll back", reason=f"surely worse: {words}")
        needed = -rules.margin if release.strategy == "canary" else 0.0
        if found.low > needed:
            why = "surely not worse" if release.strategy == "canary" else "surely better"
            return Judgement(action="promote", reason=f"{why}: {words}")
        if release.strategy != "canary" and found.high < rules.margin:
            return Judgement(action="end", reason=f"surely no gain of {rules.margin:g}: {words}")
    if (now - release.at).total_seconds() >= rules.horizon:
        return Judgement(
            action="end", reason=f"its time is over: {describe(release, comparison, found)}"
        )
    return Judgement(action="wait", reason=_waits(release, comparison, found, enough))


def describe(release: Release, comparison: Comparison, found: Interval) -> str:
    """Say what the metric shows: ``gain in loss 0.012, at least 0.004 and at most 0.021``."""
    rows = (
        f"{comparison.challenger.rows:,} labelled rows of v{release.challenger.number}, "
        f"{comparison.champion.rows:,} of v{release.champion.number}"
    )
    if found.gain is None or found.low is None or found.high is None:
        return f"no labels to compare by ({rows})"
    return (
        f"gain in {release.rules.metric} {found.gain:.4g}, at least {found.low:.4g} and at most "
        f"{found.high:.4g} ({rows})"
    )


def shift_of(comparison: Comparison, deviation: float) -> float | None:
    """Return by how many standard deviations the challenger's scores are higher."""
    if not comparison.challenger.rows or not comparison.champion.rows or deviation <= 0.0:
        return None
    return comparison.gain / deviation


def _shifted(
    release: Release, scores: dict[str, Comparison], deviations: dict[str, float]
) -> str | None:
    alpha = release.rules.alpha("score_shift")
    if not alpha:
        return None
    for name, comparison in scores.items():
        rows = min(comparison.challenger.rows, comparison.champion.rows)
        if rows < release.rules.min_rows or deviations[name] <= 0.0:
            continue
        each, allowed = alpha / (2 * len(scores)), release.rules.score_shift * deviations[name]
        if comparison.low(each) > allowed or comparison.high(each) < -allowed:
            shift = comparison.gain / deviations[name]
            return (
                f"`{name}` lies {shift:+.2f} standard deviations beside the champion's, "
                f"{release.rules.score_shift:g} are allowed"
            )
    return None


def _waits(release: Release, comparison: Comparison, found: Interval, enough: bool) -> str:
    words = describe(release, comparison, found)
    if enough:
        return f"not sure yet: {words}"
    return f"looks from {release.rules.min_rows:,} labelled rows of each on: {words}"


def summary(
    release: Release, comparison: Comparison, judgement: Judgement, now: datetime
) -> dict[str, Any]:
    """Return the comparison in plain types."""
    found = interval(release, comparison)
    arms = {"champion": comparison.champion, "challenger": comparison.challenger}
    return {
        "metric": release.rules.metric,
        "higher_is_better": release.rules.higher,
        "labelled": {name: arm.rows for name, arm in arms.items()},
        "mean": {name: arm.weighted_mean if arm.rows else None for name, arm in arms.items()},
        "gain": found.gain,
        "gain_at_least": found.low,
        "gain_at_most": found.high,
        "days": (now - release.at).total_seconds() / 86400.0,
        "action": judgement.action,
        "reason": judgement.reason,
    }
