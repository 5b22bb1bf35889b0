"""What holds for every command."""

from __future__ import annotations

import subprocess
import sys

import pytest

from commands import gleis
from gleis.contracts.version import VERSION

PROMISED = (
    "init",
    "adopt",
    "data add",
    "data checkout",
    "data datasheet",
    "data diff",
    "data erase",
    "data gc",
    "data infer",
    "data log",
    "data name",
    "data quarantine",
    "data restore",
    "data rm",
    "data scan",
    "data show",
    "data verify",
    "features check",
    "features list",
    "features materialise",
    "features show",
    "ingest",
    "export dvc",
    "export metrics",
    "export model",
    "push",
    "pull",
    "claim",
    "run",
    "runs",
    "show",
    "gate",
    "report",
    "explain",
    "fairness",
    "deploy",
    "promote",
    "rollback",
    "serve",
    "up",
    "access new",
    "access list",
    "access revoke",
    "predict",
    "label",
    "review",
    "score",
    "consume",
    "monitor",
    "alarms list",
    "alarms show",
    "alarms ack",
    "alarms snooze",
    "alarms resolve",
    "alarms test",
    "feedback",
    "backtest",
    "status",
    "doctor",
    "drift",
    "trace",
    "verify",
    "keys new",
    "keys list",
    "keys trust",
    "keys sign",
    "migrate",
    "build image",
    "build k8s",
    "build monitoring",
    "demo",
)
"""In the order of a model's journey; what ``test_help_names`` does not find is missing here."""


def shell(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "gleis", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _named(help_text):
    listed = help_text.partition("Commands:\n")[2]
    return [line.split()[0] for line in listed.splitlines() if line.strip()]


def test_help_names_the_promised_commands_and_no_other(tmp_path):
    top = _named(gleis(tmp_path, "--help").out)
    groups = {name.split()[0] for name in PROMISED if " " in name}
    inner = [f"{g} {name}" for g in groups for name in _named(gleis(tmp_path, g, "--help").out)]
    assert sorted([*(name for name in top if name not in groups), *inner]) == sorted(PROMISED)


@pytest.mark.parametrize("command", PROMISED)
def test_help_has_an_example_of_the_command_and_json(tmp_path, command):
    said = gleis(tmp_path, *command.split(), "--help")
    assert said.code == 0
    assert f"Example: gleis {command}" in said.out
    assert "--json" in said.out
    assert said.err == ""


@pytest.mark.parametrize("command", [(), ("data",)])
def test_without_a_command_there_is_help(tmp_path, command):
    said = gleis(tmp_path, *command)
    assert said.code == 2
    assert "Commands:" in said.out + said.err


def test_version(tmp_path):
    assert gleis(tmp_path, "--version").out == f"gleis {VERSION}\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["frobnicate"], "frobnicate"), (["run", "--frob"], "--frob"), (["promote"], "VERSION")],
)
def test_usage_errors_name_what_is_wrong(tmp_path, arguments, named):
    said = gleis(tmp_path, *arguments)
    assert said.code == 2
    assert named in said.err


def test_an_error_is_one_message_with_its_remedy_on_stderr(tmp_path):
    said = gleis(tmp_path, "status")
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("error: There is no gleis.toml in this folder: ")
    assert "gleis init" in said.err
    assert "Traceback" not in said.err


def test_with_json_an_error_is_a_document(tmp_path):
    said = gleis(tmp_path, "status", "--json")
    assert said.code == 2
    error = said.json["error"]
    assert error["kind"] == "ConfigError"
    assert "gleis.toml" in error["what"]
    assert str(tmp_path) in error["seen"]
    assert "gleis init" in error["remedy"]


def test_as_a_process(tmp_path):
    fine, wrong = shell("--help", cwd=tmp_path), shell("runs", cwd=tmp_path)
    assert (fine.returncode, fine.stderr) == (0, "")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("error: ")


def test_help_loads_nothing_heavy(tmp_path):
    code = (
        "import sys\n"
        "from gleis.cli.app import main\n"
        "sys.argv = ['gleis', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'polars', 'numpy', 'pandas', 'sklearn', 'mlflow', 'dbos', 'altair'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
