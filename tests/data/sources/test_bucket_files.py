"""Objects of a real S3 server as the source of a table."""

from __future__ import annotations

import io

import polars as pl
import pytest

from gleis.contracts.errors import ConfigError, DataError, UnavailableError
from gleis.lifecycle.project import Project
from gleis.store.objects.by_url import open_objects
from gleis.store.objects.patience import Patience
from s3_server import IllProxy
from weather_project import make_weather


@pytest.fixture
def bucket(s3):
    """Return a function that writes an object into the place."""
    objects = open_objects(s3, Patience(seconds=5))

    def write(key, content):
        objects.put(key, content.encode() if isinstance(content, str) else content)

    write.delete = objects.delete
    return write


def parquet(**columns):
    file = io.BytesIO()
    pl.DataFrame(columns).write_parquet(file)
    return file.getvalue()


def values(project):
    return project.data.read("weather@latest")["x"].to_list()


def test_objects_of_a_prefix_are_taken_once(tmp_path, s3, bucket):
    project = make_weather(tmp_path, f"{s3}/in/")
    assert project.data.ingest("weather").left[0].reason == "there is no such file yet"
    bucket("in/b.csv", "x\n2\n")
    bucket("in/a.parquet", parquet(x=[1]))
    bucket("in/deeper/c.csv", "x\n9\n")
    bucket("in/_draft.csv", "x\n9\n")
    bucket("in/readme.txt", "no rows")
    bucket("inner.csv", "x\n9\n")
    found = project.data.ingest("weather")
    assert values(project) == [1, 2]
    assert {one.what for one in found.left} == {f"{s3}/in/readme.txt"}
    first, second = found.latest.provenance.files
    assert (first.path, first.rows) == (f"{s3}/in/a.parquet", 1)
    assert second.hash.startswith("sha256:")
    assert second.etag
    assert project.data.ingest("weather").made == ()
    bucket("in/d.jsonl", '{"x": 3}\n')
    assert project.data.ingest("weather").rows == 1
    assert values(project) == [1, 2, 3]


def test_what_was_taken_is_not_fetched_again_by_whoever_asks(
    tmp_path, s3, bucket, s3_server, monkeypatch
):
    bucket("in/a.csv", "x\n1\n")
    project = make_weather(tmp_path, f"{s3}/in/*.csv")
    project.data.ingest("weather")
    project.home.states.put("looked/weather", b"{}")
    proxy = IllProxy(s3_server.port)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    assert Project.open(tmp_path).data.ingest("weather").made == ()
    assert not [path for _, path in proxy.passed if path.endswith("a.csv")]
    proxy.shutdown()


def test_an_object_that_was_replaced_is_told_and_one_sent_again_is_the_same(tmp_path, s3, bucket):
    bucket("in/a.csv", "x\n1\n")
    bucket("in/b.csv", "x\n2\n")
    project = make_weather(tmp_path, f"{s3}/in")
    project.data.ingest("weather")
    bucket("in/a.csv", "x\n10\n")
    bucket("in/b.csv", "x\n2\n")
    (left,) = project.data.ingest("weather").left
    assert (left.what, left.reason[:16]) == (f"{s3}/in/a.csv", "it changed after")
    assert values(project) == [1, 2]


def test_a_pattern_reads_folders_within(tmp_path, s3, bucket):
    for day in ("2013-01-01", "2013-01-02", "2014-01-01"):
        bucket(f"raw/day={day}/part.csv", f"x\n{day[:4]}\n")
    bucket("raw/day=2013-01-03/_temporary/part.csv", "x\n0\n")
    bucket("raw/part.csv", "x\n1\n")
    project = make_weather(tmp_path, f"{s3}/raw/day=2013-*/*.csv")
    project.data.ingest("weather")
    # The same bytes twice: the second is taken for a copy of the first.
    assert values(project) == [2013]
    everything = make_weather(tmp_path / "all", f"{s3}/raw/**/*.csv")
    everything.data.ingest("weather")
    assert sorted(values(everything)) == [1, 2013, 2014]


def test_one_object_that_is_the_whole_table(tmp_path, s3, bucket):
    project = make_weather(tmp_path, f"{s3}/stations.csv")
    with pytest.raises(DataError, match="source of weather is not there"):
        project.data.ingest("weather")
    bucket("stations.csv", "x\n1\n")
    project.data.ingest("weather")
    bucket("stations.csv", "x\n1\n2\n")
    grown = project.data.ingest("weather").latest
    assert (grown.parent, values(project)) == (1, [1, 2])
    bucket("stations.csv", "x\n7\n")
    anew = project.data.ingest("weather").latest
    assert (anew.parent, values(project)) == (None, [7])


def test_an_object_that_is_cut_is_named_by_its_url(tmp_path, s3, bucket):
    bucket("in/a.parquet", parquet(x=[1, 2, 3])[:-20])
    bucket("in/b.csv", "x\n1\n")
    project = make_weather(tmp_path, f"{s3}/in/", failing="quarantine")
    (aside,) = project.data.ingest("weather").set_aside
    assert aside.what == f"{s3}/in/a.parquet"
    assert aside.reason.startswith("It is cut")
    assert values(project) == [1]
    assert project.data.ingest("weather").set_aside == ()


def test_an_object_that_is_replaced_while_it_is_fetched_waits(
    tmp_path, s3, bucket, s3_server, monkeypatch
):
    bucket("in/a.csv", "x\n1\n")
    bucket("in/b.csv", "x\n2\n")
    proxy = IllProxy(s3_server.port)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)

    def replace(method, path):
        if "list-type" in path:
            proxy.after = lambda method, path: None
            bucket("in/a.csv", "x\n5\n")
            bucket.delete("in/b.csv")

    project = make_weather(tmp_path, f"{s3}/in/")
    proxy.after = replace
    found = project.data.ingest("weather")
    assert found.made == ()
    assert len(found.left) == 2
    project.data.ingest("weather")
    assert values(project) == [5]
    proxy.shutdown()


def test_a_bucket_that_does_not_answer_is_a_source_that_fails(tmp_path, s3, monkeypatch):
    project = make_weather(tmp_path, f"{s3}/in/")
    project.home.patience = Patience(seconds=0.2, first=0.02)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(UnavailableError, match="cannot be reached"):
        project.data.ingest("weather")


def test_urls_that_name_no_bucket(tmp_path):
    for at, url in enumerate(("s3:///x", "s3://key:secret@bucket/x/")):
        project = make_weather(tmp_path / str(at), url)
        with pytest.raises(ConfigError) as raised:
            project.data.ingest("weather")
        assert "secret" not in str(raised.value)
        assert raised.value.field == "datasets.weather.from"
