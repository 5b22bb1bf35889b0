"""What new rows hold, against what their datasheet declares."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from gleis.contracts.dataset import Provenance
from gleis.contracts.datasheet import Datasheet
from gleis.contracts.errors import DataError
from gleis.contracts.privacy import Finding, Scan
from gleis.data.datasheet import datasheet_path, read_datasheet
from gleis.data.privacy.kinds import KINDS
from gleis.data.privacy.scan import scan

if TYPE_CHECKING:
    from gleis.store.home import Home

_INDIRECT = frozenset(kind.name for kind in KINDS if not kind.direct) | {"birth_date"}


def declare(
    provenance: Provenance, frame: pl.DataFrame, folder: Path, home: Home, name: str | None = None
) -> Provenance:
    """Enter the datasheet beside a source into the provenance of new rows, if they agree with it.

    Every append passes here: the rows are scanned for personal data (a sample of them), and what
    is found goes into the provenance too.

    Parameters
    ----------
    provenance : Provenance
    frame : DataFrame, (n_rows, n_columns)
        The new rows.
    folder : Path
        The project folder.
    home : Home
        Keeps the datasheet's bytes as an artifact.
    name : str, optional
        A table beside the project's own dataset.

    Raises
    ------
    ConfigError
        The datasheet is broken.
    DataError
        The rows hold personal data and the datasheet says that they do not.
    """
    if frame.is_empty():
        return provenance
    seen = scan(frame)
    told = tuple(f"{each.column}: {each.kind}" for each in seen.found)
    provenance = msgspec.structs.replace(provenance, personal=told)
    read = read_datasheet(folder, name)
    if read is None:
        return msgspec.structs.replace(provenance, datasheet=None, licence=None, terms=None)
    sheet, content = read
    check_declaration(sheet, seen, datasheet_path(folder, name).name)
    return msgspec.structs.replace(
        provenance,
        datasheet=home.artifacts.put(content),
        licence=sheet.licence,
        terms=sheet.terms or None,
    )


def contradictions(sheet: Datasheet, seen: Scan) -> list[Finding]:
    """Return the findings that a datasheet denies.

    Declared ``none``: all that values prove. ``pseudonymous``: those that name a person by
    themselves. Columns under ``[personal.columns]`` are declared.
    """
    return [each for each in seen.found if _denies(sheet, each.column, each.kind)]


def held_notes(sheet: Datasheet, told: Iterable[str]) -> list[str]:
    r"""Say what rows that are there already hold, and their datasheet denies.

    Parameters
    ----------
    sheet : Datasheet
    told : iterable of str
        What scans found when the rows came in: ``Provenance.personal``.

    Examples
    --------
    >>> from gleis.data.datasheet import parse_datasheet
    >>> sheet = parse_datasheet(
    ...     b'origin = "us"\npurpose = "tests"\nlicence = "MIT"\npersonal.data = "none"'
    ... )
    >>> held_notes(sheet, ["contact: email"])[0][:58]
    'It declares personal.data = "none", but the rows that are '
    >>> held_notes(sheet, [])
    []
    """
    denied = sorted({one for one in told if _denies(sheet, *one.rpartition(": ")[::2])})
    if not denied:
        return []
    return [
        f'It declares personal.data = "{sheet.personal.data}", but the rows that are there hold '
        f"some ({', '.join(denied)}). See gleis data scan; declare it, or leave the columns out in "
        "load and load anew: gleis data add --anew."
    ]


def _denies(sheet: Datasheet, column: str, kind: str) -> bool:
    if sheet.personal.data == "personal" or column in sheet.personal.columns:
        return False
    return sheet.personal.data == "none" or kind not in _INDIRECT


def check_declaration(sheet: Datasheet, seen: Scan, file: str) -> None:
    """Refuse rows that hold personal data which their datasheet denies.

    Raises
    ------
    DataError
        Naming column, kind, share and masked examples; never a value.
    """
    denied = contradictions(sheet, seen)
    if not denied:
        return
    first = denied[0]
    raise DataError(
        f'{file} declares personal.data = "{sheet.personal.data}", but '
        + "; ".join(_told(each) for each in denied[:3])
        + (f"; and {len(denied) - 3} more" if len(denied) > 3 else ""),
        seen=", ".join(first.examples) if first.examples else ...,
        remedy=f"Leave the column out in load, or declare it: [personal.columns] {first.column} = "
        f'"why it is there" in {file}, or personal.data = "personal". See: gleis data scan.',
        field=first.column,
    )


def _told(finding: Finding) -> str:
    return f"column {finding.column} holds {finding.kind} in {finding.share:.2%} of its values"
