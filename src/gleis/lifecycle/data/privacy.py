"""What was declared about a dataset, and what a scan of a version finds."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.datasheet import Datasheet
from gleis.contracts.errors import ConfigError
from gleis.contracts.privacy import Finding, Scan
from gleis.data.datasheet import TEMPLATE, datasheet_path, parse_datasheet, read_datasheet
from gleis.data.privacy.declared import contradictions
from gleis.data.privacy.scan import SAMPLE, scan
from gleis.lifecycle.workbench import Workbench


class Scanned(NamedTuple):
    """A scan of a version, and what of it contradicts the declaration."""

    version: DatasetVersion
    scan: Scan
    declared: str | None
    """``none``, ``pseudonymous``, ``personal``; None: nothing is declared."""
    denied: list[Finding]


def declared_for(bench: Workbench, version: DatasetVersion) -> Datasheet | None:
    """Return the datasheet a version was made with; of one made without, the one there is now.

    Raises
    ------
    ConfigError
        The datasheet in the folder is broken.
    """
    if version.provenance.datasheet is not None:
        return parse_datasheet(bench.home.artifacts.get(version.provenance.datasheet))
    read = read_datasheet(bench.folder, name_beside(bench, version.name))
    return None if read is None else read[0]


def name_beside(bench: Workbench, name: str | None) -> str | None:
    """Return the name of a table beside the project's own dataset; None for the dataset itself."""
    return None if name == bench.settings.project.name else name


def scan_version(
    bench: Workbench, version: DatasetVersion, *, sampled: bool = False, seed: int = 0
) -> Scanned:
    """Scan a version for personal data and hold it against today's datasheet.

    Parameters
    ----------
    bench : Workbench
    version : DatasetVersion
    sampled : bool
        Look at as many rows as an append does; else at all.
    seed : int
        Of the sample.
    """
    rows = bench.dataset(version.name).read(version)
    seen = scan(rows, SAMPLE if sampled else None, seed)
    read = read_datasheet(bench.folder, name_beside(bench, version.name))
    if read is None:
        return Scanned(version, seen, None, [])
    return Scanned(version, seen, read[0].personal.data, contradictions(read[0], seen))


def write_template(bench: Workbench, name: str | None = None) -> Path:
    """Write the template of a datasheet, filled with what the newest version tells.

    Raises
    ------
    ConfigError
        If there is one already.
    """
    path = datasheet_path(bench.folder, name_beside(bench, name))
    if path.exists():
        raise ConfigError(
            "There is a datasheet already",
            seen=str(path),
            remedy="Change it there; gleis data datasheet checks it.",
        )
    datasets = bench.dataset(name)
    latest = datasets.latest()
    seen = scan(datasets.read(latest)) if latest is not None else None
    first = latest.first if latest is not None else None
    since = f"since = {first.date()}        " if first else "# since = 2024-01-01       "
    quoted = f'"{_guess(seen)}"'
    text = TEMPLATE.format(dataset=datasets.name, since=f"{since:<34}", personal=quoted.ljust(20))
    path.write_text(text, encoding="utf-8")
    return path


def _guess(seen: Scan | None) -> str:
    """Say what a person would have to declare, as far as a scan knows."""
    if seen is None or not seen.findings:
        return "none"
    return "personal" if seen.found else "pseudonymous"
