"""Environments of their own for peers, made on first use in the user's cache folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def install(name: str, *requirements: str) -> Path:
    """Return an environment that holds exactly these requirements.

    It lies in ``gleis-benchmarks`` of ``XDG_CACHE_HOME`` (``~/.cache``), is made with ``uv`` from
    whatever index that is configured for, and made anew when the requirements change.

    Raises
    ------
    subprocess.CalledProcessError
        If they cannot be installed; ``stderr`` says why.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    target = cache / "gleis-benchmarks" / name
    done, wanted = target / "installed", "\n".join(requirements)
    if not done.exists() or done.read_text() != wanted:
        uv = _uv()
        print(f"installing {', '.join(requirements)}", flush=True)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        python = str(target / "bin" / "python")
        for command in (
            [uv, "venv", "-q", "--python", sys.executable, str(target)],
            [uv, "pip", "install", "-q", "--python", python, *requirements],
        ):
            subprocess.run(command, check=True, capture_output=True, text=True)
        done.write_text(wanted)
    return target


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise SystemExit("uv is needed to install peers; make setup installs it")
    return found
