"""What types alone cannot say about the settings of triggers."""

from __future__ import annotations

from gleis.config.durations import parse_budget, parse_duration, parse_every, parse_rate
from gleis.config.quiet import QuietHours
from gleis.config.settings import DriftTrigger, PerformanceTrigger, TriggerSettings
from gleis.contracts.errors import ConfigError

_SCHEDULE = "triggers.schedule"
_FEWEST = 50
"""Labels to train on after a change."""


def check_triggers(triggers: TriggerSettings) -> None:
    """Check ``[triggers]``.

    Raises
    ------
    ConfigError
        Naming the key, the value and the remedy.
    """
    parse_duration(triggers.cooldown, "triggers.cooldown")
    if triggers.budget is not None:
        parse_budget(triggers.budget, "triggers.budget")
    if triggers.quiet:
        QuietHours(triggers.quiet)
    if triggers.schedule is not None:
        check_schedule(triggers.schedule)
    if triggers.new_labels is not None and triggers.new_labels < 1:
        raise ConfigError(
            "triggers.new_labels is not positive",
            seen=triggers.new_labels,
            remedy="Write how many new labels start a retraining, or leave it out.",
            field="triggers.new_labels",
        )
    _check_alarming("drift", triggers.drift)
    _check_alarming("performance", triggers.performance)
    wanted = triggers.performance.since_change if triggers.performance is not None else None
    if wanted is not None and wanted < _FEWEST:
        raise ConfigError(
            "triggers.performance.since_change is too few labels to train on",
            seen=wanted,
            remedy=f"Write {_FEWEST} or more, or leave it out.",
            field="triggers.performance.since_change",
        )


def _check_alarming(name: str, trigger: DriftTrigger | PerformanceTrigger | None) -> None:
    if trigger is None:
        return
    parse_rate(trigger.false_alarms, f"triggers.{name}.false_alarms")
    if trigger.block is not None:
        parse_duration(trigger.block, f"triggers.{name}.block")
    if not 0 <= trigger.min_effect < float("inf"):
        raise ConfigError(
            f"triggers.{name}.min_effect is not a size",
            seen=trigger.min_effect,
            remedy="Write 0 or more; 0 alarms however small a sure change is.",
            field=f"triggers.{name}.min_effect",
        )


def check_schedule(line: str, key: str = _SCHEDULE) -> None:
    """Check a cron line or ``every 30d``.

    Raises
    ------
    ConfigError
        If ``line`` is neither, or its moment never comes; ``key`` is named.
    """
    if line.startswith("every "):
        if not parse_every(line, key):
            raise _no_schedule(line, key, "leaves no time between two moments")
        return
    if len(line.split()) != 5:
        raise _no_schedule(line, key, "is neither a cron line nor an interval")
    from croniter import CroniterError, croniter  # 0.05 s; most commands meet no cron line

    try:
        croniter(line).get_next()
    except CroniterError as error:
        raise _no_schedule(line, key, f"names no moment ({error})") from error


def _no_schedule(line: str, key: str, what: str) -> ConfigError:
    return ConfigError(
        f"{key} {what}",
        seen=line,
        remedy='Write five cron fields, such as "0 3 1 * *", or "every 30d".',
        field=key,
    )
