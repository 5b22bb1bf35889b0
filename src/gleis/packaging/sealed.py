"""From a folder to bytes that may be read: signed, whole, approved, without pickles."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gleis.contracts.errors import PackageError
from gleis.packaging.contents import check_contents, check_name
from gleis.packaging.keys import Trust
from gleis.packaging.manifest import MANIFEST, Found, Manifest, check_manifest
from gleis.packaging.signature import MLFLOW_NOTE, SIGNATURE, Signed, check_signature

_REMEDY = "Take an intact copy of the package, or build it again with gleis run."


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """The files of a package, every byte as its maker left it."""

    manifest: Manifest
    files: Mapping[str, bytes]
    """Path -> content, without manifest and signature."""
    signed: Signed | None
    """Who signed it; None if nobody asked."""


def read_sealed(folder: Path, digest: str | None, trust: Trust) -> Sealed:
    """Read a package folder once, and check what was read.

    In this order: links and names, signature, manifest, digest, contents. What was hashed is what
    is returned: nothing is read twice.

    Parameters
    ----------
    folder : Path
    digest : str or None
        The digest that was approved, as the registry knows it.
    trust : Trust
        Whose signature is accepted.

    Raises
    ------
    PackageError
        Saying why it must not be read.
    """
    return seal(read_folder(folder), digest, trust)


def seal(found: Found, digest: str | None, trust: Trust) -> Sealed:
    """Check what ``read_folder`` read; otherwise as ``read_sealed``."""
    signed = None
    if not trust.unsigned:
        signed = check_signature(found.signature, found.hashes, trust)
    manifest = check_manifest(found, digest)
    check_contents(found.files)
    return Sealed(manifest=manifest, files=found.files, signed=signed)


def read_folder(folder: Path) -> Found:
    """Read every file of a package folder but the note that MLflow leaves there.

    Raises
    ------
    PackageError
        Not a package; a link, a device or a pickle in it; a file that cannot be read.
    """
    if folder.is_symlink():
        raise _refuse("is a link; name the folder itself", str(folder))
    if not (folder / MANIFEST).exists():
        raise PackageError(
            "This is not a package: it has no manifest.json",
            seen=str(folder),
            remedy="Name a folder that gleis run made.",
        )
    places = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    read = {name: _read(path) for name, path in sorted(places.items()) if _is_file(name, path)}
    signature = read.pop(SIGNATURE, None)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in read.items()}
    return Found(manifest=read.pop(MANIFEST), signature=signature, files=read, hashes=hashes)


def _is_file(name: str, path: Path) -> bool:
    """Say whether a path is a file of the package; refuse what no package may hold."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise _refuse("is a link; a package holds its files itself", name)
    if stat.S_ISDIR(mode):
        return False
    if not stat.S_ISREG(mode):
        raise _refuse("is neither a file nor a folder", name)
    check_name(name)
    return name != MLFLOW_NOTE


def _read(path: Path) -> bytes:
    try:
        # Not followed: a link that took the file's place since it was looked at is refused.
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            return file.read()
    except OSError as error:
        raise PackageError(f"{path} cannot be read: {error}", remedy=_REMEDY) from error


def _refuse(why: str, path: str) -> PackageError:
    return PackageError(f"{path} {why}", remedy=_REMEDY, field=path)
