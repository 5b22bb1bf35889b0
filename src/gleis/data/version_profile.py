"""The profile that a dataset version carries: what its rows look like, without reading them."""

from __future__ import annotations

import msgspec
import polars as pl

from gleis.contracts.dataset import DatasetSpec
from gleis.contracts.ports import ArtifactStore
from gleis.contracts.profile import Profile
from gleis.data.profile import merge, profile

_VALUES = 1000
"""Text with more different values is no category."""
_LOOK = 20_000


def put_profile(artifacts: ArtifactStore, frame: pl.DataFrame, spec: DatasetSpec) -> str:
    """Sketch all rows of a version and keep the sketches; return their artifact.

    Numbers, booleans, and text with few values; neither ids nor times.
    """
    return _put(artifacts, profile(frame, _columns(frame, spec)))


def put_extended(artifacts: ArtifactStore, known: str | None, new: pl.DataFrame) -> str | None:
    """Add new rows to the profile of a version; only they are looked at.

    Parameters
    ----------
    artifacts : ArtifactStore
    known : str or None
        Artifact with the profile of the rows before them, whose bins and categories stay; None if
        that version has none: then this one has none either.
    new : DataFrame
        In the columns of the version.
    """
    if known is None:
        return None
    before = get_profile(artifacts, known)
    return _put(artifacts, merge(before, profile(new, list(before.columns), before)))


def get_profile(artifacts: ArtifactStore, digest: str) -> Profile:
    """Read the profile of a version: `DatasetVersion.profile`.

    Raises
    ------
    StoreError
        It is not there, or damaged.
    """
    return msgspec.json.decode(artifacts.get(digest), type=Profile)


def _put(artifacts: ArtifactStore, made: Profile) -> str:
    return artifacts.put(msgspec.json.encode(made))


def _columns(frame: pl.DataFrame, spec: DatasetSpec) -> list[str]:
    return [name for name in frame.columns if name != spec.id and _can_be_sketched(frame[name])]


def _can_be_sketched(column: pl.Series) -> bool:
    if column.dtype == pl.String:
        # A few thousand rows tell free text from categories; the count of all is slower.
        return column.head(_LOOK).n_unique() <= _VALUES and column.n_unique() <= _VALUES
    return column.dtype.is_integer() or column.dtype.is_float() or column.dtype == pl.Boolean
