from __future__ import annotations

import shutil
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


def test_files_and_names_that_are_not_ascii(tmp_path):
    store, folder = LocalArtifacts(tmp_path / "store"), tmp_path / "project"
    (folder / "sub").mkdir(parents=True)
    git(folder, "init")
    (folder / "cities.csv").write_text("Oslo\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    (folder / "cities.csv").write_bytes("Orléans\n".encode("latin-1"))
    (folder / "sub" / "größe.py").write_text("size = 1\n")
    text = store.get(describe_code(folder, "r", store).diff).decode()
    assert "Orl\ufffdans" in text
    assert "+++ sub/größe.py\nsize = 1" in text


def test_a_difference_that_is_not_known_is_not_none(tmp_path, monkeypatch):
    store, folder = LocalArtifacts(tmp_path / "store"), tmp_path / "project"
    folder.mkdir()
    git(folder, "init")
    (folder / "p.py").write_text("a = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\n[ "$3" = diff ] && exit 1\nexec {shutil.which("git")} "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    assert "is not known" in store.get(describe_code(folder, "r", store).diff).decode()
