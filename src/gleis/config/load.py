"""Read settings: flag > environment > file > default."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from gleis.config.dotted import flatten
from gleis.config.explain import explain, placed
from gleis.config.settings import Settings
from gleis.config.validate import validate
from gleis.contracts.errors import ConfigError

FILE = "gleis.toml"
_PREFIX = "GLEIS_"


def load_settings(
    folder: Path,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Read ``gleis.toml`` of ``folder`` and what overrides it.

    Parameters
    ----------
    folder : Path
        The project folder.
    flags : mapping of str to value, optional
        Dotted keys, such as ``{"serve.port": 9000}``; they win over everything.
    environment : mapping, optional
        ``GLEIS_SERVE__PORT=9000`` sets ``serve.port``; by default the process's own.

    Raises
    ------
    ConfigError
        Missing file, broken TOML, missing, unknown or wrong key, with file and line.
    """
    path = folder / FILE
    text = _read(path)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}", remedy="Mend the line named.") from error
    if isinstance(gates := tree.get("gates"), dict):
        tree["gates"] = flatten(gates, "gates")
    overrides, origins = _from_environment(os.environ if environment is None else environment)
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    origins |= {key: f"the flag {key}" for key in given}
    for key, value in (overrides | given).items():
        _set(tree, key, value)
    try:
        settings = msgspec.convert(tree, Settings)
    except msgspec.ValidationError as error:
        raise explain(str(error), tree, text, origins) from error
    try:
        validate(settings)
    except ConfigError as error:
        raise placed(error, text, origins) from error
    return settings


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            "There is no gleis.toml in this folder",
            seen=str(path.parent),
            remedy="Change into a project folder, name it with --project, or make one: gleis init.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _from_environment(environment: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """``GLEIS_TRIGGERS__COOLDOWN`` -> ``triggers.cooldown``; values are TOML where they can be."""
    found: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, raw in environment.items():
        if name.startswith(_PREFIX):
            key = name.removeprefix(_PREFIX).lower().replace("__", ".")
            found[key], origins[key] = parse_value(raw), name
    return found, origins


def parse_value(raw: str) -> Any:
    """Read ``raw`` as a TOML value, else as a plain string.

    Examples
    --------
    >>> parse_value("0.2"), parse_value("every 30d"), parse_value("true")
    (0.2, 'every 30d', True)
    """
    try:
        return tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        return raw


def _set(tree: dict[str, Any], dotted: str, value: Any) -> None:
    # The name of a figure has dots of its own.
    *parents, leaf = dotted.split(".", 1) if dotted.startswith("gates.") else dotted.split(".")
    for part in parents:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{dotted} cannot be set: {part} is not a table", seen=tree)
    tree[leaf] = value
