"""What a browser needs to draw charts: made once, beside the processes that answer."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from importlib.metadata import version
from pathlib import Path

from gleis.contracts.errors import StoreError

FILES = ("library.js", "specs.js")
_SOURCE = Path(__file__).with_name("charts.py")
_PATIENCE = 120.0


class Drawing:
    """The files that draw charts, kept in the state folder.

    The first who asks waits some seconds until another process has made them.

    Parameters
    ----------
    folder : Path
        Where they are kept; made when first needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _edition()
        self._lock = threading.Lock()

    def find(self, name: str) -> Path:
        """Return the path of one of ``FILES``.

        Raises
        ------
        StoreError
            They cannot be made.
        """
        with self._lock:
            if not self._folder.is_dir():
                self._make()
        return self._folder / name

    def _make(self) -> None:
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(dir=self._folder.parent))
            try:
                _run(made)
                os.replace(made, self._folder)
            finally:
                shutil.rmtree(made, ignore_errors=True)
        except (OSError, subprocess.SubprocessError) as error:
            if self._folder.is_dir():  # another worker was quicker
                return
            said = getattr(error, "stderr", None) or str(error)
            raise StoreError(
                "The charts cannot be made",
                seen=said.strip()[-150:],
                remedy=f"Make room in {self._folder.parent}; the tables need no charts.",
            ) from error


def _run(folder: Path) -> None:
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "gleis.web.charts", str(folder)],
        check=True,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        stdin=subprocess.DEVNULL,
    )


def _edition() -> str:
    """Return a name that changes with whatever the files are made of."""
    made_of = [version("altair"), version("vl-convert-python"), _SOURCE.read_text("utf-8")]
    return hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:16]
