from __future__ import annotations

import json
import threading
from collections import Counter

import pytest

from commands import gleis
from gleis.contracts.errors import ConfigError, DataError, StoreError
from gleis.data.sources.positions import positions_of
from gleis.data.sources.stream_url import parse_topic
from gleis.lifecycle.data.ingest_stream import Batching, StreamIngest
from gleis.lifecycle.project import Project
from kafka_cluster import QUICK, cluster, committed, write
from weather_project import make_weather


@pytest.fixture(scope="module")
def brokers():
    with cluster() as found:
        yield found


@pytest.fixture
def topic(brokers, request):
    """A topic of its own, with ten rows in each of two partitions."""
    name = request.node.name.replace("[", "-").strip("]")
    write(brokers, name, [{"n": n, "temp": n / 2} for n in range(10)], partition=0)
    write(brokers, name, [{"n": n, "temp": n / 2} for n in range(10, 20)], partition=3)
    return name


def read(project, brokers, topic, rows=10_000, *, name="weather"):
    url = parse_topic(f"kafka://{brokers}/{topic}", "from")
    batching = Batching(rows=rows, until_end=True)
    return StreamIngest(project.bench, name, url, batching, properties=QUICK).run()


def test_messages_become_a_version_with_the_positions_they_were_read_to(tmp_path, brokers, topic):
    project = make_weather(tmp_path, "in", 'id = "n"')
    status = read(project, brokers, topic)
    assert (status.rows, status.bad, status.made) == (20, 0, ("weather@v1",))
    version = project.data.get("weather@latest")
    assert positions_of(version.provenance.cursor).kafka == {f"{topic}/0": 10, f"{topic}/3": 10}
    assert sorted(project.data.read("weather@latest")["n"]) == list(range(20))
    assert committed(brokers, topic, "gleis-p-weather") == {0: 10, 3: 10}
    again = read(project, brokers, topic)
    assert (again.rows, project.data.get("weather@latest")) == (0, version)
    write(brokers, topic, [{"n": 20, "temp": 1}], partition=1)
    assert read(project, brokers, topic).rows == 1
    assert project.data.get("weather@latest").parent == 1


def test_messages_that_are_no_rows_are_set_aside_with_what_they_hold(tmp_path, brokers, topic):
    project = make_weather(tmp_path, "in", 'id = "n"')
    read(project, brokers, topic)
    bad = [b"\xff\xfe", None, {"n": "x"}, {"n": 3}, {"n": 30, "wind": 1}, {"temp": 1}]
    write(brokers, topic, [*bad, {"n": 31}, {"n": 31}], partition=2)
    status = read(project, brokers, topic)
    assert (status.rows, status.bad) == (1, 7)
    provenance = project.data.get("weather@latest").provenance
    lines = project.home.artifacts.get(provenance.set_aside).splitlines()
    kept = [json.loads(line) for line in lines]
    assert [one["place"] for one in kept] == [f"{topic}/2/{at}" for at in (0, 1, 2, 3, 4, 5, 7)]
    reasons = [one["reason"] for one in kept]
    assert reasons[0].startswith("this is no JSON object")
    assert reasons[1:] == [
        "the message has no value",
        "n is text; the column holds whole numbers",
        "n is there already",
        "wind: the dataset has no such column",
        "n is missing",
        "n is there already",
    ]
    assert (kept[0]["bytes"], kept[3]["value"]) == ("//4=", '{"n": 3}')


def test_messages_of_somebody_who_was_erased_are_not_set_aside_again(tmp_path, brokers, topic):
    project = make_weather(tmp_path, "in", 'id = "n"\nsubject = "who"')
    write(brokers, topic, [b'{"who": "jo", broken', b'{"who": "al", broken'], partition=1)
    read(project, brokers, topic)
    data = project.data
    data.erase(data.find_subject("jo"))
    data.restore("weather@v1")
    write(brokers, topic, [b'{"who": "jo", broken', b"broken too", {"n": 40}], partition=2)
    status = read(project, brokers, topic)
    assert (status.rows, status.bad) == (1, 1)
    kept = project.home.artifacts.get(data.get("weather@latest").provenance.set_aside)
    assert [json.loads(line)["value"] for line in kept.splitlines()] == ["broken too"]


def test_a_stream_that_begins_with_rows_of_the_erased_waits_for_others(tmp_path, brokers):
    topic = "of-the-erased"
    project = make_weather(tmp_path, "in", 'id = "n"\nsubject = "who"')
    project.data.erase(project.data.find_subject("jo"))
    write(brokers, topic, [{"n": 1, "who": "jo"}, {"n": 2, "who": "jo"}], partition=1)
    status = read(project, brokers, topic)
    assert (status.waiting, status.why) == (2, "all: they are of people who were erased")
    write(brokers, topic, [{"n": 3, "who": "al"}], partition=2)
    assert read(project, brokers, topic).made == ("weather@v1",)
    assert project.data.get("weather@v1").rows == 1


