"""``schema.py`` of the project: which of its pandera schemas is about which dataset."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gleis.contracts.errors import ProjectError
from gleis.data.module import import_file

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.data.checking.pandera_schema import PanderaSchema

FILE = "schema.py"


def has_schema(folder: Path | None) -> bool:
    """Say whether the project's folder has a ``schema.py`` that is about pandera."""
    if folder is None or not (folder / FILE).is_file():
        return False
    text = (folder / FILE).read_text(encoding="utf-8", errors="replace")
    return re.search(r"^\s*(?:import|from)\s+pandera\b", text, re.MULTILINE) is not None


def project_schema(
    folder: Path | None, settings: Settings, name: str | None = None
) -> PanderaSchema | None:
    """Return the schema of a dataset; None if the project has none for it.

    ``schema = DataFrameSchema(...)``, ``class Schema(DataFrameModel)``, or one named after the
    project is about its own dataset; one named after a table beside, ``weather`` or
    ``WeatherSchema``, about that.

    Parameters
    ----------
    folder : Path, optional
        The project folder.
    settings : Settings
    name : str, optional
        Of the dataset; by default the project's own.

    Raises
    ------
    ProjectError
        The file does not import, or has a schema of which nobody knows whose it is.
    """
    if folder is None or not has_schema(folder):
        return None
    from gleis.data.checking.pandera_schema import PanderaSchema

    found = _by_dataset(_schemas(import_file(folder, "schema")), settings)
    wanted = name or settings.project.name
    if wanted not in found:
        return None
    title, schema = found[wanted]
    return PanderaSchema(schema, f"{FILE}: {title}")


def _schemas(module: ModuleType) -> dict[str, Any]:
    """Return the schemas that the file itself makes, by their names."""
    from pandera.polars import DataFrameModel, DataFrameSchema

    listed = [(name, value) for name, value in vars(module).items() if not name.startswith("_")]
    models: dict[str, Any] = {
        name: value
        for name, value in listed
        if isinstance(value, type)
        and issubclass(value, DataFrameModel)
        and value.__module__ == module.__name__
    }
    # One that others inherit from is about what they have in common.
    derived_from = {base for model in models.values() for base in model.__mro__[1:]}
    return {
        **{name: value for name, value in listed if isinstance(value, DataFrameSchema)},
        **{name: m.to_schema() for name, m in models.items() if m not in derived_from},
    }


def _by_dataset(schemas: dict[str, Any], settings: Settings) -> dict[str, tuple[str, Any]]:
    known = {_plain(name): name for name in settings.datasets}
    own = settings.project.name
    known |= {"": own, _plain(own): own}
    found: dict[str, tuple[str, Any]] = {}
    for title, schema in schemas.items():
        dataset = known.get(_plain(title))
        if dataset is None and len(schemas) == 1:
            dataset = own
        if dataset is None or dataset in found:
            also = f" too, as {found[dataset][0]} is" if dataset is not None else ""
            raise ProjectError(
                f"{FILE}: nobody knows which dataset {title} is about"
                if dataset is None
                else f"{FILE}: {title} is about {dataset}{also}",
                remedy=f"Name it schema for {own}'s own rows, or after a table beside"
                f" ({', '.join(settings.datasets) or 'there is none'}); one with a _ before its "
                "name is left alone.",
                field="schema.py",
            )
        found[dataset] = (title, schema)
    return found


def _plain(name: str) -> str:
    """Return a name as it is compared: ``WeatherSchema`` and ``weather`` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower()).removesuffix("schema")
