"""All kinds of sources: what ``from`` of ``[datasets.NAME]`` may say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gleis.contracts.errors import ConfigError
from gleis.data.sources.bucket_files import BucketFiles
from gleis.data.sources.dvc_file import DvcFile, is_under_dvc
from gleis.data.sources.files import Files
from gleis.data.sources.folder_files import FolderFiles
from gleis.data.sources.formats import READERS, suffix_of
from gleis.data.sources.function_rows import FunctionRows, split_name
from gleis.data.sources.one_file import OneFile
from gleis.data.sources.place import is_pattern
from gleis.data.sources.source import Open, Opening, Source
from gleis.store.objects.by_url import S3


def _is_here(opening: Opening) -> bool:
    return "://" not in opening.where


def _is_in_bucket(opening: Opening) -> bool:
    return opening.where.startswith(S3)


def _is_many(opening: Opening) -> bool:
    where = opening.where
    if is_pattern(where) or where.endswith("/"):
        return True
    if _is_in_bucket(opening):  # which has no folders, only keys
        return suffix_of(Path(where)) not in READERS
    return _is_here(opening) and (opening.folder / where).is_dir()


def _files(opening: Opening) -> Source:
    place = BucketFiles(opening) if _is_in_bucket(opening) else FolderFiles(opening)
    return Files(opening, place) if _is_many(opening) else OneFile(opening, place)


KINDS: tuple[tuple[Callable[[Opening], bool], Open], ...] = (
    (_is_in_bucket, _files),
    (lambda opening: split_name(opening.where) is not None, FunctionRows),
    (is_under_dvc, DvcFile),
    (_is_here, _files),
)
"""Which sources a kind is for, the first that says yes -> how it is opened."""


def open_source(opening: Opening) -> Source:
    """Open the source of a dataset.

    Raises
    ------
    ConfigError
        There is no such kind.
    """
    for is_for, opens in KINDS:
        if is_for(opening):
            return opens(opening)
    raise ConfigError(
        f"datasets.{opening.spec.name}.from is no source that can be read",
        seen=opening.where,
        remedy="Write a file, a pattern such as data/*.parquet, a folder, a .dvc file, "
        "MODULE:FUNCTION, s3://BUCKET/PREFIX/, or kafka://HOST:PORT/TOPIC.",
        field=f"datasets.{opening.spec.name}.from",
    )
