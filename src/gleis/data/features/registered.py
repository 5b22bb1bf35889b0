"""Which feature views a project has."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from gleis.contracts.errors import ProjectError, RegistryError
from gleis.data.features.view import FeatureView
from gleis.data.module import ProjectModule


def views_of(module: ProjectModule) -> dict[str, FeatureView]:
    """Return the feature views of a project's module and of the ``features.py`` beside it.

    Raises
    ------
    ProjectError
        Two of them have one name, or ``features.py`` does not import.
    """
    found: dict[str, FeatureView] = {}
    for value in module.members():
        if not isinstance(value, FeatureView):
            continue
        if found.setdefault(value.name, value) is not value:
            raise ProjectError(
                "Two feature views have one name",
                seen=value.name,
                remedy="Give one of the functions another name.",
                field=value.name,
            )
    return found


def find_view(views: Mapping[str, FeatureView], name: str) -> FeatureView:
    """Return a view by its name.

    Raises
    ------
    RegistryError
        There is none.
    """
    if name in views:
        return views[name]
    near = get_close_matches(name, views, n=1)
    known = f"They are {', '.join(views)}." if views else "Write one with @gleis.feature_view."
    raise RegistryError(
        "The project has no feature view of this name",
        seen=name,
        remedy=f"{f'Did you mean {near[0]}? ' if near else ''}{known}",
    )
