"""DVC beside gleis: the real command, with an S3 remote."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from gleis.contracts.errors import DataError
from gleis.lifecycle.project import Project
from small_projects import make_shifting
from weather_project import make_weather, put

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def dvc_folder(tmp_path_factory):
    """Where the command dvc is: in PATH, or in an environment of its own, which is made."""
    if found := shutil.which("dvc"):
        return Path(found).parent
    folder = tmp_path_factory.mktemp("dvc")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", "dvc[s3]"], check=True)
    return folder / "bin"


@pytest.fixture
def run(dvc_folder, monkeypatch):
    """Run a command as a shell would find it."""
    beside = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{beside}{os.pathsep}{os.environ['PATH']}{os.pathsep}{dvc_folder}")
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "somebody")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "somebody@example.org")

    def run(folder, *command):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def under_dvc(folder, run, remote):
    run(folder, "git", "init", "-q")
    run(folder, "dvc", "init", "-q")
    run(folder, "dvc", "remote", "add", "-d", "team", remote)
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    run(folder, "dvc", "remote", "modify", "team", "endpointurl", endpoint)


def test_the_steps_of_a_project_are_stages(tmp_path, run, s3):
    folder = make_shifting(tmp_path / "first")
    with (folder / "gleis.toml").open("a") as file:
        file.write("\n[params]\nC = 1.0\n")
    under_dvc(folder, run, s3)
    run(folder, "gleis", "export", "dvc")
    assert "Running stage 'train'" in run(folder, "dvc", "repro")
    model = Project.open(folder).runs()[-1]
    shown = json.loads(run(folder, "dvc", "metrics", "show", "--json"))
    figures = shown[""]["data"]["dvc/metrics.json"]["data"]
    assert figures["roc_auc"] == model.evidence.figures["roc_auc"].value
    assert figures["baseline"]["brier"] == model.evidence.baseline["brier"].value
    again = run(folder, "dvc", "repro")
    assert again.count("didn't change, skipping") == 3

    (folder / ".gitignore").write_text(".gleis/\n__pycache__/\n")
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "first")
    run(folder, "dvc", "push")
    run(tmp_path, "git", "clone", "-q", str(folder), "second")
    second = tmp_path / "second"
    run(second, "dvc", "pull")
    first_rows = (folder / "dvc/data.parquet").read_bytes()
    assert (second / "dvc/data.parquet").read_bytes() == first_rows
    assert (second / "dvc/model/MLmodel").is_file()
    assert run(second, "dvc", "repro").count("didn't change, skipping") == 3

    text = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace("C: 1.0", "C: 0.001"))
    done = run(folder, "dvc", "repro")
    assert "Stage 'data' didn't change" in done
    assert "--set params.C=0.001" in done
    changed = json.loads(run(folder, "dvc", "metrics", "diff", "--json"))
    assert changed["dvc/metrics.json"]["log_loss"]["diff"] != 0
    assert Project.open(folder).runs()[-1].params == {"C": 0.001}


def test_a_source_that_is_not_here_is_pulled(tmp_path, run, s3):
    project = make_weather(tmp_path, "data/x.csv.dvc")
    under_dvc(tmp_path, run, s3)
    put(tmp_path / "data/x.csv", "n\n1\n2\n")
    for name in ("a", "b"):
        put(tmp_path / f"raw/{name}.csv", f"n\n{name}\n")
    run(tmp_path, "dvc", "add", "-q", "data/x.csv", "raw")
    run(tmp_path, "dvc", "push", "-q")
    for path in ("data/x.csv", "raw/a.csv"):
        (tmp_path / path).unlink()
    shutil.rmtree(tmp_path / ".dvc/cache")
    version = project.data.ingest("weather").latest
    assert version.rows == 2
    text = (tmp_path / "data/x.csv.dvc").read_text()
    assert version.provenance.files[0].hash.removeprefix("md5:") in text
    # DVC's own hash of a folder is the one we compute.
    whole = make_weather(tmp_path, "raw.dvc").data.ingest("weather", anew=True).latest
    assert whole.provenance.files[0].hash.endswith(".dir")
    assert whole.rows == 2

    put(tmp_path / "raw/c.csv", "n\nc\n")
    project = make_weather(tmp_path, "raw.dvc")
    assert project.data.ingest("weather").made == (), "dvc add was not run"
    put(tmp_path / "data/x.csv", "n\n9\n")
    (tmp_path / "data/x.csv.dvc").write_text(text.replace("md5: ", "md5: 0", 1))
    with pytest.raises(DataError, match=r"dvc pull .* fails"):
        make_weather(tmp_path, "data/x.csv.dvc").data.ingest("weather", anew=True)
