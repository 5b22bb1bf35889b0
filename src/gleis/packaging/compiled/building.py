"""Compile ``kernel.c`` where there is a C compiler; without one the kernel in numpy answers.

``python -m gleis.packaging.compiled.building`` does it in place; so does an installation from
source. Only the standard library is used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_FOLDER = Path(__file__).parent
_FLAGS = ("-O3", "-std=c99", "-ffp-contract=off", "-fPIC", "-shared")


def build_kernel(folder: Path = _FOLDER) -> Path | None:
    """Compile ``kernel.c`` to ``folder / "kernel.so"``.

    Parameters
    ----------
    folder : Path
        Must be there.

    Returns
    -------
    Path or None
        The library, or None if there is no compiler or it fails.
    """
    compiler = shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc")
    if compiler is None:
        return None
    target = folder / "kernel.so"
    with tempfile.TemporaryDirectory(dir=folder) as draft:
        made = Path(draft) / "kernel.so"
        command = [compiler, *_FLAGS, str(_FOLDER / "kernel.c"), "-lm", "-o", str(made)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
        except OSError:
            return None
        if done.returncode != 0:
            return None
        # Whole or not at all: a process may have the old one in memory.
        made.replace(target)
    return target


if __name__ == "__main__":
    built = build_kernel()
    sys.stdout.write(f"{built}\n" if built else "no C compiler: the kernel in numpy answers\n")
