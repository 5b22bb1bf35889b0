"""Policies: when to retrain, as settings, so that a replayed policy is a live one."""

from __future__ import annotations

import msgspec

from gleis.config.settings import TriggerSettings
from gleis.config.triggers import check_schedule
from gleis.contracts.errors import ConfigError

_NAMED = {
    "hourly": "0 * * * *",
    "daily": "0 0 * * *",
    "weekly": "0 0 * * 1",
    "monthly": "0 0 1 * *",
}


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What starts a retraining, under a name."""

    name: str
    triggers: TriggerSettings
    varied: dict[str, str] = {}
    """Key -> value, as written, of a point of a grid: ``triggers.cooldown`` -> ``7d``."""

    def watched(self, project: TriggerSettings) -> TriggerSettings:
        """Return what its monitors watch by.

        Those of its triggers by their own settings; the others as the project says, so that a
        policy that acts on no alarm still shows which there would have been.
        """
        return msgspec.structs.replace(
            self.triggers,
            drift=self.triggers.drift or project.drift,
            performance=self.triggers.performance or project.performance,
        )


def read_policy(text: str, project: TriggerSettings) -> Policy:
    """Return the policy of a name.

    Parameters
    ----------
    text : str
        ``never``, ``project`` (the triggers of ``gleis.toml``), ``hourly``, ``daily``, ``weekly``,
        ``monthly``, ``every 30d``, or a cron line.
    project : TriggerSettings
        The project's own.

    Raises
    ------
    ConfigError
        If ``text`` is none of these.

    Examples
    --------
    >>> read_policy("every 30d", TriggerSettings()).triggers.schedule
    'every 30d'
    """
    return Policy(name=text, triggers=_triggers(text, project))


def _triggers(text: str, project: TriggerSettings) -> TriggerSettings:
    if text == "never":
        return TriggerSettings()
    if text == "project":
        return project
    if text in _NAMED:
        return TriggerSettings(schedule=_NAMED[text])
    if text.startswith("every ") or len(text.split()) == 5:
        check_schedule(text, "--policy")
        return TriggerSettings(schedule=text)
    raise ConfigError(
        "--policy is not known",
        seen=text,
        remedy='Write never, project, daily, weekly, monthly, "every 30d" or a cron line.',
        field="--policy",
    )
