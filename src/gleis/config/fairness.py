"""What types alone cannot say about ``[fairness]``."""

from __future__ import annotations

import math
from itertools import pairwise

from gleis.config.settings import Settings
from gleis.contracts.errors import ConfigError


def check_fairness(settings: Settings) -> None:
    """Check protected columns, bands, the smallest group and the good outcome.

    Raises
    ------
    ConfigError
        Naming the key, the value and the remedy.
    """
    fairness = settings.fairness
    if fairness.min_group < 1:
        raise ConfigError(
            "fairness.min_group is not positive",
            seen=fairness.min_group,
            remedy="Write how many test rows a group needs; 30 is usual.",
            field="fairness.min_group",
        )
    _check_protected(settings)
    for column, bands in fairness.bands.items():
        _check_bands(column, bands, fairness.protected)
    if fairness.favourable is not None and settings.project.task == "regression":
        raise ConfigError(
            "fairness.favourable names a class, and a regression has none",
            seen=fairness.favourable,
            remedy="Leave it out.",
            field="fairness.favourable",
        )


def _check_protected(settings: Settings) -> None:
    seen: set[str] = set()
    for column in settings.fairness.protected:
        if column in seen:
            raise ConfigError(
                "fairness.protected names a column twice",
                seen=column,
                remedy="Name it once; intersections with the others are made from it.",
                field="fairness.protected",
            )
        if column == settings.project.target:
            raise ConfigError(
                "fairness.protected names the target",
                seen=column,
                remedy="Name columns that say who a person is, not what is predicted.",
                field="fairness.protected",
            )
        seen.add(column)


def _check_bands(column: str, bands: tuple[float, ...], protected: tuple[str, ...]) -> None:
    field = f"fairness.bands.{column}"
    if column not in protected:
        raise ConfigError(
            "fairness.bands cuts a column that is not protected",
            seen=column,
            remedy=f"Name it in fairness.protected, which holds: {', '.join(protected) or 'none'}.",
            field=field,
        )
    rising = all(low < high for low, high in pairwise(bands))
    if not bands or not rising or not all(map(math.isfinite, bands)):
        raise ConfigError(
            f"{field} is not a list of rising numbers",
            seen=list(bands),
            remedy="Write where to cut, such as [25, 40, 65].",
            field=field,
        )
