"""Packages in a store: sent whole, fetched whole, kept here as copies.

A package is its folder under ``packages/``; its manifest is written last, so half a package, of
which some files came and a process died, is never taken for one.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gleis.contracts.errors import PackageError, StoreError
from gleis.store.objects.by_url import open_objects
from gleis.store.objects.objects import Objects, Seen, check_key, nobody

if TYPE_CHECKING:
    from gleis.store.home import Home

FOLDER = "packages"
"""Where a store keeps them, each under the first 16 characters of its digest."""
MANIFEST = "manifest.json"
NOTE = "registered_model_meta"
"""What MLflow leaves in a folder; no part of the package."""


class _Entry(msgspec.Struct):
    sha256: str


class _Manifest(msgspec.Struct):
    files: dict[str, _Entry]


def keep_package(home: Home, folder: Path) -> None:
    """Bring a package that was built here into the store, if the project has one."""
    if home.store is not None:
        home.claim()
        send_package(folder, open_objects(home.store, home.patience))


def find_package(home: Home, location: str, digest: str) -> Path:
    """Return the folder of a package, fetched from the store if it is not here.

    One that was built elsewhere is among the packages here, whatever its place was there.

    Parameters
    ----------
    home : Home
    location : str
        As the registry has it: relative to the state folder, or absolute.
    digest : str

    Raises
    ------
    PackageError, StoreError
        As for ``fetch_package``.
    """
    place, kept = home.folder / location, home.packages / digest[:16]
    for folder in (place, kept):
        if (folder / MANIFEST).exists():
            return folder
    if home.store is None:
        if home.database is not None:
            raise PackageError(
                "The package is in the state folder of the machine that built it, and not here",
                seen=location,
                remedy="Machines that share a database share a store too: set store in gleis.toml.",
            )
        return place
    return fetch_package(kept.name, open_objects(home.store, home.patience), home.packages)


def has_package(objects: Objects, name: str) -> bool:
    """Say whether a store holds a package, whole."""
    return objects.size(f"{FOLDER}/{name}/{MANIFEST}") is not None


def send_package(folder: Path, objects: Objects, seen: Seen = nobody) -> bool:
    """Bring a package into a store; return whether it was missing there.

    Parameters
    ----------
    folder : Path
        The package; its name is its place in the store.
    objects : Objects
    seen : callable, optional
        Told how many bytes were sent.

    Raises
    ------
    StoreError
        The store fails. What was sent before is used the next time.
    """
    if has_package(objects, folder.name):
        return False
    there = {found.key: found.size for found in objects.list(f"{FOLDER}/{folder.name}")}
    for name, size in package_files(folder).items():
        key = f"{FOLDER}/{folder.name}/{name}"
        if there.get(key) == size:
            seen(size)
        else:
            objects.upload(key, folder / name, seen)
    return True


def fetch_package(name: str, objects: Objects, folder: Path, seen: Seen = nobody) -> Path:
    """Bring a package from a store into a folder; return where it is.

    Every file is held against the manifest as it arrives. Who loads the package checks signature
    and digest as of any other.

    Parameters
    ----------
    name : str
        Its place in the store.
    objects : Objects
    folder : Path
        Folder of the packages here.
    seen : callable, optional
        Told how many bytes came.

    Raises
    ------
    PackageError
        The store does not hold it whole, or a file of it is not what its manifest says.
    StoreError
        The store or the folder fails.
    """
    prefix = f"{FOLDER}/{name}"
    manifest = objects.get(f"{prefix}/{MANIFEST}")
    if manifest is None:
        raise PackageError(
            f"There is no package {name} at {objects.url}",
            remedy="Push it from where it was made: gleis push; or build it again: gleis run.",
        )
    # In the folder itself, so that one rename makes it whole; a name of its own for each process.
    draft = folder / f".coming-{name}-{secrets.token_hex(4)}"
    try:
        draft.mkdir(parents=True)
        for found in objects.list(prefix):
            path = draft / check_key(found.key).removeprefix(f"{prefix}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            _check_arrived(
                path.relative_to(draft), objects.download(found.key, path, seen), manifest
            )
        _into_place(draft, folder / name)
    except OSError as error:
        raise StoreError(
            f"The package {name} cannot be written: {error.strerror or error}",
            seen=str(folder),
            remedy="Make the folder writable and see that the disk has room.",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder / name


def package_files(folder: Path) -> dict[str, int]:
    """Return the files of a package and their sizes, the manifest last."""
    files = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != NOTE
    }
    if MANIFEST not in files:
        raise PackageError(
            "This is not a package: it has no manifest.json",
            seen=str(folder),
            remedy="Name a folder that gleis run made.",
        )
    return files | {MANIFEST: files.pop(MANIFEST)}


def _check_arrived(name: Path, digest: str, manifest: bytes) -> None:
    if name.as_posix() == MANIFEST:
        expected: str | None = hashlib.sha256(manifest).hexdigest()
    else:
        listed = msgspec.json.decode(manifest, type=_Manifest).files.get(name.as_posix())
        expected = None if listed is None else listed.sha256
    if expected is not None and digest != expected:
        raise PackageError(
            f"{name} did not arrive as its manifest says",
            seen=digest,
            remedy="Run it again; if it stays so, push the package anew from where it was made.",
            field=name.as_posix(),
        )


def _into_place(draft: Path, place: Path) -> None:
    draft.chmod(0o755)
    try:
        os.rename(draft, place)
    except OSError:
        if not (place / MANIFEST).exists():  # another process was quicker: then it is there
            raise
