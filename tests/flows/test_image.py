"""A version as a container image: built, started without rights, asked. Real tools, no engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import pytest

from gleis.lifecycle.new_project import make_project
from gleis.lifecycle.project import Project
from gleis.lifecycle.shipping import build_image, ship_image

TOOLS = ("buildah", "debootstrap", "runc")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, TOOLS)), reason=f"needs root and {TOOLS}"
    ),
    pytest.mark.timeout(1200),
]
BASE = "localhost/gleis-test-base:1"


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A base image with nothing but Debian's Python 3.11."""
    root = tmp_path_factory.mktemp("base") / "root"
    run("debootstrap", "--variant=minbase", "--include=python3,python3-venv", "bookworm", root)
    made = run("buildah", "from", "scratch")
    run("buildah", "add", "-q", made, root, "/")
    run("buildah", "commit", "-q", "--rm", made, BASE)
    shutil.rmtree(root)
    yield BASE
    run("buildah", "rmi", "-f", BASE)


@pytest.fixture(scope="module")
def image(base, tmp_path_factory):
    """The image of the iris project's champion."""
    folder = tmp_path_factory.mktemp("work")
    make_project(folder / "flowers", "iris")
    project = Project.open(folder / "flowers")
    outcome = project.run().outcome
    into = folder / "image"
    shipped = ship_image(project, outcome.version, into, build=False, vendor=True)
    tag = "localhost/gleis-test-flowers:2"
    build_image("buildah", into, tag, ("--isolation", "chroot", "--build-arg", f"BASE={base}"))
    yield shipped, tag, outcome.version
    run("buildah", "rmi", "-f", tag)


def test_the_image_answers_without_rights_and_without_heavy_libraries(image, tmp_path):
    shipped, tag, version = image
    pins = (shipped.folder / "requirements.txt").read_text()
    for heavy in ("pandas", "scikit-learn", "mlflow", "polars", "scipy"):
        assert heavy not in pins
    config = json.loads(run("buildah", "inspect", "--type", "image", tag))["Docker"]["config"]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"][0] == "CMD"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    container = run("buildah", "from", tag)
    command = ["buildah", "run", "--isolation", "chroot"]
    command += ["--env", "GLEIS_SERVE__HOST=127.0.0.1", "--env", f"GLEIS_SERVE__PORT={port}"]
    command += [container, "--", *config["Entrypoint"], *config["Cmd"]]
    server = subprocess.Popen(command, start_new_session=True)
    try:
        ready = wait_for(f"http://127.0.0.1:{port}/readyz")
        assert ready["digest"] == version.digest
        row = b'{"sepal_length": 5.9, "sepal_width": 3, "petal_length": 4.2, "petal_width": 1.3}'
        answer = ask(f"http://127.0.0.1:{port}/predict", row)
        assert answer["prediction"] == "versicolor"
        assert not answer["fallback"]
        healthy = ["buildah", "run", "--isolation", "chroot"]
        healthy += ["--env", f"GLEIS_SERVE__PORT={port}", container, "--"]
        run(*healthy, *config["Healthcheck"]["Test"][1:])
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(60)
        run("buildah", "rm", container)


def wait_for(url):
    deadline = time.monotonic() + 60
    while True:
        try:
            return ask(url)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def ask(url, body=None):
    with urllib.request.urlopen(url, data=body, timeout=10) as response:
        return json.load(response)
