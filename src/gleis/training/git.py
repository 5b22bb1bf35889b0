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
    changes = _git(folder, "diff", "HEAD", "--", ".")
    if changes is None:  # no difference and an unknown one are not the same
        changes = "git diff failed, or took too long: what was not committed is not known.\n"
    others = _git(folder, "ls-files", "-z", "--others", "--exclude-standard", "--", ".") or ""
    untracked = [_untracked(folder, name) for name in others.split("\0") if name.endswith(".py")]
    dirty = "\n".join(part for part in (changes, *untracked) if part)
    diff = artifacts.put(dirty.encode()) if dirty else None
    return Code(reached=reached, commit=commit.strip(), diff=diff)


def _git(folder: Path, *words: str) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *words],  # noqa: S607
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    # A data file in the repository need not be UTF-8.
    return answer.stdout.decode(errors="replace") if answer.returncode == 0 else None


def _untracked(folder: Path, name: str) -> str:
    text = (folder / name).read_bytes()[:_LARGEST].decode(errors="replace")
    return f"--- /dev/null\n+++ {name}\n{text}"
