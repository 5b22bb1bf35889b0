"""Dataset tables in a bucket: a commit is there for all, or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from gleis.contracts.errors import RacedError, StoreError
from gleis.store.objects.by_url import open_table
from gleis.store.objects.patience import Patience
from s3_server import BUCKET, SECRET, IllProxy, S3Server, variables

HURRIED = Patience(seconds=0.3, first=0.02, longest=0.1)
PATIENT = Patience(seconds=30, first=0.02, longest=0.05)


def rows(*values):
    return pl.DataFrame({"a": list(values), "name": [f"row {value}" for value in values]})


@pytest.fixture
def proxied(s3, s3_server, monkeypatch):
    proxy = IllProxy(s3_server.port)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    yield s3, proxy
    proxy.shutdown()


def test_versions_come_back(s3, tmp_path):
    table = open_table(tmp_path, s3, "weather", PATIENT)
    assert table.version() is None
    assert [table.append(rows(1, 2)), table.append(rows(3)), table.replace(rows(9))] == [0, 1, 2]
    assert table.read(0).equals(rows(1, 2))
    assert table.read(1, ["a"])["a"].to_list() == [1, 2, 3]
    assert table.scan(1).select(pl.col("a").sum()).collect().item() == 6
    assert table.restore(1) == 3
    assert table.rows() == 3
    assert not any(tmp_path.iterdir()), "nothing of it is in the state folder"


def test_of_writers_at_once_none_loses_a_row(s3, tmp_path):
    first = open_table(tmp_path, s3, "weather", PATIENT)
    first.append(rows(0))

    def write(value):
        table = open_table(tmp_path, s3, "weather", PATIENT)
        while True:
            try:
                return table.append(rows(value))
            except RacedError:
                continue

    with ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(write, range(1, 9)))
    assert sorted(versions) == list(range(1, 9))
    assert sorted(first.read()["a"]) == list(range(9))
    assert first.read()["a"].to_list()[1:] == [1 + versions.index(v) for v in range(1, 9)]


def test_a_minute_of_503_is_waited_for(proxied, tmp_path):
    url, proxy = proxied
    table = open_table(tmp_path, url, "weather", PATIENT)
    turns = iter(range(1000))
    proxy.ill = lambda method, path: next(turns) % 4 != 3
    table.append(rows(1))
    table.append(rows(2))
    assert table.read()["a"].to_list() == [1, 2]
    assert proxy.refused > 10


def test_longer_than_patience_is_an_error_and_nothing_is_written(proxied, tmp_path):
    url, proxy = proxied
    table = open_table(tmp_path, url, "weather", HURRIED)
    table.append(rows(1))
    proxy.ill = lambda method, path: "_delta_log" in path and method == "PUT"
    with pytest.raises(StoreError, match=r"answers 503 \(asked \d+ times\)"):
        table.append(rows(2))
    proxy.ill = lambda method, path: True
    with pytest.raises(StoreError, match="answers 503"):
        table.read()
    proxy.ill = lambda method, path: False
    assert table.read()["a"].to_list() == [1]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "refuses our credentials"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "http://127.0.0.1:1 cannot be reached"),
    ],
)
def test_said_in_one_sentence(s3, tmp_path, monkeypatch, name, value, why):
    table = open_table(tmp_path, s3, "weather", HURRIED)
    table.append(rows(1))
    monkeypatch.setenv(name, value)
    for use in (table.read, table.version, lambda: table.append(rows(2))):
        with pytest.raises(StoreError, match=why) as raised:
            use()
        assert SECRET not in str(raised.value)
        assert "\n" not in str(raised.value)


def test_missing_bucket(s3, tmp_path):
    with pytest.raises(StoreError, match="There is no bucket nowhere"):
        open_table(tmp_path, "s3://nowhere/x", "weather", HURRIED).append(rows(1))


def test_server_that_dies_in_the_middle_of_a_commit(tmp_path, monkeypatch):
    server = S3Server(tmp_path / "s3")
    proxy = IllProxy(server.port)
    for name, value in variables(proxy.url).items():
        monkeypatch.setenv(name, value)
    table = open_table(tmp_path, f"s3://{BUCKET}/x", "weather", HURRIED)
    table.append(rows(1, 2))

    def die(method, path):
        if method == "PUT" and path.endswith("1.json"):
            server.stop()
        return False

    proxy.ill = die
    with pytest.raises(StoreError, match="cannot be reached"):
        table.append(rows(3))
    again = S3Server(tmp_path / "s3", port=server.port)
    try:
        proxy.ill = lambda method, path: False
        assert table.version() == 0
        assert table.read()["a"].to_list() == [1, 2]
        assert table.append(rows(3)) == 1
        assert table.read()["a"].to_list() == [1, 2, 3]
    finally:
        again.stop()
        proxy.shutdown()


def test_what_no_version_needs_is_deleted_in_a_bucket_too(s3, tmp_path):
    table = open_table(tmp_path, s3, "weather", PATIENT)
    for write in (table.append, table.append, table.replace):
        write(rows(1, 2))
    (second,) = set(table.files(1)) - set(table.files(0))
    assert table.sweep([0], hours=24).files == (), "another machine may be writing them"
    would = table.sweep([0], dry_run=True)
    assert [(file.name, file.size) for file in would.files] == [(second.name, second.size)]
    assert table.sweep([0]) == would
    assert table.sweep([0]).files == ()
    assert pl.concat(list(table.parts(0, rows=1))).equals(rows(1, 2))
    with pytest.raises(StoreError):
        table.read(1)
