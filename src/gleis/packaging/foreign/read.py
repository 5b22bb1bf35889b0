"""Open a model that was made elsewhere, without letting it do anything but be read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec

from gleis.contracts.errors import PackageError
from gleis.packaging.foreign.opened import Opened, Reply, Request

_PATIENCE = 300.0
"""Seconds for opening and answering."""


def open_confined(request: Request) -> Opened:
    """Open a pickle in a process that has no network, no files to write and nobody to signal.

    Reading a pickle runs whatever code it holds. That code runs where it can do nothing; what
    comes back are arrays and type names, which are audited like any other package's.

    Parameters
    ----------
    request : Request

    Raises
    ------
    PackageError
        If it cannot be opened, takes too long, or this machine cannot confine a process.
    """
    process = subprocess.Popen(
        [sys.executable, "-s", "-m", "gleis.packaging.foreign.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
        cwd=tempfile.gettempdir(),
        start_new_session=True,
    )
    try:
        out, told = process.communicate(msgspec.msgpack.encode(request), timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        raise PackageError(
            f"The model was not open after {_PATIENCE:.0f} s",
            seen=request.path,
            remedy="Give fewer rows, or save it again with skops.io.dump.",
        ) from None
    finally:
        _end(process)
    return _read(out, told, process.returncode, request)


def _read(out: bytes, told: bytes, code: int, request: Request) -> Opened:
    if code == 3:
        raise PackageError(
            f"This machine cannot open a pickle safely: {out[1:].decode('utf-8', 'replace')}",
            seen=request.path,
            remedy="Save the model again with skops.io.dump and adopt that file, or adopt it on "
            "Linux with user namespaces and Landlock.",
        )
    try:
        reply = msgspec.msgpack.decode(out, type=Reply)
    except msgspec.MsgspecError:
        reply = Reply()
    if reply.refused is not None:
        why = reply.refused
        what = why.what if why.seen is None else f"{why.what}: {why.seen}"
        raise PackageError(what, remedy=why.remedy, field=why.field)
    if code or reply.opened is None:
        last = told.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise PackageError(
            f"The process that opened the model ended with {code}: {last[0]}",
            seen=request.path,
            remedy="It was confined and has done no harm. Ask where the file comes from.",
        )
    return reply.opened


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group: the child in the inner namespace outlives its parent otherwise."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _environment() -> dict[str, str]:
    """Nothing that is secret here, and where the libraries are."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    paths = [str(Path(path).absolute()) for path in sys.path if path]
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "HOME": "/", "JOBLIB_MULTIPROCESSING": "0"}
