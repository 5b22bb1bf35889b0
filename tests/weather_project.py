"""A project with a table beside its own, fed from files."""

from __future__ import annotations

import os
import time
from pathlib import Path

from gleis.lifecycle.project import Project

_MODULE = """
def load(since, until):
    return None

def build_model(params):
    return None
"""


def make_weather(folder: Path, source: str, more: str = "", failing: str = "refuse") -> Project:
    """Write the project and open it; ``more`` are further lines of ``[datasets.weather]``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "p.py").write_text(_MODULE)
    (folder / "gleis.toml").write_text(
        f"""
[project]
name = "p"
module = "p"
task = "binary"
target = "late"

[data]
failing = "{failing}"

[datasets.weather]
from = "{source}"
{more}
"""
    )
    return Project.open(folder)


def at_rest(path: Path, seconds: float = 60) -> Path:
    """Let a file be as old as one that nobody writes any more."""
    moment = time.time() - seconds
    os.utime(path, (moment, moment))
    return path


def put(path: Path, text: str | bytes) -> Path:
    """Write a file that is at rest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return at_rest(path)
