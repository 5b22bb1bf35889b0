"""Which columns the model may see."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from gleis.config.durations import is_duration
from gleis.contracts.errors import DataError

if TYPE_CHECKING:
    from gleis.config.settings import Settings


def feature_names(columns: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """Return the features among ``columns``, in their order.

    All columns but id, time, target, group, moments of ``features.available_at`` and
    ``features.exclude``; if ``features.include`` is
    given, only those.

    Parameters
    ----------
    columns : sequence of str
        Columns of the table.
    settings : Settings
        ``[project]``, ``[split]`` and ``[features]`` are read.

    Raises
    ------
    DataError
        If ``features.include`` or ``features.exclude`` names a column that is not there, or if
        nothing is left.

    Examples
    --------
    >>> from gleis.config.settings import ProjectSettings, Settings
    >>> project = ProjectSettings(name="p", module="p", task="binary", target="late", id="id")
    >>> feature_names(["id", "temp", "wind", "late"], Settings(project=project))
    ('temp', 'wind')
    """
    chosen = settings.features
    for key, names in (("include", chosen.include), ("exclude", chosen.exclude)):
        for name in names:
            if name not in columns:
                raise missing_column(f"features.{key}", name, columns)
    reserved = reserved_columns(settings)
    features = tuple(
        name
        for name in columns
        if name not in reserved
        and name not in chosen.exclude
        and (not chosen.include or name in chosen.include)
    )
    if not features:
        raise DataError(
            "No feature is left beside id, time, target, group and features.exclude",
            seen=list(columns),
            remedy="Let load return columns to predict from, or mend [features].",
            field="features",
        )
    return features


def reserved_columns(settings: Settings) -> dict[str, str]:
    """Map each column with a role to the key that names it; none of them is a feature."""
    project = settings.project
    moments = {
        when: f"features.available_at.{name}"
        for name, when in settings.features.available_at.items()
        if not is_duration(when)
    }
    roles = moments | {
        project.target: "project.target",
        project.id: "project.id",
        project.time: "project.time",
        settings.split.group: "split.group",
    }
    return {name: key for name, key in roles.items() if name is not None}


def missing_column(key: str, name: str, present: Sequence[str]) -> DataError:
    """Make the error for a column that ``key`` of ``gleis.toml`` names and the rows lack."""
    near = get_close_matches(name, present, n=1)
    guess = f" Did you mean {near[0]!r}?" if near else ""
    return DataError(
        f"The column that {key} names is not among the rows",
        seen=name,
        remedy=f"Columns: {', '.join(present) or 'none'}.{guess}",
        field=name,
    )
