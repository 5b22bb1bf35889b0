"""A file or folder under DVC as the source of a whole dataset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from gleis.contracts.dataset import SourceFile
from gleis.contracts.errors import DataError
from gleis.data.schema import fit_columns
from gleis.data.sources.dvc_command import dvc
from gleis.data.sources.dvc_output import Output, files_of, locked_output, md5_of, read_dvc_file
from gleis.data.sources.folder_files import name_of
from gleis.data.sources.formats import READERS, Shape, read_file, shape_of, suffix_of
from gleis.data.sources.source import Notes, Opening, Part, Portion, Taken, as_seen


def is_under_dvc(opening: Opening) -> bool:
    """Say whether a source is a ``.dvc`` file, or an output that a ``dvc.lock`` names."""
    path = opening.folder / opening.where
    return path.suffix == ".dvc" or locked_output(path, opening.folder) is not None


class DvcFile:
    """Reads what DVC holds whenever its MD5 is another one than that taken.

    The version's provenance has this MD5, so that a dataset version and a commit of the
    repository name each other. What is not here is pulled from the remote.

    Parameters
    ----------
    opening : Opening
        ``where``: a ``.dvc`` file, or an output of ``dvc.yaml``.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._path: Path = opening.folder / opening.where

    def read(self, taken: Taken, notes: Notes) -> Iterator[Portion]:
        """Return all rows, if DVC's MD5 is not that of the rows taken."""
        opening = self._opening
        output = self._output()
        name = name_of(output.path, opening.folder)
        hash_ = f"md5:{output.md5}"
        before = taken.files.get(name)
        if (before is not None and before.hash == hash_) or notes.is_aside(name, hash_):
            return
        self._bring(output, name)
        shape = shape_of(opening.spec, opening.settings, taken.columns)
        try:
            frame = _read(output, shape)
        except FileNotFoundError:
            notes.leave(name, "it vanished while it was read")
            return
        except DataError as error:
            notes.set_aside(name, hash_, error)
            return
        size = sum(path.stat().st_size for path in files_of(output))
        file = SourceFile(path=name, hash=hash_, size=size, rows=frame.height)
        yield Portion(parts=(Part(frame=frame, file=file),), whole=True)

    def _output(self) -> Output:
        if self._path.suffix == ".dvc":
            return read_dvc_file(self._path)
        found = locked_output(self._path, self._opening.folder)
        if found is None:
            raise DataError(f"{self._opening.where} is no output of a dvc.lock any more")
        return found

    def _bring(self, output: Output, name: str) -> None:
        """See that what is here is what DVC says; pull it if not."""
        if md5_of(output) == output.md5:
            return
        dvc(["pull", "--quiet", str(self._path)], self._opening.folder)
        found = md5_of(output)
        if found != output.md5:
            raise DataError(
                f"{name} is not as DVC says, {output.md5}",
                seen=found,
                remedy="Changed on purpose: dvc add, or dvc commit. Otherwise: dvc checkout.",
                field=f"datasets.{self._opening.spec.name}.from",
            )


def _read(output: Output, shape: Shape) -> pl.DataFrame:
    frames: list[pl.DataFrame] = []
    for path in files_of(output):
        if output.is_folder and suffix_of(path) not in READERS:
            continue
        try:
            frame = read_file(path, shape)
            if frames and frame.height:
                frame = fit_columns(frame, {k: str(v) for k, v in frames[0].schema.items()})
        except DataError as error:
            raise DataError(
                f"{path.name}: {error.what}",
                seen=as_seen(error),
                remedy=error.remedy,
            ) from error
        if frame.height:
            frames.append(frame)
    return pl.concat(frames) if frames else pl.DataFrame()
