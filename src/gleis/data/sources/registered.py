"""All kinds of sources: what ``from`` of ``[datasets.NAME]`` may say."""

from __future__ import annotations

from collections.abc import Callable

from gleis.contracts.errors import ConfigError
from gleis.data.sources.dvc_file import DvcFile, is_under_dvc
from gleis.data.sources.files import Files
from gleis.data.sources.one_file import OneFile
from gleis.data.sources.source import Open, Opening, Source


def _is_many(opening: Opening) -> bool:
    where = opening.where
    return (
        any(sign in where for sign in "*?[")
        or (opening.folder / where).is_dir()
        or (where.endswith("/"))
    )


KINDS: tuple[tuple[Callable[[Opening], bool], Open], ...] = (
    (is_under_dvc, DvcFile),
    (_is_many, Files),
    (lambda opening: "://" not in opening.where, OneFile),
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
        remedy="Write a file, a pattern such as data/*.parquet, a folder, a .dvc file, or "
        "kafka://HOST:PORT/TOPIC.",
        field=f"datasets.{opening.spec.name}.from",
    )
