from __future__ import annotations

import shutil

import pytest

from commands import gleis
from s3_server import SECRET
from trained_projects import copied, trained


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    """A remote to which a trained project was pushed."""
    remote = tmp_path_factory.mktemp("remote")
    said = gleis(trained(), "push", "--to", str(remote))
    assert said.code == 0, said.err
    return remote, said.out


@pytest.fixture
def clone(tmp_path):
    """What git clone gives, and MLflow's database, which takes seconds to make."""
    folder = tmp_path / "iris"
    shutil.copytree(trained(), folder, ignore=shutil.ignore_patterns(".gleis"))
    (folder / ".gleis").mkdir()
    shutil.copy(trained() / ".gleis" / "mlflow.db", folder / ".gleis")
    return folder


def test_push_says_what_it_brought(remote):
    url, out = remote
    first, second = out.splitlines()
    assert first.startswith(f"Pushed to {url}: dataset version iris@v1, runs b2")
    assert first.endswith("registered versions v1, v2")
    assert "objects, " in second
    again = gleis(trained(), "push", "--to", str(url))
    assert again.out.startswith("Nothing new: both sides have the same")


def test_a_clone_and_a_pull_are_the_project(remote, clone):
    said = gleis(clone, "pull", "--from", str(remote[0]))
    assert said.code == 0, said.err
    assert "keys that this project does not trust yet" in said.out
    trust = next(line for line in said.out.splitlines() if "gleis keys trust" in line)
    runs = gleis(clone, "runs").out
    assert "model" in runs
    assert "baseline" in runs
    assert "iris@v1" in gleis(clone, "show", "v2").out
    assert "150" in gleis(clone, "data", "log").out
    refused = gleis(clone, "verify", "v2")
    assert refused.code == 1
    assert "not trusted" in refused.out
    assert gleis(clone, *trust.split()[1:]).code == 0
    assert gleis(clone, "verify", "v2").code == 0
    assert gleis(clone, "promote", "v2", "--reason", "as at ann's").code == 0
    told = gleis(clone, "doctor", "--json").json
    assert told["ok"], told


def test_json(remote, clone):
    found = gleis(clone, "pull", "--from", str(remote[0]), "--only", "runs", "--json").json
    assert list(found["facts"]) == ["run"]
    assert len(found["facts"]["run"]) == 2
    assert found["remote"] == str(remote[0])
    planned = gleis(clone, "pull", "--from", str(remote[0]), "--dry-run", "--json").json
    assert set(planned["facts"]) == {"dataset", "dataset-vouched", "version"} & set(
        planned["facts"]
    )
    assert planned["objects"] > 0


def test_errors(clone, tmp_path):
    for arguments, code, words in (
        (["push"], 2, "No remote is named"),
        (["pull", "--from", str(tmp_path / "nowhere")], 7, "Nobody has pushed here yet"),
        (["push", "--to", "gs://bucket"], 2, "not known"),
        (["push", "--only", "models"], 2, "--only"),
    ):
        said = gleis(clone, *arguments)
        assert said.code == code, said.err
        assert words in said.err
    error = gleis(clone, "push", "--json").json["error"]
    assert error["field"] == "remote"


def test_doctor_looks_at_store_and_remote(clone, remote, tmp_path, monkeypatch):
    monkeypatch.setenv("GLEIS_REMOTE", str(remote[0]))
    monkeypatch.setenv("GLEIS_STORE", str(tmp_path / "store"))
    found = {check["name"]: check for check in gleis(clone, "doctor", "--json").json["checks"]}
    assert found["store"]["found"].endswith("two writers are kept apart")
    assert "facts" in found["remote"]["found"]
    monkeypatch.setenv("GLEIS_STORE", "/proc/store")
    found = {check["name"]: check for check in gleis(clone, "doctor", "--json").json["checks"]}
    assert not found["store"]["ok"]
    assert "/proc/store" in found["store"]["found"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "refuses our credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "cannot be reached (asked"),
        ({"GLEIS_REMOTE": "s3://nowhere/x"}, "There is no bucket nowhere"),
    ],
)
def test_one_sentence_without_a_secret(clone, s3, monkeypatch, changed, words):
    for name, value in ({"GLEIS_REMOTE": s3, "GLEIS_STORE_PATIENCE": "0.3s"} | changed).items():
        monkeypatch.setenv(name, value)
    for command in (["push"], ["pull"], ["doctor"], ["push", "--json"]):
        said = gleis(clone, *command)
        assert said.code == (1 if command == ["doctor"] else 7)
        printed = said.out + said.err
        assert words in printed.replace("\n", " ")
        assert SECRET not in printed
        assert "wrong" not in printed.replace("wrong region", "")
        assert "Traceback" not in printed


def test_store_that_was_set_before_anything_was_brought_there(tmp_path, monkeypatch):
    folder = copied(tmp_path / "iris")
    monkeypatch.setenv("GLEIS_STORE", str(tmp_path / "team"))
    said = gleis(folder, "data", "show", "v1")
    assert said.code == 7
    assert "GLEIS_STORE= gleis push --to" in said.err
    monkeypatch.setenv("GLEIS_STORE", "")
    assert gleis(folder, "push", "--to", str(tmp_path / "team")).code == 0
    monkeypatch.setenv("GLEIS_STORE", str(tmp_path / "team"))
    assert gleis(folder, "data", "show", "v1").code == 0


def test_a_store_is_claimed_by_name(clone, monkeypatch, tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    (store / "owner.json").write_text(
        '{"ledger":"0123","place":"/home/ann/.gleis on ann","since":"2026-01-02T03:04:05Z"}'
    )
    monkeypatch.setenv("GLEIS_STORE", str(store))
    refused = gleis(clone, "run")
    assert refused.code != 0
    assert "belongs to another ledger, /home/ann/.gleis on ann, since 2026-01-02" in refused.err
    claimed = gleis(clone, "claim", "--reason", "stolen")
    assert claimed.out.startswith(f"{store} is this ledger's now; before it was that of /home/ann")
    assert "this ledger's already" in gleis(clone, "claim", "--reason", "stolen").out
