from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys

import httpx
import msgspec
import pytest

from certificates import Authority, trusting
from commands import gleis
from gleis import Project
from gleis.cli.serving import tell_tick
from gleis.lifecycle.results import Tick
from trained_projects import copied, trained, untrained

ROW = {"sepal_length": 5.0, "sepal_width": 3.0, "petal_length": 4.2, "petal_width": 1.3}


@pytest.fixture
def taken():
    """A port that somebody else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def read_document(stream):
    """Read one indented JSON document from a stream that stays open."""
    lines = []
    while not lines or lines[-1] != "}\n":
        lines.append(stream.readline())
        assert lines[-1], "".join(lines)
    return json.loads("".join(lines))


@pytest.mark.parametrize("command", ["serve", "up"])
def test_a_live_process_says_where_answers_and_leaves_quietly(tmp_path, command):
    folder = copied(tmp_path / "iris")
    arguments = [sys.executable, "-m", "gleis", command, "--port", "0", "--json"]
    with subprocess.Popen(arguments, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = read_document(process.stdout)["url"]
            assert url.startswith("http://127.0.0.1:")
            answer = httpx.post(f"{url}/predict", json=ROW, timeout=60).json()
            assert answer["prediction"] == "versicolor"
            assert answer["version"] == 2
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert gleis(folder, "status", "--json").json["log"]["predictions"] == 1


@pytest.fixture
def unsigned(tmp_path):
    """A trained project whose champion has lost its signature."""
    folder = copied(tmp_path / "iris")
    version = Project.open(folder).registry.get("champion")
    (folder / ".gleis" / version.location / "model.sig").unlink()
    return folder


@pytest.mark.parametrize("command", ["serve", "up"])
def test_an_unsigned_package_is_not_served(unsigned, command):
    said = gleis(unsigned, command, "--port", "0", "--json")
    assert said.code == 5
    assert "is not signed" in said.json["error"]["what"]
    assert "gleis keys sign" in said.json["error"]["remedy"]


@pytest.mark.parametrize("command", ["serve", pytest.param("up", marks=pytest.mark.slow)])
def test_only_the_flag_serves_it_and_every_start_warns(unsigned, command):
    arguments = [sys.executable, "-m", "gleis", command, "--port", "0", "--json", "--insecure-dev"]
    for _ in range(2):
        with subprocess.Popen(
            arguments, cwd=unsigned, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                url = read_document(process.stdout)["url"]
                assert httpx.post(f"{url}/predict", json=ROW, timeout=30).json()["version"] == 2
            finally:
                process.send_signal(signal.SIGTERM)
            told = process.stderr.read()
            assert process.wait(30) == 0
        assert told.count("--insecure-dev: signatures are not checked") == 1


@pytest.mark.parametrize("name", ["GLEIS_INSECURE_DEV", "GLEIS_SERVE__INSECURE_DEV"])
def test_no_variable_and_no_setting_is_the_flag(unsigned, monkeypatch, name):
    monkeypatch.setenv(name, "true")
    said = gleis(unsigned, "serve", "--port", "0")
    assert said.code == 2
    assert "insecure_dev is no key" in said.err


@pytest.mark.parametrize("command", ["serve", "up"])
def test_a_port_in_use(command, taken):
    said = gleis(trained(), command, "--port", str(taken))
    assert said.code == 2
    assert f"Port {taken} on 127.0.0.1 is in use" in said.err
    assert "--port 8001" in said.err


def test_a_port_that_is_none():
    said = gleis(trained(), "serve", "--port", "99999")
    assert said.code == 2
    assert "serve.port" in said.err
    assert "99999" in said.err


def test_an_address_of_another_machine():
    said = gleis(trained(), "serve", "--port", "0", "--host", "192.0.2.1")
    assert said.code == 2
    assert "192.0.2.1" in said.err


@pytest.mark.parametrize("command", ["serve", "up"])
def test_nothing_to_serve(tmp_path, command):
    said = gleis(untrained(tmp_path / "iris"), command, "--port", "0", "--json")
    assert said.code == 8
    assert said.json["error"]["kind"] == "UnavailableError"
    assert "gleis run" in said.json["error"]["remedy"]


def test_the_loop_tells_a_retraining_and_is_silent_where_nothing_happened(capsys):
    outcome = Project.open(trained()).run().outcome
    quiet = Tick(at=outcome.at, predictions=5, labels=5)
    tell_tick(quiet)
    assert capsys.readouterr().out == ""
    for promoted, told in ((True, "2 is champion"), (False, "2 is kept, not promoted")):
        done = msgspec.structs.replace(outcome, promoted=promoted)
        tell_tick(msgspec.structs.replace(quiet, outcome=done))
        retrained, version = capsys.readouterr().out.splitlines()
        assert retrained.endswith(f"retrained  {outcome.decision.reason}")
        assert told in version


@pytest.mark.parametrize("command", ["serve", "up"])
def test_others_reach_only_a_service_that_asks_for_keys(tmp_path, command):
    said = gleis(trained(), command, "--host", "0.0.0.0", "--port", "0", "--json")
    assert (said.code, said.json["error"]["field"]) == (2, "serve.host")
    folder = copied(tmp_path / "iris")
    key = gleis(folder, "access", "new", "me", "--role", "admin", "--json").json["key"]
    arguments = [sys.executable, "-m", "gleis", command, "--port", "0", "--host", "0.0.0.0"]
    with subprocess.Popen(
        [*arguments, "--json"], cwd=folder, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            port = read_document(process.stdout)["url"].rpartition(":")[2]
            url = f"http://127.0.0.1:{port}"
            assert httpx.post(f"{url}/predict", json=ROW, timeout=60).status_code == 401
            answer = httpx.post(f"{url}/predict", json=ROW, headers={"x-api-key": key})
            assert answer.json()["version"] == 2
            if command == "up":
                assert httpx.get(url).headers["www-authenticate"].startswith("Basic ")
                assert httpx.get(url, auth=("me", "not it")).status_code == 401
                assert "<html" in httpx.get(url, auth=("me", key)).text
                basic = httpx.post(f"{url}/predict", json=ROW, auth=("me", key))
                assert basic.status_code == 401, "a browser sends that for other sites, too"
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.parametrize("command", ["serve", "up"])
def test_over_tls(tmp_path, command):
    folder, authority = copied(tmp_path / "iris"), Authority(tmp_path)
    cert, key = authority.issue("server")
    asked = [command, "--port", "0", "--tls-cert", str(cert), "--tls-key", str(key), "--json"]
    arguments = [sys.executable, "-m", "gleis", *asked]
    with subprocess.Popen(arguments, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = read_document(process.stdout)["url"]
            assert url.startswith("https://127.0.0.1:")
            with httpx.Client(verify=trusting(authority), timeout=30) as client:
                assert client.post(f"{url}/predict", json=ROW).json()["version"] == 2
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    said = gleis(folder, command, "--tls-cert", str(cert), "--json")
    assert (said.code, said.json["error"]["field"]) == (2, "serve.tls_key")
    said = gleis(folder, command, "--tls-cert", str(cert), "--tls-key", str(cert), "--json")
    assert (said.code, said.json["error"]["field"]) == (2, "serve.tls_cert")
