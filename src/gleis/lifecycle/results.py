"""What the loop and the backtest report."""

from __future__ import annotations

from datetime import datetime
from statistics import median

import msgspec

from gleis.config.settings import TriggerSettings
from gleis.contracts.alarm import Alarm, Decision
from gleis.contracts.deployment import Deployment, Version
from gleis.contracts.ingest import Ingested
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
    ingested: tuple[Ingested, ...] = ()
    """What sources of datasets brought before this look."""


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the predictions whose event fell into one week."""

    start: datetime
    rows: int
    figures: dict[str, float]
    """Without those that are undefined, such as the ROC AUC of a week with one class."""


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """A change, and the first alarm after it."""

    change: datetime
    given: bool
    """True if whoever asked for the backtest named the change. False if it is when an alarm that
    the later check confirmed says that it began."""
    alarm: str | None = None
    """Id of the alarm; None if none came before the next change."""
    at: datetime | None = None
    """When it was raised."""

    @property
    def days(self) -> float | None:
        """Days from the change to the alarm."""
        return (self.at - self.change).total_seconds() / 86400 if self.at is not None else None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one part of the stretch."""

    since: datetime
    until: datetime
    rows: int
    figures: dict[str, float]
    retrainings: int


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
    triggers: TriggerSettings | None = None
    """What started its retrainings."""
    varied: dict[str, str] = {}
    """Key -> value, as written, if it is a point of a grid."""
    cpu_seconds: float = 0.0
    """CPU time of the replay, with what its retrainings had to compute anew."""
    fit_seconds: float = 0.0
    """CPU time that its candidates took to be fitted and examined, when they were: by this policy
    or by another that trained on the same rows."""
    detections: tuple[Detection, ...] = ()
    age_days: float | None = None
    """Mean age of the champion's newest row, over the stretch."""
    stale: float | None = None
    """Share of the stretch in which the champion knew no row from after the latest of the changes
    that were named; None without any."""
    parts: tuple[Part, ...] = ()
    """Before and after the moment of a split."""

    @property
    def lived(self) -> tuple[object, ...]:
        """What it came to; two policies with the same did the same at every step."""
        promoted = tuple(promotion.at for promotion in self.promotions)
        figures = tuple(tuple(week.figures.items()) for week in self.weeks)
        return (figures, promoted, self.retrainings)

    @property
    def false_alarms(self) -> int:
        """Alarms that the later check on fresh rows did not confirm."""
        return sum(alarm.confirmed is False for alarm in self.alarms)

    @property
    def found(self) -> int:
        """Changes that an alarm followed."""
        return sum(one.at is not None for one in self.detections)

    @property
    def delay_days(self) -> float | None:
        """Median of the days from a change to its alarm; None if no change was found."""
        days = [one.days for one in self.detections if one.days is not None]
        return median(days) if days else None


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
    frontier: tuple[str, ...] = ()
    """Policies that no other beats in both the first figure and the number of retrainings."""
    grid: tuple[str, ...] = ()
    """Settings that were varied."""
    changes: tuple[datetime, ...] = ()
    """Changes that were named."""
    split: datetime | None = None
    chosen: str | None = None
    """The policy that did best in the first figure before the split."""

    def find(self, policy: str) -> PolicyResult:
        """Return the result of a policy.

        Raises
        ------
        KeyError
            If it was not replayed.
        """
        return {one.policy: one for one in self.policies}[policy]

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
