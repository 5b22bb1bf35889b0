from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.contracts.errors import StoreError
from gleis.store.artifacts import LocalArtifacts


@given(content=st.binary())
def test_comes_back(tmp_path_factory, content):
    artifacts = LocalArtifacts(tmp_path_factory.mktemp("artifacts"))
    assert artifacts.get(artifacts.put(content)) == content


def test_layout(tmp_path):
    digest = LocalArtifacts(tmp_path).put(b"weights")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [tmp_path / digest[:2] / digest[2:]], "one file, and no temporary one left"


def test_storing_again_mends(tmp_path):
    artifacts = LocalArtifacts(tmp_path)
    digest = artifacts.put(b"weights")
    (tmp_path / digest[:2] / digest[2:]).write_bytes(b"w")
    with pytest.raises(StoreError, match="damaged"):
        artifacts.get(digest)
    assert artifacts.put(b"weights") == digest
    assert artifacts.get(digest) == b"weights"


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    artifacts = LocalArtifacts(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot be stored"):
        artifacts.put(b"x")
    assert not artifacts.has(hashlib.sha256(b"x").hexdigest())
