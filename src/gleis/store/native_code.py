"""Optional code in C: compiled where there is a compiler, loaded where it was compiled.

``python -m gleis.store.native_code`` compiles all of gleis's in place; so does an installation from
source, which runs this file alone. Only the standard library is used.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[1]
_FLAGS = ("-O3", "-std=c99", "-ffp-contract=off", "-fPIC", "-shared")
"""Products are not contracted into sums: code in numpy gives the same figures."""


def build_native(source: Path, folder: Path | None = None) -> Path | None:
    """Compile a C file to a library of its name, ``.so``.

    Parameters
    ----------
    source : Path
    folder : Path, optional
        Where the library goes; must be there. Default: beside the source.

    Returns
    -------
    Path or None
        The library, or None if there is no compiler or it fails.
    """
    compiler = shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc")
    if compiler is None:
        return None
    target = (folder or source.parent) / f"{source.stem}.so"
    with tempfile.TemporaryDirectory(dir=target.parent) as draft:
        made = Path(draft) / target.name
        command = [compiler, *_FLAGS, str(source), "-lm", "-o", str(made)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
        except OSError:
            return None
        if done.returncode != 0:
            return None
        # Whole or not at all: a process may have the old one in memory.
        made.replace(target)
    return target


def build_all(package: Path = _PACKAGE) -> list[Path]:
    """Compile every C file of the package in place; return the libraries."""
    built = [build_native(source) for source in sorted(package.rglob("*.c"))]
    return [library for library in built if library is not None]


def load_native(library: Path, layout: int) -> Any | None:
    """Load a library that ``build_native`` made.

    Parameters
    ----------
    library : Path
    layout : int
        What its ``gleis_kernel_layout()`` must answer: one that an earlier version left behind
        would read our structures wrongly.

    Returns
    -------
    ctypes.CDLL or None
        None where it is not there, or of another layout.
    """
    try:
        found = ctypes.CDLL(str(library))
        there: int = found.gleis_kernel_layout()
    except (OSError, AttributeError):
        return None
    return found if there == layout else None


if __name__ == "__main__":
    libraries = build_all()
    text = "".join(f"{library}\n" for library in libraries)
    sys.stdout.write(text or "no C compiler: numpy answers\n")
