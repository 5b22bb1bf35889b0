"""What types alone cannot say about the settings by which leaks are looked for."""

from __future__ import annotations

from gleis.config.durations import is_duration
from gleis.config.settings import Settings
from gleis.contracts.errors import ConfigError


def check_leakage(settings: Settings) -> None:
    """Check ``evidence.groups`` and ``features.available_at``.

    Raises
    ------
    ConfigError
        Naming the key, the value and the remedy.
    """
    project = settings.project
    for name in settings.evidence.groups or ():
        if name in (project.target, project.time):
            raise ConfigError(
                "evidence.groups holds the target or the time",
                seen=name,
                remedy="Name columns whose rows belong together, such as a machine or a patient.",
                field="evidence.groups",
            )
    for name, when in settings.features.available_at.items():
        key = f"features.available_at.{name}"
        if not when.strip() or when[:1].isdigit() or when[:1] in "+-":
            _check_duration(when, key)
        if not is_duration(when) and project.time is None:
            raise ConfigError(
                f"{key} names a column, which needs project.time to be held against",
                seen=when,
                remedy="Name the column of the event time under [project], or write a duration.",
                field="project.time",
            )


def _check_duration(text: str, key: str) -> None:
    if not is_duration(text):
        raise ConfigError(
            f"{key} is neither a duration nor a column",
            seen=text,
            remedy="Write when it is known after the event, such as 0s or 6h, or name the column "
            "with the moment.",
            field=key,
        )
