from __future__ import annotations

import subprocess

from gleis.store.artifacts import LocalArtifacts
from gleis.training.git import describe_code


def git(folder, *words):
    subprocess.run(
        ["git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.org", *words],
        check=True,
        capture_output=True,
    )


def test_commit_and_what_was_not_committed(tmp_path):
    store = LocalArtifacts(tmp_path / "store")
    folder = tmp_path / "project"
    folder.mkdir()
    assert describe_code(folder, "r", store).commit is None

    git(folder, "init")
    (folder / "p.py").write_text("a = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    clean = describe_code(folder, "r", store)
    assert clean.commit
    assert len(clean.commit) == 40
    assert clean.diff is None

    (folder / "p.py").write_text("a = 2\n")
    (folder / "new.py").write_text("b = 3\n")
    dirty = describe_code(folder, "r", store)
    assert dirty.commit == clean.commit
    text = store.get(dirty.diff).decode()
    assert "+a = 2" in text
    assert "b = 3" in text
