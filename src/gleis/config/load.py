"""Read settings: flag > environment > file > default."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

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
    overrides = _from_environment(os.environ if environment is None else environment)
    overrides |= {key: value for key, value in (flags or {}).items() if value is not None}
    for key, value in overrides.items():
        _set(tree, key, value)
    settings = _convert(tree, path, text)
    validate(settings)
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


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """``GLEIS_TRIGGERS__COOLDOWN`` -> ``triggers.cooldown``; values are TOML where they can be."""
    found: dict[str, Any] = {}
    for name, raw in environment.items():
        if name.startswith(_PREFIX):
            key = name.removeprefix(_PREFIX).lower().replace("__", ".")
            found[key] = parse_value(raw)
    return found


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
    *parents, leaf = dotted.split(".")
    for part in parents:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{dotted} cannot be set: {part} is not a table", seen=tree)
    tree[leaf] = value


def _convert(tree: dict[str, Any], path: Path, text: str) -> Settings:
    try:
        return msgspec.convert(tree, Settings)
    except msgspec.ValidationError as error:
        raise _explain(str(error), path, text) from error


_AT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?$", re.DOTALL)
_FIELD = re.compile(r"field `(?P<name>[^`]+)`")


def _explain(message: str, path: Path, text: str) -> ConfigError:
    match = _AT.match(message)
    what, where = (match["what"], match["where"] or "") if match else (message, "")
    named = _FIELD.search(what)
    unknown = "unknown field" in what
    field = ".".join(part for part in (where, named["name"] if named else "") if part)
    line = _line(text, field) or _line(text, where)
    place = f"{path.name}, line {line}" if line else path.name
    remedy = (
        "Remove it or mend its spelling; docs/configuration.md lists every key."
        if unknown
        else "Mend the value; docs/configuration.md lists every key and its type."
    )
    return ConfigError(f"{place}: {field or 'the file'}: {what}", remedy=remedy, field=field)


def _line(text: str, dotted: str) -> int | None:
    """Return the line of a dotted key in TOML text, 1-based; None if it is not there."""
    if not dotted:
        return None
    parents, _, leaf = dotted.rpartition(".")
    table = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if header := re.match(r"\[\s*([^\]]+?)\s*\]", line):
            table = header[1]
            if table == dotted:
                return number
            continue
        key = re.match(r"[\"']?([A-Za-z0-9_.\-]+)[\"']?\s*=", line)
        if key and f"{table}.{key[1]}".lstrip(".") in (dotted, parents):
            inner = f"{table}.{key[1]}".lstrip(".") == parents
            if not inner or leaf in line:
                return number
    return None
