"""What is in a package folder: every file, its hash and its size."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from gleis.contracts.errors import PackageError

MANIFEST = "manifest.json"
FILES = frozenset(
    {
        "MLmodel",
        "baseline.json",
        "card.md",
        "conda.yaml",
        "contract.json",
        "evidence.json",
        "lineage.json",
        "model.frame.json",
        "model.json",
        "model.skops",
        "model.types.json",
        "python_env.yaml",
        "reference.json",
        "requirements.txt",
        "tests/metrics.json",
        "tests/rows.json",
    }
)
"""Every file a package of this format may hold."""

_MLFLOW_NOTE = "registered_model_meta"
"""MLflow writes it into a registered package that it loads; gleis never reads it."""

_PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle", ".pt", ".pth"})
_PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_REMEDY = "Take an intact copy of the package, or build it again with gleis run."


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    sha256: str
    size: int
    """Bytes."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All files of a package but the manifest itself."""

    format: int = 1
    digest: str
    """SHA-256 over the sorted lines ``path NUL sha256 LF``: the package's name."""
    files: dict[str, Entry]


def describe(files: dict[str, bytes]) -> Manifest:
    """Return the manifest of ``files`` (path with ``/`` -> content).

    Examples
    --------
    >>> describe({"card.md": b"# A card"}).files["card.md"].size
    8
    """
    entries = {
        path: Entry(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        for path, content in sorted(files.items())
    }
    lines = "".join(f"{path}\0{entry.sha256}\n" for path, entry in entries.items())
    return Manifest(digest=hashlib.sha256(lines.encode()).hexdigest(), files=entries)


def read_files(folder: Path, digest: str | None = None) -> tuple[Manifest, dict[str, bytes]]:
    """Read a package folder and hold every byte against its manifest.

    Parameters
    ----------
    folder : Path
    digest : str, optional
        The digest the package must have, as the registry knows it.

    Returns
    -------
    manifest : Manifest
    files : dict of str to bytes
        What was hashed is what is returned: nothing is read twice.

    Raises
    ------
    PackageError
        Not a package; a file missing, added, changed or unknown; a pickle; another digest.
    """
    manifest = _read_manifest(folder)
    if manifest.format != 1:
        raise PackageError(
            "The package has a format this version cannot read",
            seen=manifest.format,
            remedy="Upgrade gleis.",
        )
    present = _list(folder)
    for path in sorted(present | set(manifest.files)):
        _check_place(path, path in present, path in manifest.files, folder)
    files = {path: _read(folder / path) for path in sorted(present)}
    for path, content in files.items():
        if content.startswith(_PICKLE_STARTS):
            raise _refuse("holds a pickle, which runs code when it is read", path, folder)
    actual = describe(files)
    for path, entry in actual.files.items():
        if entry != manifest.files[path]:
            raise _refuse("was changed after the package was built", path, folder)
    if actual.digest != manifest.digest or digest not in (None, actual.digest):
        raise PackageError(
            f"{folder} is not the package that was asked for: its digest is {actual.digest}",
            seen=digest or manifest.digest,
            remedy=_REMEDY,
        )
    return manifest, files


def _read_manifest(folder: Path) -> Manifest:
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise PackageError(
            "This is not a package: it has no manifest.json",
            seen=str(folder),
            remedy="Name a folder that gleis run made.",
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise PackageError(
            f"manifest.json cannot be read: {error}", seen=str(folder), remedy=_REMEDY
        ) from error


def _list(folder: Path) -> set[str]:
    found = set()
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise _refuse("is a link; a package holds its files itself", name, folder)
        if not path.is_dir() and name not in (MANIFEST, _MLFLOW_NOTE):
            found.add(name)
    return found


def _check_place(path: str, present: bool, listed: bool, folder: Path) -> None:
    if Path(path).suffix.lower() in _PICKLES:
        raise _refuse("is a pickle, which runs code when it is read", path, folder)
    if not present:
        raise _refuse("is missing", path, folder)
    if not listed:
        raise _refuse("is not in the manifest", path, folder)
    if path not in FILES:
        raise _refuse("is no file of a package", path, folder)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PackageError(f"{path} cannot be read: {error}", remedy=_REMEDY) from error


def _refuse(why: str, path: str, folder: Path) -> PackageError:
    return PackageError(f"{path} {why}", seen=str(folder), remedy=_REMEDY, field=path)
