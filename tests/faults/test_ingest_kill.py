"""SIGKILL what fills a dataset at random moments: each message and file is in it once."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter

import pytest

from kafka_cluster import QUICK, cluster, write
from weather_project import make_weather, put

KILLS = 6


def start(folder, source, *options):
    command = [sys.executable, "-m", "gleis", "ingest", source, "--dataset", "weather", *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE)


def rows_of(project):
    latest = project.bench.dataset("weather").latest()
    return 0 if latest is None else latest.rows


def kill_on_the_way(process, project, moment):
    """Wait until it has appended something, a random moment longer, and kill it."""
    before, deadline = rows_of(project), time.monotonic() + 60
    while rows_of(project) == before:
        assert process.poll() is None, "it still has something to do"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(moment)
    process.kill()
    assert process.wait(10) == -9
    process.stdout.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_message_is_in_once(tmp_path):
    messages, draw = 12_000, random.Random(0)
    project = make_weather(tmp_path, "in")
    with cluster() as brokers:
        write(brokers, "t", [{"n": n} if n % 10 else b"no row: %d" % n for n in range(messages)])
        for turn in range(KILLS):
            # The mock lets the first name lead, even if it is dead and leads nobody.
            named = QUICK | {"group.instance.id": f"member-{KILLS - turn:02}"}
            lines = "".join(f"{key}={value}\n" for key, value in named.items())
            (tmp_path / "kafka.properties").write_text(lines)
            url = f"kafka://{brokers}/t?config=kafka.properties"
            process = start(tmp_path, url, "--rows", "40")
            kill_on_the_way(process, project, draw.uniform(0, 0.3))
        assert 0 < rows_of(project) < messages * 8 // 10, "killed on the way"
        time.sleep(4)  # until the dead are missed, and the last one has every partition
        (tmp_path / "kafka.properties").write_text(
            "".join(f"{key}={value}\n" for key, value in QUICK.items())
        )
        last = start(tmp_path, url, "--rows", "2000", "--until-end", "--json")
        said, _ = last.communicate(timeout=120)
        assert last.returncode == 0
        assert set(json.loads(said.splitlines()[-1])["lag"].values()) == {0}
    counts = Counter(project.data.read("weather@latest")["n"].to_list())
    assert counts == {n: 1 for n in range(messages) if n % 10}
    digests = [one.provenance.set_aside for one in project.data.versions("weather")]
    kept = [line for one in digests if one for line in project.home.artifacts.get(one).splitlines()]
    odd = Counter(json.loads(line)["value"] for line in kept)
    assert odd == {f"no row: {n}": 1 for n in range(0, messages, 10)}


@pytest.mark.slow
def test_every_file_is_in_once(tmp_path):
    draw = random.Random(1)
    project = make_weather(tmp_path, "in")
    files = 0
    for _ in range(KILLS):
        process = start(tmp_path, "in", "--every", "0.02s")
        for _ in range(3):
            for _ in range(4):
                put(tmp_path / f"in/{files:04}.csv", f"n\n{files}\n")
                files += 1
            time.sleep(0.05)
        kill_on_the_way(process, project, draw.uniform(0, 0.05))
    last = start(tmp_path, "in", "--until-end")
    last.communicate(timeout=60)
    counts = Counter(project.data.read("weather@latest")["n"].to_list())
    assert counts == dict.fromkeys(range(files), 1)
