"""Which checks a dataset has, as one hash; light, for the unchanged run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.contracts.dataset import DatasetVersion
    from gleis.store.home import Home


def checks_digest(settings: Settings, folder: Path | None) -> str | None:
    """Return the hash of all that is checked of the project's own rows; None if nothing is."""
    data = settings.data
    path = None if folder is None else folder / "schema.py"
    schema = path.read_bytes() if path is not None and path.is_file() else b""
    if not (data.checks or data.rows != type(data.rows)() or schema):
        return None
    declared = msgspec.json.encode((data.checks, data.rows), order="deterministic")
    return hashlib.sha256(declared + b"\0" + schema).hexdigest()


def is_checked(home: Home, version: DatasetVersion, digest: str | None) -> bool:
    """Say whether all rows of a version were seen to pass these checks."""
    if digest is None:
        return True
    return home.states.get(_key(version)) == digest.encode()


def note_checked(home: Home, version: DatasetVersion, digest: str) -> None:
    """Remember that all rows of a version pass these checks."""
    home.states.put(_key(version), digest.encode())


def _key(version: DatasetVersion) -> str:
    return f"checked/{version.label}"
