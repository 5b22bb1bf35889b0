"""What is in a package folder: every file, its hash and its size."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from gleis.contracts.errors import PackageError

MANIFEST = "manifest.json"
FILES = frozenset(
    {
        "MLmodel",
        "baseline.json",
        "card.md",
        "compiled.json",
        "compiled.npz",
        "conda.yaml",
        "contract.json",
        "evidence.json",
        "lineage.json",
        "model.frame.json",
        "model.json",
        "model.onnx",
        "model.onnx.json",
        "model.skops",
        "model.types.json",
        "background.json",
        "outliers.json",
        "python_env.yaml",
        "reference.json",
        "requirements-serving.txt",
        "requirements.txt",
        "sbom.cdx.json",
        "tests/metrics.json",
        "tests/rows.json",
    }
)
"""Every file a package of this format may hold."""

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


def describe(files: Mapping[str, bytes], hashes: Mapping[str, str] | None = None) -> Manifest:
    """Return the manifest of ``files`` (path with ``/`` -> content).

    ``hashes`` (path -> SHA-256) are computed if they are not known.

    Examples
    --------
    >>> describe({"card.md": b"# A card"}).files["card.md"].size
    8
    """
    known = hashes or {}
    entries = {
        path: Entry(
            sha256=known.get(path) or hashlib.sha256(content).hexdigest(), size=len(content)
        )
        for path, content in sorted(files.items())
    }
    lines = "".join(f"{path}\0{entry.sha256}\n" for path, entry in entries.items())
    return Manifest(digest=hashlib.sha256(lines.encode()).hexdigest(), files=entries)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was read from a package folder, before anything of it is believed."""

    manifest: bytes
    """Content of ``manifest.json``."""
    signature: bytes | None
    """Content of ``model.sig``; None if there is none."""
    files: dict[str, bytes]
    """Path with ``/`` -> content of every other file, sorted."""
    hashes: dict[str, str]
    """Path -> SHA-256 of these files and of the manifest: what a signature covers."""


def check_manifest(found: Found, digest: str | None) -> Manifest:
    """Hold the files of a package against its manifest.

    Parameters
    ----------
    found : Found
    digest : str or None
        The digest the package must have, as the registry knows it.

    Raises
    ------
    PackageError
        A file missing, added, changed or unknown; another digest; a format of a later version.
    """
    try:
        manifest = msgspec.json.decode(found.manifest, type=Manifest)
    except msgspec.DecodeError as error:
        raise PackageError(
            f"{MANIFEST} cannot be read: {error}", remedy=_REMEDY, field=MANIFEST
        ) from error
    if manifest.format != 1:
        raise PackageError(
            "The package has a format this version cannot read",
            seen=manifest.format,
            remedy="Upgrade gleis.",
        )
    actual = describe(found.files, found.hashes)
    for path in sorted(set(actual.files) | set(manifest.files)):
        _check_file(path, actual.files.get(path), manifest.files.get(path))
    if actual.digest != manifest.digest or digest not in (None, actual.digest):
        raise PackageError(
            f"This is not the package that was approved: its digest is {actual.digest}",
            seen=digest or manifest.digest,
            remedy=_REMEDY,
        )
    return manifest


def _check_file(path: str, actual: Entry | None, listed: Entry | None) -> None:
    if actual is None:
        raise _refuse("is missing", path)
    if listed is None:
        raise _refuse("is not in the manifest", path)
    if path not in FILES:
        raise _refuse("is no file of a package", path)
    if actual != listed:
        raise _refuse("was changed after the package was built", path)


def _refuse(why: str, path: str) -> PackageError:
    return PackageError(f"{path} {why}", remedy=_REMEDY, field=path)
