from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime

import pytest

from commands import gleis
from gleis import Project
from gleis.cli.health import summary_lines
from trained_projects import SHIFTING_AS_OF, copied, edit, trained, untrained


@pytest.fixture(scope="module")
def shifted(tmp_path_factory):
    """A project whose champion answered 720 visits of after the change, and knows the truth."""
    folder = copied(tmp_path_factory.mktemp("health") / "shifting", "shifting")
    visits = Project.open(folder).bench.module.load(None, None)[3600:4320]
    rows = visits.with_columns(visits["at"].dt.to_string("iso:strict")).drop("bought").to_dicts()
    (folder / "rows.json").write_text(json.dumps(rows))
    answers = gleis(folder, "predict", "rows.json", "--json").json["predictions"]
    labels = [
        {"prediction_id": answer["prediction_id"], "label": truth}
        for answer, truth in zip(answers, visits["bought"], strict=True)
    ]
    (folder / "labels.json").write_text(json.dumps(labels))
    assert gleis(folder, "label", "--file", "labels.json").code == 0
    return folder


def test_monitor_raises_the_alarm_and_retrains_nothing(shifted):
    said = gleis(shifted, "monitor")
    assert said.code == 0, said.err
    assert "720 new predictions, 720 new labels" in said.out
    assert "alarm   `price` rose from a median of" in said.out
    assert "false alarm" in said.out
    assert len(gleis(shifted, "runs", "--json").json) == 2

    again = gleis(shifted, "monitor", "--json").json
    assert again["tick"]["predictions"] == 0
    assert again["tick"]["alarms"] == []
    assert again["monitors"]["drift"]["rows"] > 0

    found = gleis(shifted, "status", "--json").json
    assert found["alarms"] == 2
    assert "`loss` rose" in found["last alarm"]
    assert found["log"]["matched"] == 720


def test_status_says_what_is_live():
    said = gleis(trained(), "status")
    assert "champion             version 2 (gates passed)" in said.out
    found = gleis(trained(), "status", "--json").json
    since = datetime.fromisoformat(found["since"])
    assert f"since                {since:%Y-%m-%d %H:%M} UTC\n" in said.out
    assert found["project"] == "iris"
    assert found["versions"] == 2
    assert found["alarms"] == 0
    assert found["log"]["predictions"] == 0


def test_only_the_strongest_evidence_is_printed_and_how_much_more_there_is():
    evidence = {f"column_{n:02}": float(n) for n in range(20)}
    lines = summary_lines({"drift": {"evidence": evidence}})
    printed = [line.split()[0] for line in lines if line.lstrip().startswith("column")]
    assert printed == [f"column_{n}" for n in range(19, 11, -1)]
    assert lines[-1].strip() == "and 12 weaker; --json has them all"


def test_names_of_any_length_stand_in_one_column():
    lines = summary_lines({"a": 1, "a_name_longer_than_the_column": 2})
    assert lines[0].index("1") == lines[1].index("2")


def test_status_before_the_first_run(tmp_path):
    folder = untrained(tmp_path / "iris")
    assert "none yet: gleis run" in gleis(folder, "status").out


def test_status_knows_when_the_schedule_comes(tmp_path):
    folder = copied(tmp_path / "shifting", "shifting")
    edit(folder / "gleis.toml", "[triggers]", '[triggers]\nschedule = "every 30d"')
    found = gleis(folder, "status", "--json").json
    assert found["last training"].startswith(SHIFTING_AS_OF)
    assert found["next scheduled"].startswith("2024-03-22")


def test_monitor_before_the_first_run(tmp_path):
    said = gleis(untrained(tmp_path / "iris"), "monitor")
    assert said.code == 0
    assert "0 new predictions, 0 new labels" in said.out


def test_a_healthy_project():
    said = gleis(trained(), "doctor")
    assert said.code == 0
    assert "FAILED" not in said.out
    assert "chain unbroken" in said.out
    assert "champion v2" in said.out
    assert gleis(trained(), "doctor", "--json").json["ok"] is True


def test_doctor_exits_with_1_and_names_what_fails(tmp_path):
    folder = copied(tmp_path / "iris")
    edit(folder / "iris.py", "import polars", "import polarz")
    said = gleis(folder, "doctor")
    assert said.code == 1
    (line,) = [line for line in said.out.splitlines() if line.startswith("FAILED")]
    assert "module" in line
    assert "polarz" in line
    found = gleis(folder, "doctor", "--json").json
    assert [check["name"] for check in found["checks"] if not check["ok"]] == ["module"]
    assert found["ok"] is False


def test_what_was_live_at_a_moment():
    folder = trained("iris")
    never = gleis(folder, "status", "--at", "2013-07-04T12:00")
    assert "Nothing was live at 2013-07-04T12:00" in never.out
    now = gleis(folder, "status", "--at", "2100-01-01")
    assert "version 2" in now.out
    told = gleis(folder, "status", "--at", "2100-01-01", "--json").json
    assert told["live"]["version"]["number"] == 2
    assert gleis(folder, "status", "--at", "noon").code == 2


@pytest.mark.parametrize("arguments", [[], ["--at", "2024-07-04"]])
def test_status_loads_nothing_heavy(arguments):
    code = (
        "import sys\n"
        "from gleis.cli.app import main\n"
        f"sys.argv = ['gleis', 'status', *{arguments}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'polars', 'scipy', 'pandas', 'sklearn', 'mlflow', 'dbos', 'deltalake'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=trained(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
