"""What ``fairness.mitigate`` asks for, and whether it can be had."""

from __future__ import annotations

from difflib import get_close_matches

from gleis.config.settings import Settings
from gleis.contracts.errors import ConfigError
from gleis.contracts.mitigation import MITIGATIONS, Mitigation


def check_mitigation(settings: Settings) -> None:
    """Check the mitigation of ``[fairness]``.

    Raises
    ------
    ConfigError
        One that does not exist or is not defined for the task, none of the protected columns
        named, a strength outside 0 to 1, or a constraint that it does not know.
    """
    fairness = settings.fairness
    if fairness.mitigate is None:
        return
    found = find_mitigation(fairness.mitigate)
    if settings.project.task not in found.tasks:
        other = [one.name for one in MITIGATIONS.values() if settings.project.task in one.tasks]
        raise ConfigError(
            f"fairness.mitigate is not defined for a {settings.project.task} task",
            seen=found.name,
            remedy=f"Take one of {', '.join(other)}.",
            field="fairness.mitigate",
        )
    _columns(settings)
    if not 0.0 <= fairness.strength <= 1.0:
        raise ConfigError(
            "fairness.strength is not between 0 and 1",
            seen=fairness.strength,
            remedy="Take 1 for all of it, 0 for none.",
            field="fairness.strength",
        )
    _constraint(found, fairness.constraint)


def find_mitigation(name: str) -> Mitigation:
    """Return the mitigation of this name.

    Raises
    ------
    ConfigError
        With the nearest name.

    Examples
    --------
    >>> find_mitigation("reweighing").when
    'before'
    """
    if name in MITIGATIONS:
        return MITIGATIONS[name]
    near = get_close_matches(name, MITIGATIONS, n=1)
    guess = f"Did you mean {near[0]!r}? " if near else ""
    raise ConfigError(
        "fairness.mitigate is no mitigation",
        seen=name,
        remedy=f"{guess}There are {', '.join(MITIGATIONS)}.",
        field="fairness.mitigate",
    )


def _columns(settings: Settings) -> None:
    fairness = settings.fairness
    if settings.project.weight is not None:
        raise ConfigError(
            "fairness.mitigate and project.weight cannot both say what a row counts",
            seen=settings.project.weight,
            remedy="Leave one of them out.",
            field="project.weight",
        )
    if not fairness.protected:
        raise ConfigError(
            "fairness.mitigate needs to know whom it is for, and no protected column is named",
            remedy='Name them: protected = ["sex"] under [fairness].',
            field="fairness.protected",
        )
    for name in fairness.mitigate_for:
        if name not in fairness.protected:
            raise ConfigError(
                "fairness.mitigate_for names a column that fairness.protected does not",
                seen=name,
                remedy="Add it to fairness.protected, so that it is tested too.",
                field="fairness.mitigate_for",
            )


def _constraint(found: Mitigation, constraint: str | None) -> None:
    if constraint is None or constraint in found.constraints:
        return
    if not found.constraints:
        raise ConfigError(
            f"{found.name} has one aim only, and takes no fairness.constraint",
            seen=constraint,
            remedy="Leave it out.",
            field="fairness.constraint",
        )
    raise ConfigError(
        f"fairness.constraint is none that {found.name} knows",
        seen=constraint,
        remedy=f"Take one of {', '.join(found.constraints)}.",
        field="fairness.constraint",
    )
