"""A whole project in PostgreSQL: trained, served while the server is killed, replayed, moved."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time

import httpx
import mlflow
import pytest

from commands import gleis
from gleis.config.load import load_settings
from gleis.store.home import open_home
from mlflow_uris import mlflow_at
from postgres_server import PASSWORD, start_server
from trained_projects import SHIFTING_AS_OF, copied, edit, trained, untrained

ROW = {"price": 10.0, "pages": 3, "channel": "web"}
SECRET = PASSWORD.replace(" ", "%20")


@pytest.fixture(scope="module")
def server():
    server = start_server()
    yield server
    server.remove()


@pytest.fixture
def team(server, monkeypatch):
    """Return the URL, with its password, of an empty database that projects here use."""
    name = server.fresh().partition("?")[0].rsplit("/", 1)[1]
    monkeypatch.setenv("TEAM_DB", server.tcp(name))
    monkeypatch.setenv("GLEIS_DATABASE", "env:TEAM_DB")
    return server.tcp(name)


def home_of(folder):
    return open_home(folder, load_settings(folder))


def hold_no_secret(folder, *said):
    for one in said:
        assert PASSWORD not in one
        assert SECRET not in one
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert PASSWORD.encode() not in content, path
        assert SECRET.encode() not in content, path


@pytest.fixture
def up(tmp_path):
    """Return a function that starts ``gleis up`` and returns its address."""
    processes = []

    def start(folder):
        command = [sys.executable, "-m", "gleis", "up", "--json", "-p", str(folder)]
        with (tmp_path / "up.err").open("ab") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        processes.append(process)
        text = ""
        while "}" not in text:
            line = process.stdout.readline()
            assert line, (tmp_path / "up.err").read_text()
            text += line
        return json.loads(text)["url"]

    yield start
    for process in processes:
        process.terminate()
        process.communicate(timeout=60)


def ask_until(url, stop, given):
    with httpx.Client(timeout=60) as client:
        while not stop.is_set():
            answer = client.post(f"{url}/predict", json={"rows": [ROW]})
            assert answer.status_code in {200, 503}, answer.text
            given.append((answer.status_code, answer.json()))


@pytest.mark.slow
def test_a_project_lives_in_a_database(server, team, up, tmp_path):
    folder = untrained(tmp_path / "shifting", "shifting")
    shutil.rmtree(folder / ".gleis")
    edit(
        folder / "gleis.toml",
        "[triggers",
        '[serve]\nport = 0\n\n[loop]\nevery = "0.5s"\n\n[triggers',
    )
    run = gleis(folder, "run", "--as-of", SHIFTING_AS_OF)
    assert run.code == 0, run.err
    assert not list(folder.rglob("*.db")), "nothing in files that the database should have"
    assert not (folder / "mlruns").exists()
    with mlflow_at(home_of(folder).tracking_uri):
        (found,) = mlflow.search_runs(experiment_names=["shifting"], output_format="list")[:1]
        assert found.data.metrics
        assert mlflow.MlflowClient().get_model_version_by_alias("shifting", "champion")

    url = up(folder)
    second = gleis(folder, "up")
    assert (second.code, "another process runs the loop" in second.err) == (7, True), second.err
    stop, given = threading.Event(), []
    asking = threading.Thread(target=ask_until, args=(url, stop, given))
    asking.start()
    for _ in range(2):
        time.sleep(2)
        server.restart()
    time.sleep(2)
    stop.set()
    asking.join()
    ids = [said["predictions"][0]["prediction_id"] for code, said in given if code == 200]
    assert len(ids) > 20
    home = home_of(folder)
    assert not [name for name in ids if home.log.find(name) is None], "answered, and lost"
    assert home.log.counts().predictions >= len(ids)

    time.sleep(3)  # the loop has its lock again
    asked = httpx.post(f"{url}/retrain", json={"reason": "after the restart"}, timeout=60)
    assert asked.status_code < 300, asked.text
    deadline = time.monotonic() + 120
    while (state := httpx.get(f"{url}{asked.json()['see']}").json())["state"] != "done":
        assert time.monotonic() < deadline, state
        time.sleep(0.5)
    label = gleis(folder, "label", ids[0], "1")
    assert label.code == 0, label.err
    watched = gleis(folder, "monitor")
    assert watched.code == 0, watched.err
    assert home.facts.verify() >= home.facts.last("trained") > 0
    home.close()
    doctor = gleis(folder, "doctor")
    assert doctor.code == 0, doctor.out
    hold_no_secret(folder, run.out, run.err, second.err, doctor.out, watched.out)
    hold_no_secret(tmp_path)


@pytest.mark.slow
def test_a_replay_beside_a_database_is_the_replay_without(team, tmp_path, monkeypatch):
    span = ["--since", "2024-02-21", "--until", "2024-03-10", "--policy", "never"]
    policies = [*span, "--policy", "project", "--workers", "2", "--json"]
    folders = [copied(tmp_path / name / "shifting", "shifting") for name in ("team", "own")]
    there = gleis(folders[0], "backtest", *policies)
    monkeypatch.delenv("GLEIS_DATABASE")
    here = gleis(folders[1], "backtest", *policies)
    assert there.code == here.code == 0, there.err + here.err
    figures = [[(one["policy"], one["figures"]) for one in said.json["policies"]]
               for said in (there, here)]  # fmt: skip
    assert figures[0] == figures[1]


@pytest.mark.slow
def test_a_trained_project_moves(team, tmp_path, monkeypatch):
    monkeypatch.delenv("GLEIS_DATABASE")
    folder = copied(tmp_path / "iris")
    row = '{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2,"plant":"p1"}'
    answer = gleis(folder, "predict", row, "--json").json["predictions"][0]
    runs = gleis(folder, "runs", "--json").json
    moved = gleis(folder, "migrate", "--to", "env:TEAM_DB", "--json")
    assert moved.code == 0, moved.err
    assert moved.json["setting"] == 'database = "env:TEAM_DB"'
    rows = {one["table"]: one["rows"] for one in moved.json["tables"]}
    assert rows["mlflow_gleis_iris.runs"] == 2
    assert rows["gleis_iris.predictions"] == 1
    again = gleis(folder, "migrate", "--to", "env:TEAM_DB")
    assert "holds a project already" in again.err
    for path in (folder / ".gleis").glob("*.db*"):
        path.unlink()
    toml = folder / "gleis.toml"
    toml.write_text(f"{moved.json['setting']}\n{toml.read_text()}")
    assert gleis(folder, "runs", "--json").json == runs
    unchanged = gleis(folder, "run")
    assert "Nothing changed since this run" in unchanged.out
    assert gleis(folder, "label", answer["prediction_id"], "setosa").code == 0
    assert gleis(folder, "run", "--refresh").code == 0
    with mlflow_at(home_of(folder).tracking_uri):
        client = mlflow.MlflowClient()
        assert len(mlflow.search_runs(experiment_names=["iris"], output_format="list")) >= 3
        assert int(client.get_model_version_by_alias("iris", "champion").version) > 2
    assert trained().exists()
    hold_no_secret(folder, moved.out, again.err)
