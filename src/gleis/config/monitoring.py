"""What types alone cannot say about the settings of monitors, alarms and triggers."""

from __future__ import annotations

from gleis.config.durations import parse_duration, parse_rate
from gleis.config.settings import MonitorSettings, Settings
from gleis.config.triggers import check_schedule
from gleis.contracts.errors import ConfigError


def check_monitoring(settings: Settings) -> None:
    """Check ``[monitor]``.

    Raises
    ------
    ConfigError
        Naming the key, the value and the remedy.
    """
    monitor = settings.monitor
    parse_rate(monitor.false_alarms, "monitor.false_alarms")
    parse_duration(monitor.window, "monitor.window")
    if monitor.matures is not None:
        parse_duration(monitor.matures, "monitor.matures")
    if not 0 <= monitor.coverage < 1:
        raise ConfigError(
            "monitor.coverage is not between 0 and 1",
            seen=monitor.coverage,
            remedy="Write the share of labels that must come, such as 0.5; 0 never alarms.",
            field="monitor.coverage",
        )
    if monitor.joint_at != MonitorSettings().joint_at:  # what reads cron lines takes time to load
        check_schedule(monitor.joint_at, "monitor.joint_at")
    if not 200 <= monitor.joint_rows <= 20_000:
        raise ConfigError(
            "monitor.joint_rows is not between 200 and 20000",
            seen=monitor.joint_rows,
            remedy="Take a value in between, or leave it out for 2000.",
            field="monitor.joint_rows",
        )
    if monitor.season is not None and settings.project.time is None:
        raise ConfigError(
            "monitor.season needs project.time",
            remedy="Name the column of the event time under [project].",
            field="project.time",
        )
    loss = settings.triggers.performance
    if loss is not None and loss.since_change is not None and settings.project.time is None:
        raise ConfigError(
            "triggers.performance.since_change needs project.time",
            remedy="Name the column of the event time under [project].",
            field="project.time",
        )
