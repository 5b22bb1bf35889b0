"""Which columns the model may see."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from gleis.config.durations import is_duration
from gleis.config.mitigating import find_mitigation
from gleis.contracts.errors import DataError

if TYPE_CHECKING:
    from gleis.config.settings import Settings


def feature_names(columns: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """Return the features among ``columns``, in their order.

    All columns but id, time, target, group, moments of ``features.available_at`` and
    ``features.exclude``; if ``features.include`` is given, only those. A mitigation that decides
    by group adds the columns it is for: a request must carry them, though the model inside does
    not see them.

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
    hidden = hidden_columns(columns, settings)
    features = tuple(
        name
        for name in columns
        if name in hidden or (name not in reserved and _wanted(name, settings))
    )
    if not features:
        raise DataError(
            "No feature is left beside id, time, target, group and features.exclude",
            seen=list(columns),
            remedy="Let load return columns to predict from, or mend [features].",
            field="features",
        )
    return features


def hidden_columns(columns: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """Return the columns that only a mitigation sees, with every prediction.

    Raises
    ------
    DataError
        If a column it is for is not there, or is the target, the id or the time.

    Examples
    --------
    >>> from gleis.config.settings import FairnessSettings, FeatureSettings
    >>> from gleis.config.settings import ProjectSettings, Settings
    >>> settings = Settings(
    ...     project=ProjectSettings(name="p", module="p", task="binary", target="paid"),
    ...     features=FeatureSettings(exclude=("sex",)),
    ...     fairness=FairnessSettings(protected=("sex",), mitigate="reject_option"),
    ... )
    >>> hidden_columns(["sex", "income", "paid"], settings)
    ('sex',)
    >>> feature_names(["sex", "income", "paid"], settings)
    ('sex', 'income')
    """
    fairness = settings.fairness
    if fairness.mitigate is None or not find_mitigation(fairness.mitigate).by_group:
        return ()
    reserved = reserved_columns(settings)
    for name in fairness.mitigated_columns:
        if name not in columns:
            raise missing_column("fairness.protected", name, columns)
        if name in reserved:
            raise DataError(
                f"A mitigation cannot decide by the column of {reserved[name]}",
                seen=name,
                remedy="Take another protected column, or name it in fairness.mitigate_for.",
                field="fairness.protected",
            )
    return tuple(name for name in fairness.mitigated_columns if not _wanted(name, settings))


def _wanted(name: str, settings: Settings) -> bool:
    chosen = settings.features
    return name not in chosen.exclude and (not chosen.include or name in chosen.include)


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
        project.weight: "project.weight",
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
