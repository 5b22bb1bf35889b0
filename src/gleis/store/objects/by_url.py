"""What a URL of ``store`` or ``remote`` opens: a folder or a bucket, and what is in it.

Whoever keeps everything in the state folder loads nothing of this but the names.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gleis.contracts.errors import ConfigError
from gleis.store.artifacts import LocalArtifacts
from gleis.store.objects.claim import Claim, unclaimed
from gleis.store.objects.patience import Patience

if TYPE_CHECKING:
    from gleis.contracts.ports import ArtifactStore
    from gleis.store.objects.objects import Objects
    from gleis.store.objects.s3 import S3Objects
    from gleis.store.tables.table import DeltaTable

S3 = "s3://"
TABLES = "datasets"
"""Folder of the tables, below the state folder or the store."""


def resolve_url(url: str, project: Path, field: str) -> str:
    """Return the URL of a bucket as it is, and a folder as an absolute path.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``, a path, or ``file:///path``.
    project : Path
        Folder that relative paths begin at.
    field : str
        The setting it comes from, for errors.

    Raises
    ------
    ConfigError
        It names no place that is known, or holds a secret.
    """
    if url.startswith(S3):
        return _bucket(url, field)
    if "://" in url and not url.startswith("file://"):
        raise ConfigError(
            f"{field} names a kind of place that is not known",
            seen=url.partition("://")[0] + "://",
            remedy="Write a folder or s3://bucket/prefix; MinIO and others by AWS_ENDPOINT_URL.",
            field=field,
        )
    path = url.removeprefix("file://")
    if not path:
        raise ConfigError(
            f"{field} is empty", remedy="Write a folder or s3://bucket/prefix.", field=field
        )
    return str((project / Path(path).expanduser()).absolute())


def open_objects(url: str, patience: Patience, field: str = "store") -> Objects:
    """Open a folder or a bucket.

    Raises
    ------
    ConfigError
        What speaks to S3 is not installed, or cannot make sense of the variables.
    """
    if not url.startswith(S3):
        from gleis.store.objects.objects import FolderObjects

        return FolderObjects(Path(url))
    return open_bucket(url, patience, field)


def open_bucket(url: str, patience: Patience, field: str = "store") -> S3Objects:
    """Open a bucket, or what is below a prefix in it.

    Raises
    ------
    ConfigError
        The URL names no bucket or holds a secret; or as ``open_objects``.
    """
    url = _bucket(url, field)
    try:
        from gleis.store.objects.s3 import S3Objects
    except ImportError as error:
        raise ConfigError(
            "What speaks to S3 is not installed",
            seen=url,
            remedy='Install it: pip install "gleis[s3]".',
            field=field,
        ) from error
    return S3Objects(url, patience)


def open_artifacts(
    folder: Path, store: str | None, patience: Patience, claim: Claim = unclaimed
) -> ArtifactStore:
    """Open the artifacts of a state folder, wherever they are."""
    local = LocalArtifacts(folder / "artifacts")
    if store is None:
        return local
    from gleis.store.objects.artifacts import ObjectArtifacts

    return ObjectArtifacts(open_objects(store, patience), local, claim)


def open_table(
    folder: Path, store: str | None, name: str, patience: Patience, claim: Claim = unclaimed
) -> DeltaTable:
    """Open the table of a dataset, wherever it is."""
    from gleis.store.objects.s3_options import delta_options
    from gleis.store.tables.table import DeltaTable

    location = f"{store or folder}/{TABLES}/{name}"
    return DeltaTable(location, delta_options(location, patience), claim)


def _bucket(url: str, field: str) -> str:
    bucket = url.removeprefix(S3).partition("/")[0]
    if "@" in bucket or ":" in bucket or "?" in url:
        raise ConfigError(
            f"{field} holds more than a bucket and a prefix",
            seen=f"{S3}...",
            remedy="Write s3://bucket/prefix; credentials belong into AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, the endpoint into AWS_ENDPOINT_URL.",
            field=field,
        )
    if not bucket:
        raise ConfigError(
            f"{field} names no bucket", seen=url, remedy="Write s3://bucket/prefix.", field=field
        )
    return url.rstrip("/")
