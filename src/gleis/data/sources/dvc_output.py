"""What DVC says of a file or folder: a ``.dvc`` file, or an output of ``dvc.yaml``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml  # type: ignore[import-untyped]

from gleis.contracts.errors import DataError

_CHUNK = 1 << 20


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder under DVC."""

    path: Path
    md5: str
    """As DVC writes it; that of a folder ends in ``.dir``."""
    text_md5: bool = False
    """Whether line ends are made those of Unix before hashing, as DVC 2 did with text."""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.md5.endswith(".dir")


def read_dvc_file(path: Path) -> Output:
    """Read a ``.dvc`` file.

    Raises
    ------
    DataError
        It is not there, is none, names several outputs, or was not added yet.
    """
    outs = _yaml(path).get("outs")
    if not isinstance(outs, list) or len(outs) != 1:
        raise DataError(
            f"{path.name} names {len(outs) if isinstance(outs, list) else 'no'} outputs",
            remedy="Name a .dvc file with exactly one: dvc add FILE.",
        )
    wdir = _yaml(path).get("wdir", ".")
    return _output(outs[0], path.parent / str(wdir), path)


def locked_output(path: Path, top: Path) -> Output | None:
    """Find a file or folder among the outputs of the ``dvc.lock`` beside or above it.

    Parameters
    ----------
    path : Path
    top : Path
        The project's folder, up to which is looked.

    Raises
    ------
    DataError
        A ``dvc.lock`` cannot be read.
    """
    for folder in (path.parent, *path.parent.parents):
        lock = folder / "dvc.lock"
        if lock.is_file():
            for out in _locked(_yaml(lock)):
                if folder / str(out.get("path")) == path:
                    return _output(out, folder, lock)
        if folder == top:
            break
    return None


def _locked(content: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    stages = content.get("stages", content)
    for stage in stages.values() if isinstance(stages, dict) else ():
        outs = stage.get("outs") if isinstance(stage, dict) else None
        yield from (out for out in outs or () if isinstance(out, dict))


def _yaml(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = str(error).splitlines()[0]
        raise DataError(f"{path.name} cannot be read: {why}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path.name} is no file of DVC", remedy="Write it with: dvc add FILE.")
    return content


def _output(out: Any, folder: Path, source: Path) -> Output:
    md5 = out.get("md5") if isinstance(out, dict) else None
    if not isinstance(md5, str) or not isinstance(out.get("path"), str):
        raise DataError(
            f"{source.name} holds no md5 of its output",
            remedy="Run dvc add FILE, or dvc repro; outputs on a remote of their own are not read.",
        )
    return Output(path=folder / out["path"], md5=md5, text_md5=out.get("hash") != "md5")


def md5_of(output: Output) -> str | None:
    """Return the MD5 of what is there now, as DVC computes it; None if there is nothing.

    Raises
    ------
    DataError
        It may not be read.
    """
    try:
        if output.is_folder:
            return _folder_md5(output) if output.path.is_dir() else None
        return _file_md5(output.path, output.text_md5) if output.path.is_file() else None
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}") from error


def files_of(output: Output) -> list[Path]:
    """Return the files of an output in the order of their names."""
    if not output.is_folder:
        return [output.path]
    return sorted(path for path in output.path.rglob("*") if path.is_file())


def _folder_md5(output: Output) -> str:
    listed = [
        {
            "md5": _file_md5(path, output.text_md5),
            "relpath": path.relative_to(output.path).as_posix(),
        }
        for path in files_of(output)
    ]
    listed.sort(key=lambda one: one["relpath"])
    content = json.dumps(listed, sort_keys=True).encode()
    return f"{hashlib.md5(content).hexdigest()}.dir"  # noqa: S324 - DVC's


def _file_md5(path: Path, text: bool) -> str:
    digest = hashlib.md5()  # noqa: S324 - DVC's; a checksum, no safeguard
    with path.open("rb") as file:
        first = file.read(512)
        file.seek(0)
        as_text = text and b"\0" not in first
        while chunk := file.read(_CHUNK):
            digest.update(chunk.replace(b"\r\n", b"\n") if as_text else chunk)
    return digest.hexdigest()
