"""Policies: when to retrain, as settings, so that a replayed policy is a live one."""

from __future__ import annotations

from gleis.config.durations import parse_every
from gleis.config.settings import TriggerSettings
from gleis.contracts.errors import ConfigError

_NAMED = {
    "hourly": "0 * * * *",
    "daily": "0 0 * * *",
    "weekly": "0 0 * * 1",
    "monthly": "0 0 1 * *",
}


def policy_triggers(policy: str, project: TriggerSettings) -> TriggerSettings:
    """Return the triggers of a policy.

    Parameters
    ----------
    policy : str
        ``never``, ``project`` (the triggers of ``gleis.toml``), ``daily``, ``weekly``,
        ``monthly``, ``every 30d``, or a cron line.
    project : TriggerSettings
        The project's own.

    Raises
    ------
    ConfigError
        If ``policy`` is none of these.

    Examples
    --------
    >>> policy_triggers("every 30d", TriggerSettings()).schedule
    'every 30d'
    """
    if policy == "never":
        return TriggerSettings()
    if policy == "project":
        return project
    if policy in _NAMED:
        return TriggerSettings(schedule=_NAMED[policy])
    if policy.startswith("every "):
        parse_every(policy, "--policy")
        return TriggerSettings(schedule=policy)
    if len(policy.split()) == 5:
        return TriggerSettings(schedule=policy)
    raise ConfigError(
        "--policy is not known",
        seen=policy,
        remedy='Write never, project, daily, weekly, monthly, "every 30d" or a cron line.',
        field="--policy",
    )
