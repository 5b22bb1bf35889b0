"""What is wrong with a key: which one, where it was set, the value seen and what to write."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from gleis.config.settings import Settings
from gleis.contracts.errors import ConfigError

_AT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?", re.DOTALL)
_NAMED = re.compile(r"field `(?P<name>[^`]+)`")
_PAGE = "docs/configuration.md lists every key."


def explain(
    message: str, tree: Mapping[str, Any], text: str, origins: Mapping[str, str]
) -> ConfigError:
    """Turn msgspec's message into an error for the person who wrote the key.

    Parameters
    ----------
    message : str
        Of the ValidationError.
    tree : mapping
        What was converted, overrides included.
    text : str
        Text of ``gleis.toml``, for the line.
    origins : mapping of str to str
        Dotted key -> the flag or environment variable that set it.
    """
    match = _AT.fullmatch(message)
    what, where = (match["what"], match["where"] or "") if match else (message, "")
    where = re.sub(r"\[[^\]]*\]", "", _with_names(where, tree))
    named = _NAMED.search(what)
    field = ".".join(part for part in (where, named["name"] if named else "") if part)
    place = origins.get(field) or _place(text, field, where)
    if "missing required" in what:
        return ConfigError(f"{place}: {field} is missing", remedy=_add(field), field=field)
    # What stands under [alarms] may be an address that opens a channel to whoever sees it.
    seen = ... if field.startswith("alarms.") else _value(tree, field)
    if "unknown field" in what:
        remedy = _known(where, field)
        return ConfigError(f"{place}: {field} is no key", seen=seen, remedy=remedy, field=field)
    choices = _choices(field)
    wanted = f"is none of {', '.join(choices)}" if choices else f"has the wrong type: {what}"
    near = get_close_matches(seen, choices, n=1) if isinstance(seen, str) else []
    remedy = f"Did you mean {near[0]}? {_PAGE}" if near else f"Mend the value; {_PAGE}"
    return ConfigError(f"{place}: {field} {wanted}", seen=seen, remedy=remedy, field=field)


def placed(error: ConfigError, text: str, origins: Mapping[str, str]) -> ConfigError:
    """Return an error about a key's value that says where it was set, if that is known.

    Parameters
    ----------
    error : ConfigError
        From ``validate``.
    text : str
        Text of ``gleis.toml``.
    origins : mapping of str to str
        As for ``explain``.
    """
    field = error.field or ""
    line = find_line(text, field)
    place = origins.get(field) or (f"gleis.toml, line {line}" if line else None)
    if place is None:
        return error
    found = ConfigError(f"{place}: {error.what}", remedy=error.remedy, field=error.field)
    found.seen, found.args = error.seen, (f"{place}: {error}",)
    return found


def _with_names(where: str, tree: Mapping[str, Any]) -> str:
    """Put the keys of tables into a path in which msgspec writes ``[...]`` for each of them."""
    kind: Any = Settings
    found: Any = tree
    path = ""
    for part in re.findall(r"\[[^\]]*\]|[^.\[\]]+", where):
        if part.startswith("[") and part != "[...]":  # a place in a list
            continue
        if part != "[...]":
            path = f"{path}.{part}".lstrip(".")
            kind, found = (
                _inner(kind, part),
                found.get(part) if isinstance(found, Mapping) else None,
            )
            continue
        kind = _value_type(kind)
        name = _failing(kind, found)
        if name is None:
            return where
        path, found = f"{path}.{name}", found[name]
    return path


def _failing(kind: Any, found: Any) -> str | None:
    """Return the first key whose value is not of a struct's type."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return None
    for name, value in found.items() if isinstance(found, Mapping) else ():
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError:
            return str(name)
    return None


def _place(text: str, field: str, where: str) -> str:
    line = find_line(text, field) or find_line(text, where)
    return f"gleis.toml, line {line}" if line else "gleis.toml"


def _add(field: str) -> str:
    table, _, key = field.rpartition(".")
    choices = _choices(field)
    example = f'"{choices[0]}"' if choices else "..."
    return f"Add {key} = {example} under [{table}]." if table else f"Add the table [{key}]."


def _known(where: str, field: str) -> str:
    known = getattr(_type_at(where), "__struct_encode_fields__", ())
    near = get_close_matches(field.rpartition(".")[2], known, n=1)
    guess = f"Did you mean {near[0]}? " if near else ""
    return f"{guess}Known here: {', '.join(known)}. {_PAGE}"


def _choices(field: str) -> tuple[str, ...]:
    kind = _type_at(field)
    return typing.get_args(kind) if typing.get_origin(kind) is typing.Literal else ()


def _type_at(dotted: str) -> Any:
    """Return the type of a key; for an optional one, that of its value."""
    kind: Any = Settings
    for part in filter(None, dotted.split(".")):
        kind = _inner(kind, part)
    return kind


def _inner(kind: Any, part: str) -> Any:
    """Return the type under a key of a struct or of a table with any keys."""
    if typing.get_origin(kind) is dict:
        return _value_type(kind)
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return None
    found = {f.encode_name: f.type for f in msgspec.structs.fields(kind)}.get(part)
    if typing.get_origin(found) in (types.UnionType, typing.Union):
        return next(one for one in typing.get_args(found) if one is not type(None))
    return found


def _value_type(kind: Any) -> Any:
    arguments = typing.get_args(kind)
    return arguments[1] if typing.get_origin(kind) is dict else None


def _value(tree: Mapping[str, Any], dotted: str) -> Any:
    found: Any = tree
    for part in dotted.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return ...
        found = found[part]
    return found


def find_line(text: str, dotted: str) -> int | None:
    r"""Return the line of a dotted key in TOML text, 1-based; None if it is not there.

    Examples
    --------
    >>> find_line("[serve]\nport = 1", "serve.port")
    2
    """
    if not dotted:
        return None
    parents, _, leaf = dotted.rpartition(".")
    table = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if header := re.match(r"\[\s*([^\]]+?)\s*\]", line):
            table = re.sub(r"[\"']", "", header[1])
            if table == dotted:
                return number
            continue
        key = re.match(r"(?:\"([^\"]+)\"|'([^']+)'|([A-Za-z0-9_.\-]+))\s*=", line)
        name = f"{table}.{key[1] or key[2] or key[3]}".lstrip(".") if key else None
        if name in (dotted, parents):
            inner = name == parents
            if not inner or leaf in line:
                return number
    return None
