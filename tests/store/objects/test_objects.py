from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gleis.contracts.errors import StoreError
from gleis.store.objects.by_url import open_objects
from gleis.store.objects.patience import Patience

LARGE = bytes(range(256)) * 80_000  # 20 MB: three parts


@pytest.fixture(params=["folder", "s3"])
def objects(request, tmp_path):
    url = str(tmp_path / "objects") if request.param == "folder" else request.getfixturevalue("s3")
    return open_objects(url, Patience(seconds=2))


def test_bytes_come_back(objects):
    for key, content in (("a/empty", b""), ("a/small", b"weights"), ("b@v3.json", b"{}")):
        objects.put(key, content)
        assert objects.get(key) == content
        assert objects.size(key) == len(content)
    objects.put("a/small", b"others")
    assert objects.get("a/small") == b"others"


def test_absent_is_none(objects):
    assert objects.get("a/absent") is None
    assert objects.size("a/absent") is None
    assert objects.list("nothing") == []
    objects.delete("a/absent")


def test_listed_by_whole_parts_of_keys(objects):
    for key in ("a/2", "a/1/x", "ab/3"):
        objects.put(key, key.encode())
    assert [found[:2] for found in objects.list("a")] == [("a/1/x", 5), ("a/2", 3)]
    assert all(abs(found.modified - time.time()) < 600 for found in objects.list("a"))
    objects.delete("a/2")
    assert [found.key for found in objects.list("a")] == ["a/1/x"]


def test_created_once(objects):
    assert objects.create("facts/v1", b"mine")
    assert not objects.create("facts/v1", b"theirs")
    assert objects.create("facts/v1", b"mine"), "the same bytes: an answer may have been lost"
    assert objects.get("facts/v1") == b"mine"


def test_of_many_who_create_one_succeeds(objects):
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda i: objects.create("facts/v1", str(i).encode()), range(16)))
    assert sum(won) == 1
    assert objects.get("facts/v1") == str(won.index(True)).encode()


@pytest.mark.parametrize("content", [b"", b"small", LARGE], ids=["empty", "small", "parts"])
def test_files_go_and_come(objects, tmp_path, content):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content)
    digest, sent, came = hashlib.sha256(content).hexdigest(), [], []
    assert objects.upload("d/file", source, sent.append) == digest
    assert objects.size("d/file") == len(content)
    assert objects.download("d/file", target, came.append) == digest
    assert target.read_bytes() == content
    assert sum(sent) == sum(came) == len(content)
    assert [path.name for path in tmp_path.glob(".*")] == [], "no draft is left"


def test_a_file_that_is_not_there_is_an_error(objects, tmp_path):
    with pytest.raises(StoreError):
        objects.upload("d/file", tmp_path / "absent")
    with pytest.raises(StoreError):
        objects.download("d/absent", tmp_path / "target")
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("key", ["", "../x", "a/../../x", "/etc/passwd", "a//b", "a\\b", "."])
def test_no_key_leads_out(objects, key):
    for use in (objects.get, objects.size, objects.list, objects.delete):
        with pytest.raises(StoreError, match="name of an object"):
            use(key)
    with pytest.raises(StoreError, match="name of an object"):
        objects.put(key, b"")
