from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from gleis.serving.shipping.dockerfile import Shipment, dockerfile

SHIPMENT = Shipment(name="flights", version=3, digest="ab" * 32, python="3.11", title="Says late")


@pytest.mark.parametrize("vendored", [False, True])
def test_hadolint_finds_nothing(tmp_path, vendored):
    path = tmp_path / "Dockerfile"
    path.write_text(dockerfile(msgspec.structs.replace(SHIPMENT, vendored=vendored)))
    assert ("--no-index" in path.read_text()) is vendored
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_hadolint_would_find_something(tmp_path):
    path = tmp_path / "Dockerfile"
    path.write_text(dockerfile(SHIPMENT) + "RUN cd /tmp && sudo apt-get install curl\n")
    hadolint = Path(sys.executable).with_name("hadolint")
    assert subprocess.run([hadolint, path], capture_output=True, check=False).returncode == 1


def test_it_names_what_it_is():
    text = dockerfile(SHIPMENT)
    assert f'ai.gleis.package="{"ab" * 32}"' in text
    assert "USER 10001:10001" in text
    assert "HEALTHCHECK" in text
    assert SHIPMENT.tag == "flights:3"
