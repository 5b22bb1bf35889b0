"""``datasheet.toml``: read, checked, and held against rows."""

from __future__ import annotations

import re
import tomllib
import typing
from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from gleis.config.explain import find_line
from gleis.contracts.datasheet import Collection, Datasheet, PersonalData
from gleis.contracts.errors import ConfigError

if TYPE_CHECKING:
    from gleis.contracts.dataset import DatasetVersion

_TABLES: dict[str, type[msgspec.Struct]] = {
    "": Datasheet,
    "collection": Collection,
    "personal": PersonalData,
}
_WRITTEN = ("origin", "purpose")
_PAGE = "docs/privacy.md lists every key."


def datasheet_path(folder: Path, name: str | None = None) -> Path:
    """Return where the datasheet of a dataset is, whether it is there or not.

    Parameters
    ----------
    folder : Path
        The project folder.
    name : str, optional
        A table beside the project's own dataset, ``[datasets.NAME]``: ``datasheet.NAME.toml``.
    """
    return folder / (f"datasheet.{name}.toml" if name else "datasheet.toml")


def read_datasheet(folder: Path, name: str | None = None) -> tuple[Datasheet, bytes] | None:
    """Read the datasheet of a dataset, as it says and as its bytes are; None if there is none.

    Raises
    ------
    ConfigError
        Not TOML, an unknown or missing key, a licence that SPDX does not know; with file and line.
    """
    path = datasheet_path(folder, name)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    return parse_datasheet(content, path.name), content


def parse_datasheet(content: bytes, file: str = "datasheet.toml") -> Datasheet:
    r"""Read a datasheet from its bytes.

    Raises
    ------
    ConfigError
        As `read_datasheet`.

    Examples
    --------
    >>> sheet = b'origin = "us"\npurpose = "tests"\nlicence = "cc0-1.0"\npersonal.data = "none"'
    >>> parse_datasheet(sheet).licence
    'CC0-1.0'
    """
    try:
        text = content.decode("utf-8")
        tree = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file} is not TOML: {error}", remedy="Mend the line named.") from error
    try:
        sheet = msgspec.convert(tree, Datasheet)
    except msgspec.ValidationError as error:
        raise _wrong(str(error), text, file, tree) from error
    return _checked(sheet, text, file)


def _checked(sheet: Datasheet, text: str, file: str) -> Datasheet:
    for key in _WRITTEN:
        if not (said := getattr(sheet, key).strip()) or said.startswith("TODO"):
            raise _error(text, file, key, "says nothing yet", said, "Write a sentence.")
    since, until = sheet.collection.since, sheet.collection.until
    if since and until and since > until:
        raise _error(
            text, file, "collection.until", "is before collection.since", str(until), "Swap them."
        )
    for column, why in sheet.personal.columns.items():
        if not why.strip():
            raise _error(
                text, file, f"personal.columns.{column}", "gives no reason", why, "Write one."
            )
    return msgspec.structs.replace(sheet, licence=_spdx(sheet.licence, text, file))


def _spdx(licence: str, text: str, file: str) -> str:
    try:
        return str(canonicalize_license_expression(licence))
    except InvalidLicenseExpression:
        raise _error(
            text,
            file,
            "licence",
            "is no SPDX expression",
            licence,
            "Take a name of spdx.org/licenses, such as CC-BY-4.0, ODC-By-1.0 or CC0-1.0; for a "
            "contract of your own LicenseRef-Name.",
        ) from None


