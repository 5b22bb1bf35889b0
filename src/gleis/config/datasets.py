"""Which datasets a project has: its own, and the tables beside it."""

from __future__ import annotations

import codecs
import re
from datetime import timedelta
from difflib import get_close_matches

from gleis.config.data_settings import DatasetSettings
from gleis.config.durations import parse_duration
from gleis.config.settings import Settings
from gleis.contracts.dataset import DatasetSpec
from gleis.contracts.errors import ConfigError, RegistryError

LOG = "log"
"""``from`` of a dataset that is made of the prediction log."""
_SHORTEST = timedelta(seconds=1)


def dataset_spec(settings: Settings, name: str | None = None) -> DatasetSpec:
    """Return what a project says of one of its datasets.

    Parameters
    ----------
    settings : Settings
    name : str, optional
        Of ``[datasets.NAME]``; by default, or by the project's name, the project's own.

    Raises
    ------
    RegistryError
        If the project has no dataset of that name.

    Examples
    --------
    >>> from gleis.config.settings import ProjectSettings
    >>> project = ProjectSettings(name="p", module="p", task="binary", target="late", id="id")
    >>> dataset_spec(Settings(project=project)).target
    'late'
    """
    project = settings.project
    if name is None or name == project.name:
        return DatasetSpec(
            name=project.name,
            id=project.id,
            time=project.time,
            target=project.target,
            subject=settings.data.subject or project.id,
        )
    if (found := settings.datasets.get(name)) is None:
        known = [project.name, *settings.datasets]
        near = get_close_matches(name, known, n=1)
        raise RegistryError(
            "The project has no dataset of this name",
            seen=name,
            remedy=f"{f'Did you mean {near[0]}? ' if near else ''}It has {', '.join(known)}; "
            f"[datasets.{name}] in gleis.toml makes one.",
        )
    if found.source == LOG:
        return _answered(settings, name, found)
    return DatasetSpec(
        name=name,
        id=found.id,
        time=found.time,
        known=found.known,
        subject=found.subject,
        source=found.source,
    )


def _answered(settings: Settings, name: str, found: DatasetSettings) -> DatasetSpec:
    """Return the spec of a dataset made of answers; its columns are known."""
    project = settings.project
    return DatasetSpec(
        name=name,
        id=found.id or "prediction_id",
        time=found.time or project.time or "answered_at",
        known=found.known or "label_known_at",
        subject=found.subject or project.id,  # the log does not know whom a row is about
        source=LOG,
    )


def dataset_specs(settings: Settings) -> list[DatasetSpec]:
    """Return all datasets of a project, its own first."""
    return [dataset_spec(settings, name) for name in (None, *settings.datasets)]


def check_datasets(settings: Settings) -> None:
    """Check names and columns of ``[datasets.NAME]`` and the keys of ``[data]``.

    Raises
    ------
    ConfigError
        Naming the key, the value and the remedy.
    """
    for name, found in settings.datasets.items():
        key = f"datasets.{name}"
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name) or name == settings.project.name:
            raise ConfigError(
                f"[{key}] cannot be the name of a dataset beside the project's own",
                seen=name,
                remedy="Take letters, digits, - and _, and another name than the project's.",
                field=key,
            )
        if found.known is not None and found.time is None:
            raise ConfigError(
                f"{key}.known needs {key}.time",
                remedy="Name the column of the event time too.",
                field=f"{key}.time",
            )
        _check_source(found, key)
    if not 0 <= settings.data.max_failing <= 1:
        raise ConfigError(
            "data.max_failing is no share",
            seen=settings.data.max_failing,
            remedy="Write a number between 0 and 1.",
            field="data.max_failing",
        )


def _check_source(found: DatasetSettings, key: str) -> None:
    if found.at_least is not None and (found.source != LOG or found.at_least < 1):
        raise ConfigError(
            f'{key}.at_least is for from = "log", and at least 1',
            seen=found.at_least,
            remedy="Leave it out, or write how many labelled answers make a version.",
            field=f"{key}.at_least",
        )
    if found.every is not None:
        if found.source is None:
            raise ConfigError(
                f"{key}.every needs {key}.from",
                remedy="Name the source that is to be read.",
                field=f"{key}.from",
            )
        if parse_duration(found.every, f"{key}.every") < _SHORTEST:
            raise ConfigError(
                f"{key}.every is too short",
                seen=found.every,
                remedy="Write at least 1s.",
                field=f"{key}.every",
            )
    if len(found.csv.separator.encode()) != 1:
        raise ConfigError(
            f"{key}.csv.separator is not one character",
            seen=found.csv.separator,
            remedy='Write ",", ";", "|" or "\\t".',
            field=f"{key}.csv.separator",
        )
    try:
        codecs.lookup(found.csv.encoding)
    except LookupError:
        raise ConfigError(
            f"{key}.csv.encoding is not known",
            seen=found.csv.encoding,
            remedy="Write utf-8, latin-1, cp1252 or another name that Python knows.",
            field=f"{key}.csv.encoding",
        ) from None