@pytest.mark.slow
def test_bad_messages_wait_for_a_row_and_too_many_stop_the_reader(tmp_path, brokers, topic):
    project = make_weather(tmp_path, "in")
    read(project, brokers, topic)
    before = project.data.get("weather@latest")
    write(brokers, topic, [{"wind": 1}] * 4, partition=2)
    assert read(project, brokers, topic).waiting == 4
    assert project.data.get("weather@latest") == before
    with pytest.raises(DataError, match=r"None of 4 messages .*: .wind: the dataset has no such"):
        read(project, brokers, topic, rows=4)
    write(brokers, topic, [{"n": 1}], partition=2)
    assert read(project, brokers, topic).bad == 4


@pytest.mark.slow
def test_rows_and_seconds_say_when_a_version_is_made(tmp_path, brokers, topic):
    project = make_weather(tmp_path, "in")
    assert len(read(project, brokers, topic, rows=7).made) == 3
    heights = [version.rows for version in project.data.versions("weather")]
    assert heights == [7, 14, 20]


@pytest.mark.slow
def test_what_is_read_is_appended_when_it_is_told_to_stop(tmp_path, brokers, topic):
    project = make_weather(tmp_path, "in")
    seen = threading.Event()

    def on_status(status):
        if status.waiting == 20:
            seen.set()

    url = parse_topic(f"kafka://{brokers}/{topic}", "from")
    reader = StreamIngest(project.bench, "weather", url, Batching(), on_status, QUICK)
    thread = threading.Thread(target=reader.run)
    thread.start()
    assert seen.wait(20)
    assert project.data.versions("weather") == []
    reader.stop()
    thread.join()
    assert project.data.get("weather@latest").rows == 20


def test_two_readers_share_the_partitions_and_take_each_message_once(tmp_path, brokers):
    make_weather(tmp_path, "in")
    url = parse_topic(f"kafka://{brokers}/shared", "from")
    write(brokers, "shared", [{"n": n} for n in range(200)])
    readers, totals = [], []

    def run(reader):
        totals.append(reader.run().rows)

    def start():
        bench = Project.open(tmp_path).bench
        batching = Batching(rows=40, seconds=0.3)
        reader = StreamIngest(bench, "weather", url, batching, properties=QUICK)
        readers.append((reader, threading.Thread(target=run, args=(reader,))))
        readers[-1][1].start()

    project = Project.open(tmp_path)
    start()
    start()  # while the first one reads: a rebalance
    for at in range(200, 600, 50):
        write(brokers, "shared", [{"n": n} for n in range(at, at + 50)])
    for _ in range(300):
        latest = project.bench.dataset("weather").latest()
        if latest is not None and latest.rows >= 600:
            break
        threading.Event().wait(0.1)
    for reader, _ in readers:
        reader.stop()
    for _, thread in readers:
        thread.join()
    counts = Counter(project.data.read("weather@latest")["n"].to_list())
    assert counts == dict.fromkeys(range(600), 1)
    assert sum(totals) == 600


@pytest.mark.slow
def test_files_and_a_stream_may_fill_the_same_dataset(tmp_path, brokers, topic):
    project = make_weather(tmp_path, "in")
    read(project, brokers, topic)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jsonl").write_text('{"n": 99, "temp": 1.0}\n')
    assert project.data.ingest("weather").rows == 1
    assert read(project, brokers, topic).rows == 0


@pytest.mark.slow
def test_a_topic_that_was_made_anew_is_refused(tmp_path, brokers, topic):
    project = make_weather(tmp_path, "in")
    read(project, brokers, topic)
    with cluster() as other:
        write(other, topic, [{"n": 1}], partition=0)
        with pytest.raises(StoreError, match=r"it ends at 1: .*made anew"):
            read(project, other, topic)


@pytest.mark.slow
def test_commands(tmp_path, brokers, topic):
    lines = "".join(f"{key}={value}\n" for key, value in QUICK.items())
    (tmp_path / "kafka.properties").write_text(lines)
    url = f"kafka://{brokers}/{topic}?config=kafka.properties"
    make_weather(tmp_path, f"{url}&group=g&from=beginning")
    assert gleis(tmp_path, "data", "add", "weather").out == "weather@v1: 20 rows, all rows\n"
    assert "Nothing new" in gleis(tmp_path, "data", "add", "weather").out
    assert gleis(tmp_path, "data", "add", "weather", "--anew").code == 2
    write(brokers, topic, [{"n": 20}], partition=1)
    said = gleis(tmp_path, "ingest", url, "--dataset", "weather", "--until-end")
    assert said.out.splitlines()[-1] == "weather@v2: 1 rows appended, 0 messages to go"
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop/a.jsonl").write_text('{"n": 99, "temp": 1.0}\n')
    said = gleis(tmp_path, "ingest", "drop", "--dataset", "weather", "--until-end", "--json")
    assert json.loads(said.out)["latest"]["rows"] == 22
    assert gleis(tmp_path, "ingest", url, "--dataset", "p").code == 2
    assert gleis(tmp_path, "ingest", url, "--dataset", "rain").code == 6


@pytest.mark.parametrize(
    "url",
    [
        "kafka://host:9092",
        "kafka:///topic",
        "kafka:/host:9092/topic",
        "kafka://host/a/b",
        "kafka://host/a?goup=g",
        "kafka://host/a?from=middle",
        "kafka://user:secret@host/a",
    ],
)
def test_urls_that_are_none(url):
    with pytest.raises(ConfigError) as caught:
        parse_topic(url, "datasets.clicks.from")
    assert "secret" not in str(caught.value)
