"""What a choice among replayed policies weighs, for terminal and page alike."""

from __future__ import annotations

import msgspec

from gleis.evidence.metrics import METRICS
from gleis.lifecycle.backtests.frontier import Difference, difference
from gleis.lifecycle.results import Backtest, PolicyResult


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """One policy, as a choice sees it."""

    result: PolicyResult
    figure: float | None
    """The first figure of the backtest."""
    gap: Difference | None
    """To the policy that does best in it; None for that one."""
    frontier: bool

    @property
    def gap_words(self) -> str | None:
        """``+0.0016 (+0.0003 to +0.0029)``."""
        gap = self.gap
        if gap is None:
            return None
        return f"{gap.value:+.4f} ({gap.low:+.4f} to {gap.high:+.4f})"


def weigh(backtest: Backtest) -> list[Weighed]:
    """Return the policies by retrainings, fewest first, then by the first figure."""
    metric = backtest.metrics[0]
    best = backtest.find(backtest.best[metric]) if metric in backtest.best else None
    sign = METRICS[metric].sign
    found = [
        Weighed(
            result=one,
            figure=one.figures.get(metric),
            gap=difference(one, best, metric) if best not in (None, one) else None,
            frontier=one.policy in backtest.frontier,
        )
        for one in backtest.policies
    ]
    return sorted(found, key=lambda one: (one.result.retrainings, -sign * (one.figure or 0.0)))


def choice_notes(backtest: Backtest) -> list[str]:
    """Return the sentences without which the table would say too much."""
    metric = backtest.metrics[0]
    notes = [
        f"on the frontier: no other policy here is as good in {metric} with as few retrainings, "
        "and better in one; nothing is recommended, what a retraining is worth is yours to say",
        "to the best: 95% interval, whole weeks drawn anew; one that holds 0 is no difference",
        _delays(backtest),
        *_alike(backtest),
    ]
    if backtest.split is None:
        notes.append(
            f"the best of {len(backtest.policies)} policies on a stretch is partly the luckiest "
            "and will do less well elsewhere; a split chooses on one part and judges on the other"
        )
    else:
        notes.append(_judged(backtest))
    return notes


def _alike(backtest: Backtest) -> list[str]:
    """Say which policies did the same at every step: their difference made none here."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for one in backtest.policies:
        groups.setdefault(one.lived, []).append(one.policy)
    return [
        f"{', '.join(f'“{name}”' for name in group)} did the same at every step"
        for group in groups.values()
        if len(group) > 1
    ]


def _delays(backtest: Backtest) -> str:
    if backtest.changes:
        return (
            "delay: median days from a change that was named to the first alarm after it; stale: "
            "share of the time in which the model knew no row since the last of them"
        )
    return (
        "delay: median days from when a confirmed alarm says that its change began, to that alarm; "
        "no change was named, so what no alarm found is not in it"
    )


def _judged(backtest: Backtest) -> str:
    metric = backtest.metrics[0]
    if backtest.chosen is None or backtest.split is None:
        return f"before the split no policy has a {metric}"
    chosen = backtest.find(backtest.chosen)
    known = [one for one in backtest.policies if metric in one.parts[1].figures]
    before, after = (part.figures.get(metric) for part in chosen.parts)
    alike = [one.policy for one in backtest.policies if one.parts[0].figures.get(metric) == before]
    also = f" (with {len(alike) - 1} that it cannot be told from)" if len(alike) > 1 else ""
    said = (
        f"before {backtest.split:%Y-%m-%d} “{chosen.policy}” did best{also}: {metric} {before:.4f}"
    )
    if after is None:
        return f"{said}; after it there is none"
    order = sorted(known, key=lambda one: -METRICS[metric].sign * one.parts[1].figures[metric])
    place = [one.policy for one in order].index(chosen.policy) + 1
    best = order[0]
    there = f"{said}; after it, where it was not chosen, {after:.4f}, place {place} of {len(order)}"
    if best.policy == chosen.policy:
        return there
    return f"{there} (“{best.policy}” {best.parts[1].figures[metric]:.4f})"