def _wrong(message: str, text: str, file: str, tree: Mapping[str, Any]) -> ConfigError:
    """Turn msgspec's message into one that names file, line, key and what to write."""
    match = re.fullmatch(r"(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?", message, re.DOTALL)
    what, where = (match["what"], match["where"] or "") if match else (message, "")
    where = re.sub(r"\[[^\]]*\]", "", where)
    named = re.search(r"field `([^`]+)`", what)
    field = ".".join(part for part in (where, named[1] if named else "") if part)
    known = _TABLES[where].__struct_fields__ if where in _TABLES else ()
    if "missing required" in what:
        remedy = f"Add it: {field} = ... ; gleis data datasheet --init writes a template."
        return _error(text, file, field, "is missing", ..., remedy)
    if "unknown field" in what:
        near = get_close_matches(field.rpartition(".")[2], known, n=1)
        guess = f"Did you mean {near[0]}? " if near else ""
        remedy = f"{guess}Known here: {', '.join(known)}. {_PAGE}"
        return _error(text, file, field, "is no key", ..., remedy)
    choices = typing.get_args(typing.get_type_hints(PersonalData)["data"])
    is_choice = field == "personal.data"
    wanted = f"is none of {', '.join(choices)}" if is_choice else f"has the wrong type: {what}"
    return _error(text, file, field, wanted, _value(tree, field), f"Mend the value; {_PAGE}")


def _value(tree: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        tree = tree.get(part, ...) if isinstance(tree, Mapping) else ...
    return tree


def _error(text: str, file: str, field: str, what: str, seen: object, remedy: str) -> ConfigError:
    line = find_line(text, field) or find_line(text, field.rpartition(".")[0])
    place = f"{file}, line {line}" if line else file
    return ConfigError(f"{place}: {field} {what}", seen=seen, remedy=remedy, field=field)


def period_notes(sheet: Datasheet, first: datetime | None, last: datetime | None) -> list[str]:
    r"""Say where the times of a version's rows and the declared period of collection disagree.

    Parameters
    ----------
    sheet : Datasheet
    first, last : datetime or None
        Of the rows; None where they have no time.

    Examples
    --------
    >>> from datetime import UTC
    >>> sheet = parse_datasheet(
    ...     b'origin = "us"\npurpose = "tests"\nlicence = "MIT"\npersonal.data = "none"\n'
    ...     b'collection.since = 2013-01-01'
    ... )
    >>> period_notes(sheet, datetime(2012, 12, 1, tzinfo=UTC), None)
    ['Rows begin on 2012-12-01, before the declared period (since 2013-01-01).']
    """
    since, until = sheet.collection.since, sheet.collection.until
    notes = []
    if since and first and first.date() < since:
        notes.append(f"Rows begin on {first.date()}, before the declared period (since {since}).")
    if until and last and last.date() > until:
        notes.append(f"Rows end on {last.date()}, after the declared period (until {until}).")
    if since and last and last.date() < since:
        notes.append("All rows are older than the declared period.")
    return notes


def version_notes(sheet: Datasheet, version: DatasetVersion) -> list[str]:
    """Say where a version and the declared period of collection disagree."""
    return period_notes(sheet, version.first, version.last)


TEMPLATE = """\
# What is known about {dataset}: kept with every version that is made from now on.
# After Gebru et al. (2021), Datasheets for datasets. Keys: docs/privacy.md.

origin  = "TODO who made the rows, and where they were taken from"
purpose = "TODO what they were collected for, and what they may be used for"
licence = "LicenseRef-Internal"    # SPDX: CC-BY-4.0, ODC-By-1.0, CC0-1.0, ...
terms   = ""                       # terms beyond the licence, or where they are written
contact = ""                       # who answers for it: a role rather than a person

[collection]
{since} # first day, UTC
# until = 2025-12-31               # last day; left out: it goes on
how   = ""                         # by a sensor, a form, a contract; by whom
gaps  = []                         # known gaps, a sentence each

[personal]
data        = {personal} # none | pseudonymous | personal
categories  = []                   # contact, account, location, health, ...
legal_basis = ""                   # GDPR Art. 6(1)(b), ...
retention   = ""                   # how long they may be kept

# What a scan takes for personal data and is none, or is meant:
# [personal.columns]
# sender_ip = "of our own machines"
"""
"""What ``gleis data datasheet --init`` writes."""
