"""What the loop and the backtest report."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gleis.contracts.alarm import Alarm, Decision
from gleis.contracts.deployment import Deployment, Version
from gleis.contracts.release import Outcome as ReleaseOutcome
from gleis.contracts.release import Trial
from gleis.contracts.run import Run
from gleis.lifecycle.html_table import html_table


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One journey from source data to the registry."""

    decision: Decision
    at: datetime
    run: Run
    version: Version
    promoted: bool
    released: Trial | None = None
    """How it is tried beside the champion, if that decides whether it is promoted."""
    unchanged: bool = False
    """True if all of it had been done before, and nothing was done now."""
    champion: int | None = None
    """Number of the version that answers now, where nothing was done."""


class ReleaseNews(msgspec.Struct, frozen=True, kw_only=True):
    """What one look made of the running release."""

    challenger: int
    strategy: Trial
    outcome: ReleaseOutcome | None
    """How it ended; None while it runs."""
    reason: str


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """What one look of the loop found and did."""

    at: datetime
    predictions: int
    """New predictions read from the log."""
    labels: int
    """New labels matched to predictions."""
    alarms: tuple[Alarm, ...] = ()
    recorded: tuple[Alarm, ...] = ()
    """Sure drifts that are harmless."""
    decision: Decision | None = None
    held: bool = False
    """True if the decision is new and something holds it back."""
    outcome: Outcome | None = None
    release: ReleaseNews | None = None
    """What became of the running release."""


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the predictions whose event fell into one week."""

    start: datetime
    rows: int
    figures: dict[str, float]
    """Without those that are undefined, such as the ROC AUC of a week with one class."""


class PolicyResult(msgspec.Struct, frozen=True, kw_only=True):
    """One policy, replayed."""

    policy: str
    figures: dict[str, float]
    """Over all labelled predictions."""
    rows: int
    weeks: tuple[Week, ...]
    retrainings: int
    promotions: tuple[Deployment, ...]
    alarms: tuple[Alarm, ...]
    decisions: tuple[Decision, ...]
    seconds: float
    """Wall-clock time of the replay."""
    refused: int = 0
    """Arrivals the service answered with 422 instead of a prediction; they are not measured."""
    refusal: str | None = None
    """What the first of them was told."""

    @property
    def false_alarms(self) -> int:
        """Alarms that the later check on fresh rows did not confirm."""
        return sum(alarm.confirmed is False for alarm in self.alarms)


class Backtest(msgspec.Struct, frozen=True, kw_only=True):
    """Policies side by side over the same history."""

    id: str
    project: str
    since: datetime
    until: datetime
    step: str
    metrics: tuple[str, ...]
    """The figures shown first."""
    policies: tuple[PolicyResult, ...]
    best: dict[str, str]
    """Figure -> policy that does best in it."""

    def _repr_html_(self) -> str:
        head = ["policy", *self.metrics, "retrainings", "promotions", "alarms", "false alarms"]
        rows = [
            [
                policy.policy,
                *(_figure(policy.figures.get(metric)) for metric in self.metrics),
                str(policy.retrainings),
                str(len(policy.promotions)),
                str(len(policy.alarms)),
                str(policy.false_alarms),
            ]
            for policy in self.policies
        ]
        return html_table([head, *rows])


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
