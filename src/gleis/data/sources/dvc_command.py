"""The ``dvc`` command: the one place that runs it.

It is called as a program, not imported, so that it may live in an environment of its own: DVC pins
packages that others need newer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from gleis.contracts.errors import ConfigError, DataError

_LONGEST = 24 * 3600.0
"""Seconds: data may be large, and far away."""


def dvc(arguments: Sequence[str], folder: Path) -> str:
    """Run ``dvc ARGUMENTS`` in a folder, without its telemetry; return what it prints.

    Raises
    ------
    ConfigError
        There is no such command, neither beside this Python nor in ``PATH``.
    DataError
        It fails.
    """
    beside = str(Path(sys.executable).parent)
    found = shutil.which("dvc", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise ConfigError(
            "The command dvc is not installed",
            seen=f"dvc {' '.join(arguments)}",
            remedy="Install it: pip install 'gleis[dvc]', or into an environment of its own: "
            "pipx install dvc.",
        )
    done = subprocess.run(  # noqa: S603 - a fixed program, arguments are no shell's
        [found, *arguments],
        cwd=folder,
        env={**os.environ, "DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        why = next((line for line in said if line.startswith("ERROR")), "".join(said[-1:]))
        raise DataError(
            f"dvc {' '.join(arguments)} fails: {why.removeprefix('ERROR: ') or done.returncode}",
            remedy=f"Run it in {folder} to see more.",
        )
    return done.stdout
