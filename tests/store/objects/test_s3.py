"""What goes wrong between us and a real S3 server, and what is said about it."""

from __future__ import annotations

import hashlib
import logging

import pytest

from gleis.contracts.errors import ConfigError, StoreError
from gleis.store.objects.by_url import open_objects, resolve_url
from gleis.store.objects.patience import Patience
from s3_server import SECRET, IllProxy

HURRIED = Patience(seconds=0.4, first=0.02, longest=0.1)
PATIENT = Patience(seconds=20, first=0.05, longest=0.2)


@pytest.fixture
def proxy(s3, s3_server, monkeypatch):
    proxy = IllProxy(s3_server.port)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    yield proxy
    proxy.shutdown()


def said(url, patience=HURRIED):
    with pytest.raises(StoreError) as raised:
        open_objects(url, patience).put("a", b"x")
    text = str(raised.value)
    assert SECRET not in text
    assert "<Error>" not in text
    assert "\n" not in text
    assert raised.value.remedy.endswith(".")
    return text


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "the secret key is not that of the access key"),
        ("AWS_ACCESS_KEY_ID", "nobody", "there is no such access key"),
    ],
)
def test_wrong_credentials(s3, monkeypatch, name, value, why):
    monkeypatch.setenv(name, value)
    text = said(s3)
    assert why in text
    assert name in text


def test_no_credentials(s3, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://169.254.169.254:1")
    assert "No credentials" in said(s3)


def test_missing_bucket(s3):
    assert "There is no bucket nowhere" in said("s3://nowhere/prefix")
    with pytest.raises(StoreError, match="There is no bucket nowhere"):
        open_objects("s3://nowhere", HURRIED).list("a")
    with pytest.raises(StoreError, match="There is no bucket nowhere"):
        open_objects("s3://nowhere", HURRIED).get("a")


def test_nobody_there(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    text = said(s3)
    assert "http://127.0.0.1:1 cannot be reached (asked" in text


def test_a_minute_of_503_is_waited_for_and_told(s3, proxy, caplog):
    left = iter(range(3))
    proxy.ill = lambda method, path: next(left, None) is not None
    objects = open_objects(s3, Patience(seconds=60, first=2, longest=2))
    with caplog.at_level(logging.WARNING):
        objects.put("a", b"x")
    assert proxy.refused == 3
    assert objects.get("a") == b"x"
    assert "answers 503" in caplog.text
    assert "Asking again in" in caplog.text


def test_longer_than_patience_is_an_error(s3, proxy):
    proxy.ill = lambda method, path: True
    text = said(s3)
    assert "answers 503 (asked" in text
    assert "nothing is lost" in text


def test_large_file_survives_503_in_the_middle(s3, proxy, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    content = bytes(range(256)) * 80_000
    source.write_bytes(content)
    turns = iter(range(1000))
    proxy.ill = lambda method, path: next(turns) % 3 == 1
    objects, counted = open_objects(s3, PATIENT), []
    digest = hashlib.sha256(content).hexdigest()
    assert objects.upload("big", source, counted.append) == digest
    assert objects.download("big", target, counted.append) == digest
    assert target.read_bytes() == content
    assert sum(counted) == 2 * len(content)
    assert proxy.refused > 2


def test_created_although_the_answer_was_lost(s3, proxy):
    lost = iter([True])

    def lose(method, path):
        if method == "PUT" and next(lost, False):
            raise ConnectionAbortedError

    proxy.after = lose
    assert open_objects(s3, PATIENT).create("facts/v1", b"mine")
    assert not open_objects(s3, PATIENT).create("facts/v1", b"theirs")


@pytest.mark.parametrize(
    "url", ["gs://bucket", "s3://", "s3://key:secret@bucket/prefix", "s3://bucket?key=x", "file://"]
)
def test_url_that_names_no_place(url, tmp_path):
    with pytest.raises(ConfigError) as raised:
        resolve_url(url, tmp_path, "remote")
    assert raised.value.field == "remote"
    assert "secret@" not in str(raised.value)


def test_folders_are_relative_to_the_project(tmp_path):
    assert resolve_url("../team", tmp_path / "p", "store") == str(tmp_path / "p" / "../team")
    assert resolve_url("file:///srv/team", tmp_path, "store") == "/srv/team"
    assert resolve_url("s3://bucket/prefix/", tmp_path, "store") == "s3://bucket/prefix"
