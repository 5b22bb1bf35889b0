"""The commit a run was made from, and what was not committed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from gleis.contracts.ports import ArtifactStore
from gleis.contracts.run import Code

_LARGEST = 1_000_000


def describe_code(folder: Path, reached: str, artifacts: ArtifactStore) -> Code:
    """Name the commit of ``folder`` and store what differs from it.

    A folder outside a repository, or a machine without git, has no commit: both are ordinary.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return Code(reached=reached)
    changes = _git(folder, "diff", "HEAD", "--", ".") or ""
    others = _git(folder, "ls-files", "--others", "--exclude-standard", "--", ".") or ""
    untracked = [_untracked(folder / name) for name in others.splitlines() if name.endswith(".py")]
    dirty = "\n".join(part for part in (changes, *untracked) if part)
    diff = artifacts.put(dirty.encode()) if dirty else None
    return Code(reached=reached, commit=commit.strip(), diff=diff)


def _git(folder: Path, *words: str) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *words],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except FileNotFoundError:
        return None
    return answer.stdout if answer.returncode == 0 else None


def _untracked(path: Path) -> str:
    text = path.read_bytes()[:_LARGEST].decode(errors="replace")
    return f"--- /dev/null\n+++ {path.name}\n{text}"
