"""The model that several benchmarks serve: the flights template, trained as of April 2013."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

AS_OF = "2013-04-01"


def train(project: Path) -> Path:
    """Run the line of the flights template on a fresh folder; return the folder."""
    print("training the flights model", flush=True)
    gleis = [sys.executable, "-m", "gleis"]
    run([*gleis, "init", str(project), "--template", "flights"], project.parent)
    run([*gleis, "run", "--as-of", AS_OF], project)
    return project


def run(command: list[str], folder: Path) -> str:
    """Run a command to its end; return what it printed."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    if done.returncode:
        raise SystemExit(f"{command[:3]} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout
